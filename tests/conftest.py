"""Settings of all tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from mailtap.zeek.installation import ZEEK_PLACES

CHECKOUT = Path(__file__).resolve().parents[1]

# For `fieldcapture`, which is not in the wheel. Last, so that an installed `mailtap` comes first.
sys.path.append(str(CHECKOUT / "python"))

PLUGIN = CHECKOUT / "build" / "zeek-plugin"

# What a law is tried on is drawn anew at each run on a developer's machine, and the same in CI.
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_configure(config: pytest.Config) -> None:
    """Has Zeek find the package of this checkout, as `btest/run` built it, as an installed one:
    the Python code under test may come from a wheel, which knows no checkout.
    """
    folders = [os.environ["PATH"], *(str(zeek.parent) for zeek in ZEEK_PLACES)]
    zeek_config = shutil.which("zeek-config", path=os.pathsep.join(folders))
    if zeek_config is None or not (PLUGIN / "__zeek_plugin__").is_file():
        return
    packages = tempfile.mkdtemp(prefix="mailtap-zeek-")
    config.add_cleanup(lambda: shutil.rmtree(packages))
    (Path(packages) / "mailtap").symlink_to(CHECKOUT / "zeek" / "scripts")
    default = subprocess.check_output([zeek_config, "--zeekpath"], text=True).strip()
    os.environ["ZEEKPATH"] = f"{default}:{packages}"
    os.environ["ZEEK_PLUGIN_PATH"] = str(PLUGIN)
