"""Settings of all tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# What a law is tried on is drawn anew at each run on a developer's machine, and the same in CI.
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if os.environ.get("CI") else "dev")
