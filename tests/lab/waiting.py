"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import time
from collections.abc import Callable

STEP = 0.02


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition held within the given time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(STEP)
    return True
