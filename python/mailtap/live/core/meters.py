"""Rates and delays over the last while."""

from __future__ import annotations

from collections import deque

from mailtap.live.state import Delay

#: Seconds that a rate is taken over.
SPAN = 5.0

#: Delays that are kept, and how many of a batch: its records differ little.
DELAYS = 8_192
OF_A_BATCH = 64


class Rate:
    """Events a second over the last `SPAN` seconds, by a clock that only goes forward."""

    def __init__(self) -> None:
        self._counted: deque[tuple[float, int]] = deque()

    def add(self, n: int, now: float) -> None:
        self._counted.append((now, n))
        self._forget(now)

    def value(self, now: float) -> float:
        self._forget(now)
        return sum(n for _, n in self._counted) / SPAN

    def _forget(self, now: float) -> None:
        while self._counted and self._counted[0][0] <= now - SPAN:
            self._counted.popleft()


class Delays:
    """From a record's arrival to its verdict."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=DELAYS)

    def add(self, arrivals: list[float], now: float) -> None:
        step = max(1, len(arrivals) // OF_A_BATCH)
        self._seconds.extend(now - arrival for arrival in arrivals[::step])

    def value(self) -> Delay | None:
        if not self._seconds:
            return None
        ordered = sorted(self._seconds)
        return Delay(ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)])
