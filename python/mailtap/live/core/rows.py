"""What the store is given, and what it gives back: rows by table, and what an earlier run left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from mailtap.correlation.clock import ClockOffset
from mailtap.live.batches.records import Listed, Records
from mailtap.live.core.servers import ServerCell
from mailtap.live.core.tally import Cell
from mailtap.live.labels.streams import Position
from mailtap.live.sensors.numbering import Numbering
from mailtap.live.state import Gap

#: Tables that the rows replace, instead of being added.
REPLACED = {"nodes", "positions", "counts", "clocks"}

#: Tables with a row each record. The others have figures, which stay right without them.
RECORDS = {"sessions", "labels", "judgements", "judgements_by_engine"}

_NODE = ("node", "expected", "started", "received", "lost", "duplicates", "restarts", "latest")
_CLOCK = ("sensor", "source", "pairs", "offset", "spread", "applied")
_GAP = ("node", "after", "before", "missed")
_POSITION = ("device", "inode", "offset", "beginning")
_CELL = tuple(Cell.__dataclass_fields__)
_SERVER_CELL = tuple(ServerCell.__dataclass_fields__)
_BY_ENGINE = ("engine", "verdict", "n")

#: The columns by which tables of changes are summed up.
_SUMMED = {
    "tally": (*_CELL, "bucket"),
    "servers": _SERVER_CELL,
    "tally_by_engine": _BY_ENGINE[:-1],
}


@dataclass
class Rows:
    """What a transaction adds, by table."""

    tables: dict[str, list[Records]] = field(default_factory=dict)
    size: int = 0  # bytes in memory, about

    def add(self, table: str, rows: Records | None) -> None:
        if rows is None:
            return
        if table in REPLACED:
            self.tables[table] = [rows]
        elif len(rows):
            self.tables.setdefault(table, []).append(rows)
            self.size += rows.nbytes

    def append(self, other: Rows) -> None:
        for table, several in other.tables.items():
            if table in REPLACED:
                self.tables[table] = several
            else:
                self.tables.setdefault(table, []).extend(several)
        self.size += other.size

    def figures(self) -> Rows:
        """All but the records, the changes of counts summed up."""
        figures = Rows()
        for name, several in self.tables.items():
            if name in _SUMMED:
                figures.add(name, _summed(_SUMMED[name], several))
            elif name not in RECORDS:
                for rows in several:
                    figures.add(name, rows)
        return figures

    @property
    def records(self) -> int:
        return sum(
            len(rows) for name in ("sessions", "labels") for rows in self.tables.get(name, ())
        )


def _summed(names: Sequence[str], several: Sequence[Records]) -> Listed:
    """The sum of `n` by the columns of these names."""
    sums: Counter[tuple[object, ...]] = Counter()
    for rows in several:
        for *key, n in zip(*map(rows.values, (*names, "n")), strict=True):
            sums[tuple(key)] += n
    columns = zip(*((*key, n) for key, n in sums.items()), strict=True)
    return Listed(dict(zip((*names, "n"), columns, strict=True)))


@dataclass
class Counts:
    """Sessions and labels that came, and those that waited in vain."""

    sessions: int = 0
    labels: int = 0
    unlabelled: int = 0
    unmatched: int = 0


@dataclass(frozen=True)
class Restored:
    """What an earlier run left: counts, records that may still meet, nodes' numbers by URL, and
    the clock offsets that were applied.
    """

    counts: Counts
    next_session: int
    next_label: int
    tally: pa.Table
    servers: pa.Table
    tally_by_engine: pa.Table
    window: tuple[pa.Table, pa.Table, pa.Table, pa.Table]  # sessions, labels, judgements, by engine
    clocks: tuple[ClockOffset, ...]
    nodes: dict[str, list[Numbering]]
    headers: dict[str, bytes]  # of label files


def gap_rows(gaps: Sequence[tuple[str, Gap]]) -> Listed:
    """Gaps with the URL of their sensor."""
    return _of_objects(_GAP, [gap for _, gap in gaps], url=[url for url, _ in gaps])


def node_rows(nodes: Sequence[tuple[str, Numbering]]) -> Listed | None:
    """The numbers of nodes with the URL of their sensor, once there are any."""
    if not nodes:
        return None
    return _of_objects(_NODE, [node for _, node in nodes], url=[url for url, _ in nodes])


def tally_rows(cells: Sequence[tuple[Cell, int, int]]) -> Listed:
    """Cells with their bucket and difference."""
    buckets, differences = ([row[n] for row in cells] for n in (1, 2))
    return _of_objects(_CELL, [cell for cell, _, _ in cells], bucket=buckets, n=differences)


def server_rows(cells: Sequence[tuple[ServerCell, int]]) -> Listed:
    """Cells of servers with their difference."""
    return _of_objects(_SERVER_CELL, [cell for cell, _ in cells], n=[n for _, n in cells])


def engine_rows(changes: Sequence[tuple[str, str, int]]) -> Listed:
    """Label engines and verdicts with their difference."""
    return Listed({name: [row[n] for row in changes] for n, name in enumerate(_BY_ENGINE)})


def count_rows(counts: Counts) -> Listed:
    return Listed({name: [n] for name, n in vars(counts).items()})


def clock_rows(clocks: Sequence[ClockOffset]) -> Listed:
    """The offsets that are applied, which may be none."""
    return _of_objects(_CLOCK, clocks)


def position_rows(
    positions: Mapping[str, Position], headers: Mapping[str, bytes | None]
) -> Listed | None:
    """How far each label file was read, and the header line that names its columns; None before
    that is known.
    """
    if not positions:
        return None
    return _of_objects(
        _POSITION,
        [*positions.values()],
        name=[*positions],
        header=[headers.get(name) for name in positions],
    )


def _of_objects(
    names: Sequence[str], objects: Sequence[object], **others: Sequence[object]
) -> Listed:
    """These attributes of objects, and other columns."""
    return Listed({name: [getattr(one, name) for one in objects] for name in names} | others)
