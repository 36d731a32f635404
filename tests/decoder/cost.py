"""How the processor time of two pieces of work compares, on a machine that does other work, too."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable

ROUNDS, MOST_ROUNDS = 5, 25


def seconds(work: Callable[[], object]) -> float:
    """Processor time of the work."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def times_as_long(once: Callable[[], object], twice: Callable[[], object], most: float) -> float:
    """The median of the rounds' ratios, of more rounds while it is above `most`.

    The machine is faster and slower by turns, so both are measured right after one another, and
    one round that is disturbed, either way, decides nothing.
    """
    ratios: list[float] = []
    gc.disable()
    try:
        while len(ratios) < MOST_ROUNDS:
            short = seconds(once)
            ratios.append(seconds(twice) / short)
            if len(ratios) >= ROUNDS and statistics.median(ratios) <= most:
                break
    finally:
        gc.enable()
    return statistics.median(ratios)
