"""What came and was not taken in yet: between the event loop and the correlator's thread."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from mailtap.live.labels.streams import Position

#: Records and bytes that may wait. Beyond that frames of sensors are discarded, which their numbers
#: then show, and label sources wait.
MAXIMUM_RECORDS = 500_000
MAXIMUM_BYTES = 512 << 20

#: Records taken in at once, by which memory is bounded. Usually it is what came during the last
#: batch: the more there is to do, the larger are batches, and the less each record costs.
BATCH = 100_000


@dataclass
class Batch:
    """Frames by sensor and lines by label source, in the order they came, when each came, and how
    far files were read by then.
    """

    frames: dict[int, list[bytes]] = field(default_factory=dict)
    lines: dict[int, list[bytes]] = field(default_factory=dict)
    arrivals: list[float] = field(default_factory=list)
    positions: dict[int, Position] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.arrivals)


class Inbox:
    def __init__(self) -> None:
        self._waiting: deque[tuple[bool, int, list[bytes], float, Position | None]] = deque()
        self._lock = threading.Lock()
        self._came = threading.Event()
        self._records = 0
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        return self._records >= MAXIMUM_RECORDS or self._bytes >= MAXIMUM_BYTES

    def put_frame(self, sensor: int, frame: bytes, now: float) -> bool:
        """False: there is no room, the frame is discarded."""
        if self.is_full:
            return False
        self._put(True, sensor, [frame], now, None)
        return True

    def put_lines(
        self, source: int, lines: list[bytes], position: Position | None, now: float
    ) -> None:
        """Callers look at `is_full` before."""
        self._put(False, source, lines, now, position)

    def wait(self, seconds: float) -> None:
        """Until something is there, or the time is over."""
        self._came.wait(seconds)

    def wake(self) -> None:
        self._came.set()

    def take(self) -> Batch:
        """What waits, up to `BATCH` records."""
        batch = Batch()
        size = 0
        with self._lock:
            while self._waiting and len(batch.arrivals) < BATCH:
                is_frame, origin, items, arrival, position = self._waiting.popleft()
                (batch.frames if is_frame else batch.lines).setdefault(origin, []).extend(items)
                batch.arrivals.extend([arrival] * len(items))
                if position is not None:
                    batch.positions[origin] = position
                size += sum(map(len, items))
            self._records -= len(batch.arrivals)
            self._bytes -= size
            if not self._waiting:
                self._came.clear()
        return batch

    def _put(
        self,
        is_frame: bool,
        origin: int,
        items: list[bytes],
        now: float,
        position: Position | None,
    ) -> None:
        with self._lock:
            self._waiting.append((is_frame, origin, items, now, position))
            self._records += len(items)
            self._bytes += sum(map(len, items))
            if not self._came.is_set():
                self._came.set()
