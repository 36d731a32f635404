"""How far a server's log is usually behind the tap.

A log and a tap on the same machine or one with a good clock differ by milliseconds, or by what the
log's times are rounded to: far less than the slack that strange clocks need. Pairs that are certain
show how much it is, and that decides between sessions which follow each other within the slack.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

#: So many pairs show what is usual.
MINIMUM_PAIRS = 10

#: The shortest span that has this share of the pairs is what they have in common; a few that are
#: mistaken are outside of it. As much again on either side is usual as well, and these seconds by
#: which a busy machine is late.
COMMON = 0.75
BUSY = 0.01


@dataclass(frozen=True, slots=True)
class UsualLag:
    """The log's time minus the tap's in seconds, of a session's beginning or end: from, to."""

    first: float
    last: float

    def holds(self, lag: float) -> bool:
        """Whether a lag is usual."""
        return self.first <= lag <= self.last


def usual_lag(lags: Iterable[float], resolution: float) -> UsualLag | None:
    """What is usual by these pairs; None if they are too few. `resolution`: of the log's times."""
    values = np.fromiter(lags, float)
    if len(values) < MINIMUM_PAIRS:
        return None
    values.sort()
    common = math.ceil(COMMON * len(values))
    spans = values[common - 1 :] - values[: len(values) - common + 1]
    first = int(spans.argmin())
    margin = float(spans[first]) + max(resolution, BUSY)
    return UsualLag(float(values[first]) - margin, float(values[first + common - 1]) + margin)
