"""What came and was not taken in yet: between the event loop and the correlator's thread."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from mailtap.live.labels.streams import Position

#: Records and bytes that may wait. Each sensor and each label source has an equal share, so that
#: none can take the others' room. Beyond it frames of a sensor are discarded, which their numbers
#: then show, and a label source waits.
MAXIMUM_RECORDS = 500_000
MAXIMUM_BYTES = 256 << 20

#: Records and bytes taken in at once, by which memory is bounded. Usually a batch is what came
#: during the last one: the more there is to do, the larger are batches, and the less each record
#: costs. Reading a byte takes some ten bytes of memory.
BATCH = 100_000
BATCH_BYTES = 32 << 20

#: Records for which it is worth while to begin a batch.
ENOUGH = 500


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
    def __init__(self, origins: int) -> None:
        """`origins` is the number of sensors and label sources."""
        share = max(1, origins)
        self._most_records, self._most_bytes = MAXIMUM_RECORDS // share, MAXIMUM_BYTES // share
        self._sizes: dict[tuple[bool, int], list[int]] = {}  # records and bytes of each origin
        self._waiting: deque[tuple[bool, int, list[bytes], float, Position | None]] = deque()
        self._lock = threading.Lock()
        self._records = 0  # that wait
        self._came, self._enough = threading.Event(), threading.Event()

    def is_full(self, source: int) -> bool:
        """Whether the label source has to wait."""
        return self._has_no_room((False, source))

    def put_frame(self, sensor: int, frame: bytes, now: float) -> bool:
        """False: the sensor's share is used up, the frame is discarded."""
        if self._has_no_room((True, sensor)):
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

    def wait_for_enough(self, seconds: float) -> None:
        """Until it is worth while to take what waits, or the time is over."""
        self._enough.wait(seconds)

    def wake(self) -> None:
        self._came.set()
        self._enough.set()

    def take(self) -> Batch:
        """What waits, up to `BATCH` records and `BATCH_BYTES`."""
        batch = Batch()
        size = 0
        with self._lock:
            while self._waiting and len(batch.arrivals) < BATCH and size < BATCH_BYTES:
                is_frame, origin, items, arrival, position = self._waiting.popleft()
                (batch.frames if is_frame else batch.lines).setdefault(origin, []).extend(items)
                batch.arrivals.extend([arrival] * len(items))
                if position is not None:
                    batch.positions[origin] = position
                length = sum(map(len, items))
                size += length
                sizes = self._sizes[is_frame, origin]
                sizes[0] -= len(items)
                sizes[1] -= length
            self._records -= len(batch.arrivals)
            if self._records < ENOUGH:
                self._enough.clear()
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
            sizes = self._sizes.setdefault((is_frame, origin), [0, 0])
            sizes[0] += len(items)
            sizes[1] += sum(map(len, items))
            if not self._came.is_set():
                self._came.set()
            self._records += len(items)
            if self._records >= ENOUGH and not self._enough.is_set():
                self._enough.set()

    def _has_no_room(self, origin: tuple[bool, int]) -> bool:
        records, size = self._sizes.get(origin, (0, 0))
        return records >= self._most_records or size >= self._most_bytes
