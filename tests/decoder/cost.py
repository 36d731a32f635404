"""Processor time of work of two lengths, on a machine that does other work, too."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

ROUNDS, MOST_ROUNDS = 5, 20


def least_seconds(
    once: Callable[[], object], twice: Callable[[], object], ratio: float
) -> tuple[float, float]:
    """The least processor time of each, measured in turn.

    Other work makes a round longer and never shorter, so there are more rounds while `twice` takes
    more than `ratio` times as long.
    """
    least = [float("inf"), float("inf")]
    gc.disable()
    try:
        for number in range(MOST_ROUNDS):
            if number >= ROUNDS and least[1] <= ratio * least[0]:
                break
            for place, work in enumerate((once, twice)):
                begin = time.process_time()
                work()
                least[place] = min(least[place], time.process_time() - begin)
    finally:
        gc.enable()
    return least[0], least[1]
