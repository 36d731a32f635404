"""What comes from each sensor and each label source, counted and read.

Whatever a sensor or a source sends, it costs only its own records: what can't be read is counted as
malformed, also where that is found out by an error nobody thought of.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from operator import and_
from typing import TypeVar

import pyarrow as pa

from mailtap.live.batches.records import Records, together
from mailtap.live.batches.sessions import SessionBatch
from mailtap.live.core.meters import Rate
from mailtap.live.labels.reader import LabelReader, UnknownFormatError, reader_of
from mailtap.live.sensors.frames import (
    SESSIONS_TOPIC,
    Complaint,
    MalformedError,
    read_frame,
)
from mailtap.live.sensors.numbering import GREATEST_NUMBER, REMEMBERED, Arrival, Numbering
from mailtap.live.state import Gap, LabelSourceState, SensorState
from mailtap.policy import Policy

#: Nodes of a sensor whose numbers are followed. A name that comes beyond is not a cluster's.
MAXIMUM_NODES = 1_024

#: Numbers that the nodes of a sensor remember together.
REMEMBERED_TOGETHER = 8 * REMEMBERED

#: Gaps that are shown, the latest.
SHOWN_GAPS = 100

#: First lines of a label stream among which its format must show.
HEAD_LINES = 512
HEAD_BYTES = 4 << 20

Item = TypeVar("Item")
Read = TypeVar("Read")


def read_in_parts(
    read: Callable[[Sequence[Item]], Read], items: Sequence[Item]
) -> list[tuple[Sequence[Item], Read | None]]:
    """The items with what `read` makes of them, in order. An item that it fails on stands alone
    with None: the halves of a batch that fails are read again, until the item is found.
    """
    try:
        return [(items, read(items))]
    except Exception:  # a record must not end live mode, whatever the error is
        if len(items) == 1:
            return [(items, None)]
        middle = len(items) // 2
        return read_in_parts(read, items[:middle]) + read_in_parts(read, items[middle:])


class SensorIntake:
    """The records of one sensor.

    A session's `source` is the sensor's URL. Its `sensor` is the node, with the URL before it where
    there are several sensors: two nodes of one name are two.
    """

    def __init__(self, url: str, *, one_of_several: bool) -> None:
        self._url = url
        self._one_of_several = one_of_several
        self._numberings: dict[str, Numbering] = {}
        self._gaps: deque[Gap] = deque(maxlen=SHOWN_GAPS)
        self._rate = Rate()
        self._received = 0
        self._malformed = 0
        self._lag: float | None = None
        self.complaint: str | None = None
        self._new_gaps: list[Gap] = []

    def lines(self, frames: Sequence[bytes]) -> list[str]:
        """The records of sessions in the frames, not read yet."""
        return [line for frame in frames if (line := self._line(frame)) is not None]

    def take(self, batch: SessionBatch, now: float, clock: float) -> Records | None:
        """The sessions of these records, if any. `now` is epoch seconds, `clock` only goes
        forward.
        """
        new = self._new(batch.numbers, now)
        kept = [*map(and_, new, batch.is_session)]
        # A malformed record whose number came before is counted as a duplicate.
        self._malformed += sum(new) - sum(kept)
        n = sum(kept)
        self._received += n
        self._rate.add(n, clock)
        if not n:
            return None
        sessions = batch.fields.where(kept).with_column("source", [self._url] * n, pa.string())
        if self._one_of_several:
            nodes = sessions.values("node")
            names = [self._url if node is None else f"{self._url} {node}" for node in nodes]
            sessions = sessions.with_column("sensor", names, pa.string())
        times = zip(sessions.values("ts"), sessions.values("duration"), strict=True)
        self._lag = now - max(ts + (duration or 0.0) for ts, duration in times)
        return sessions

    def count_malformed(self, n: int) -> None:
        """Counts records that could not be read."""
        self._malformed += n

    def gaps_since(self) -> list[Gap]:
        """Gaps since this was last asked."""
        gaps, self._new_gaps = self._new_gaps, []
        return gaps

    def numberings(self) -> list[Numbering]:
        return list(self._numberings.values())

    def resume(self, numbering: Numbering) -> None:
        """Goes on with a node's numbers where an earlier run stopped."""
        self._numberings[numbering.node] = numbering
        self._share_memory()

    def state(self, clock: float) -> SensorState:
        """All but what only the connection knows."""
        nodes = tuple(numbering.state() for numbering in self._numberings.values())
        return SensorState(
            url=self._url,
            connected=False,
            since=None,
            error=self.complaint,
            connections=0,
            received=self._received,
            rate=self._rate.value(clock),
            lag=self._lag,
            lost=sum(node.lost for node in nodes),
            duplicates=sum(node.duplicates for node in nodes),
            restarts=sum(node.restarts for node in nodes),
            malformed=self._malformed,
            discarded=0,
            nodes=nodes,
            gaps=tuple(self._gaps),
        )

    def _line(self, frame: bytes) -> str | None:
        try:
            message = read_frame(frame)
        except MalformedError:
            self._malformed += 1
            return None
        if isinstance(message, Complaint):
            self.complaint = message.text
            return None
        return message.line if message.topic == SESSIONS_TOPIC else None

    def _new(self, records: Records, now: float) -> list[bool]:
        """Which records are none that came before. One without a number is taken for new."""
        new = [True] * len(records)
        columns = [records.values(name) for name in ("number", "uid", "started")]
        for node, places in _by_node(records.values("node"), columns[0]).items():
            numbering = self._numbering(node)
            if numbering is None:
                continue
            numbers, uids, started = ([column[place] for place in places] for column in columns)
            arrivals, gaps = numbering.take_all(numbers, uids, started, now)
            self._gaps.extend(gaps)
            self._new_gaps.extend(gaps)
            for place, arrival in zip(places, arrivals, strict=True):
                new[place] = arrival is Arrival.NEW
        return new

    def _numbering(self, node: str) -> Numbering | None:
        if node not in self._numberings and len(self._numberings) < MAXIMUM_NODES:
            self._numberings[node] = Numbering(node)
            self._share_memory()
        return self._numberings.get(node)

    def _share_memory(self) -> None:
        share = min(REMEMBERED, REMEMBERED_TOGETHER // len(self._numberings))
        for numbering in self._numberings.values():
            numbering.remembered = share


def _by_node(
    nodes: Sequence[str | None], numbers: Sequence[int | None]
) -> Mapping[str, Sequence[int]]:
    """The places of the records that each node numbered."""
    places: dict[str, list[int]] = {}
    for place, (node, number) in enumerate(zip(nodes, numbers, strict=True)):
        if node is not None and number is not None and number <= GREATEST_NUMBER:
            places.setdefault(node, []).append(place)
    return places


def _bounded(lines: list[bytes]) -> list[bytes]:
    """The first lines, as many as HEAD_BYTES have room for."""
    sizes = itertools.accumulate(map(len, lines))
    return [line for line, size in zip(lines, sizes, strict=True) if size <= HEAD_BYTES]


_UNREADABLE = "the first lines are in no known label format"


class LabelIntake:
    """The labels of one source. `engine` is what figures by engine call it; None: by its format."""

    def __init__(self, name: str, form: str | None, engine: str | None, policy: Policy) -> None:
        self._name = name
        self._form = form
        self._engine = engine
        self._policy = policy
        self._head: list[bytes] = []
        self._header: bytes | None = None
        self._reader: LabelReader | None = None
        self._rate = Rate()
        self._received = 0
        self._other = 0
        self._malformed = 0
        self._error: str | None = None

    def take(
        self, lines: list[bytes], numbers: itertools.count[int], clock: float
    ) -> Records | None:
        """The labels in the lines, numbered on; None without any, or while the format is not
        known.
        """
        if self._reader is None:
            lines = self._head + lines
            self._reader = self._recognise(lines)
            if self._reader is None:
                return None
        if self._header is not None:
            # A new file begins with its header again.
            lines = [line for line in lines if line != self._header]
        if not lines:
            return None
        parts = []
        for part, batch in read_in_parts(self._reader, lines):
            if batch is None:
                self._malformed += len(part)
                continue
            self._other += batch.other
            self._malformed += batch.malformed
            if len(batch.flows):
                parts.append(batch.flows)
        n = sum(map(len, parts))
        self._received += n
        self._rate.add(n, clock)
        if not n:
            return None
        engine = self._engine or self._reader.form.name
        return (
            together(parts)
            .with_column("label_id", [*itertools.islice(numbers, n)], pa.int64())
            .with_column("source", [self._name] * n, pa.string())
            .with_column("engine", [engine] * n, pa.string())
        )

    @property
    def header(self) -> bytes | None:
        """The line that names the columns, in a format that has one."""
        return self._header

    def resume(self, header: bytes) -> None:
        """Goes on in the middle of a file with this header."""
        self._head = [header]

    def state(self, clock: float) -> LabelSourceState:
        """All but what only the stream knows."""
        return LabelSourceState(
            name=self._name,
            connected=False,
            since=None,
            error=self._error,
            format=None if self._reader is None else self._reader.form.name,
            received=self._received,
            other=self._other,
            malformed=self._malformed,
            rate=self._rate.value(clock),
        )

    def _recognise(self, lines: list[bytes]) -> LabelReader | None:
        try:
            reader, self._header = reader_of(self._name, lines, self._form, self._policy)
        except Exception as error:  # lines that nobody thought of must not end live mode
            self._error = str(error) if isinstance(error, UnknownFormatError) else _UNREADABLE
            # The first line may be a header, the latest are as good as any.
            self._head = _bounded([*lines[:1], *lines[1:][-HEAD_LINES:]])
            self._malformed += len(lines) - len(self._head)
            return None
        self._error = None
        self._head = []
        return reader
