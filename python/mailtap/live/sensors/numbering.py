"""A node's running numbers: which records are missing, which are duplicates, and restarts.

A node numbers its records from 1. They arrive in order, but after a reconnection some may arrive
again, and a node that restarts begins at 1 again. A restart is recognised by a record's `started`,
the time at which its node started; without it, by a number that was used for another record.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from mailtap.live.state import Gap, NodeState

#: Numbers whose records a node's numbering remembers, to recognise one that comes again.
REMEMBERED = 8192

#: A greater number is no running number: no sensor writes so many records.
GREATEST_NUMBER = 1 << 53

#: Where counts stop: the store's integers have 64 bits, and a hostile sensor chooses its numbers.
GREATEST_COUNT = 1 << 62

#: Ranges of missing numbers that are kept, in case they come late.
KEPT_RANGES = 256


class Arrival(Enum):
    """What a record is, by its number."""

    NEW = "new"
    DUPLICATE = "duplicate"


@dataclass
class Missing:
    """Numbers from `first` to `last` that did not come."""

    first: int
    last: int


@dataclass
class Numbering:
    """The numbers of one node; `expected` is None until its first record, and `first` where an
    earlier run of this process had it.
    """

    node: str
    expected: int | None = None
    started: float | None = None
    received: int = 0
    lost: int = 0
    duplicates: int = 0
    restarts: int = 0
    latest: float = 0.0
    first: int | None = None
    remembered: int = REMEMBERED
    _seen: dict[int, int] = field(default_factory=dict)  # the hash of each number's uid
    _order: deque[int] = field(default_factory=deque)
    _missing: deque[Missing] = field(default_factory=lambda: deque(maxlen=KEPT_RANGES))

    def take(
        self, number: int, uid: str | None, started: float | None, now: float
    ) -> tuple[Arrival, Gap | None]:
        """What the record is, and the gap before it if there is one. `now` is when it came."""
        gap = None
        if self.expected is None:
            self.first = self.expected = number
        elif self._is_restart(number, uid, started):
            self.restarts += 1
            self._forget()
            self.first = 1
            gap = self._missing_until(number, now, 1)
        elif number > self.expected:
            gap = self._missing_until(number, now, self.expected)
        elif self.first is not None and number < self.first:
            self._came_before_the_first(number)
        elif number < self.expected and not self._came_late(number):
            self.duplicates += 1
            return Arrival.DUPLICATE, None
        self.started = started
        self.expected = max(self.expected, number + 1)
        self._remember((number,), (uid,))
        self.received += 1
        self.latest = now
        return Arrival.NEW, gap

    def take_all(
        self,
        numbers: Sequence[int],
        uids: Sequence[str | None],
        started: Sequence[float | None],
        now: float,
    ) -> tuple[Sequence[Arrival], list[Gap]]:
        """`take` of several records that came together."""
        if self._goes_on(numbers, started):
            self.expected = numbers[-1] + 1
            self.received += len(numbers)
            self.latest = now
            self._remember(numbers, uids)
            return [Arrival.NEW] * len(numbers), []
        taken = [self.take(*record, now) for record in zip(numbers, uids, started, strict=True)]
        return [arrival for arrival, _ in taken], [gap for _, gap in taken if gap is not None]

    def state(self) -> NodeState:
        return NodeState(
            self.node, self.received, self.lost, self.duplicates, self.restarts, self.latest
        )

    def _goes_on(self, numbers: Sequence[int], started: Sequence[float | None]) -> bool:
        """Whether the numbers are just those that come next, as nearly always."""
        first = self.expected
        return (
            first is not None
            and numbers == list(range(first, first + len(numbers)))
            and started == [self.started] * len(started)
        )

    def _is_restart(self, number: int, uid: str | None, started: float | None) -> bool:
        if started is not None and self.started is not None:
            return started != self.started
        if self.expected is None or number >= self.expected:
            return False
        return self._seen.get(number, hash(uid)) != hash(uid) or (
            number not in self._seen and not any(m.first <= number <= m.last for m in self._missing)
        )

    def _missing_until(self, number: int, now: float, first: int) -> Gap | None:
        self.expected = number
        if number == first:
            return None
        self.lost = min(self.lost + number - first, GREATEST_COUNT)
        self._missing.append(Missing(first, number - 1))
        return Gap(self.node, self.latest, now, number - first)

    def _came_before_the_first(self, number: int) -> None:
        """Those between this one and the one that seemed to be the first are missing."""
        expected, first = self.expected, self.first
        if first is not None:
            self._missing_until(first, self.latest, number + 1)
        self.expected, self.first = expected, number

    def _came_late(self, number: int) -> bool:
        """Takes the number out of those that are missing, if it is one."""
        for missing in self._missing:
            if missing.first <= number <= missing.last:
                self._missing.remove(missing)
                if missing.first < number:
                    self._missing.append(Missing(missing.first, number - 1))
                if number < missing.last:
                    self._missing.append(Missing(number + 1, missing.last))
                self.lost -= 1
                return True
        return False

    def _remember(self, numbers: Sequence[int], uids: Sequence[str | None]) -> None:
        self._seen.update(zip(numbers, map(hash, uids), strict=True))
        self._order.extend(numbers)
        while len(self._order) > self.remembered:
            self._seen.pop(self._order.popleft(), None)

    def _forget(self) -> None:
        self._seen.clear()
        self._order.clear()
        self._missing.clear()
