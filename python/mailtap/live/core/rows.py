"""What the store is given, and what it gives back: rows by table, and what an earlier run left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from mailtap.correlation.clock import ClockOffset
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
_CELL = {
    **dict.fromkeys(("sensor", "decode_as", "app", "label_provenance", "verdict"), pa.string()),
    "causes": pa.int64(),
    "funnel_step": pa.string(),
    "funnel_loss": pa.string(),
}
_SERVER_CELL = {
    "server_group": pa.int64(),
    "verdict": pa.string(),
    "unexplained": pa.bool_(),
    "both_decoded": pa.bool_(),
}
_VERDICT_BY_ENGINE = ("engine", "verdict")

#: The columns by which tables of changes are summed up.
_SUMMED = {
    "tally": (*_CELL, "bucket"),
    "servers": (*_SERVER_CELL,),
    "tally_by_engine": _VERDICT_BY_ENGINE,
}


@dataclass
class Rows:
    """What a transaction adds, by table."""

    tables: dict[str, list[pa.Table]] = field(default_factory=dict)

    def add(self, table: str, rows: pa.Table | None) -> None:
        if rows is None:
            return
        if table in REPLACED:
            self.tables[table] = [rows]
        elif len(rows):
            self.tables.setdefault(table, []).append(rows)

    def append(self, other: Rows) -> None:
        for table, several in other.tables.items():
            for rows in several:
                self.add(table, rows)

    def figures(self) -> Rows:
        """All but the records, the changes of counts summed up."""
        figures = Rows({name: rows for name, rows in self.tables.items() if name not in RECORDS})
        for name, columns in _SUMMED.items():
            if changes := figures.tables.get(name):
                summed = pa.concat_tables(changes).group_by([*columns]).aggregate([("n", "sum")])
                figures.tables[name] = [summed.rename_columns([*columns, "n"])]
        return figures

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return sum(rows.nbytes for several in self.tables.values() for rows in several)

    @property
    def records(self) -> int:
        return sum(
            len(rows) for name in ("sessions", "labels") for rows in self.tables.get(name, ())
        )


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


def gap_rows(gaps: Sequence[tuple[str, Gap]]) -> pa.Table | None:
    """Gaps with the URL of their sensor."""
    if not gaps:
        return None
    return pa.table(
        {
            "url": [url for url, _ in gaps],
            "node": [gap.node for _, gap in gaps],
            "after": [gap.after for _, gap in gaps],
            "before": [gap.before for _, gap in gaps],
            "missed": [gap.missed for _, gap in gaps],
        }
    )


def node_rows(nodes: Sequence[tuple[str, Numbering]]) -> pa.Table | None:
    """The numbers of nodes with the URL of their sensor."""
    if not nodes:
        return None
    columns = {name: [getattr(numbering, name) for _, numbering in nodes] for name in _NODE}
    started = pa.array(columns.pop("started"), pa.float64())
    return pa.table({"url": [url for url, _ in nodes], **columns, "started": started})


def tally_rows(cells: Sequence[tuple[Cell, int, int]]) -> pa.Table | None:
    """Cells with their bucket and difference."""
    if not cells:
        return None
    columns = {
        name: pa.array([getattr(cell, name) for cell, _, _ in cells], kind)
        for name, kind in _CELL.items()
    }
    buckets, differences = ([row[n] for row in cells] for n in (1, 2))
    return pa.table({**columns, "bucket": buckets, "n": differences})


def server_rows(cells: Sequence[tuple[ServerCell, int]]) -> pa.Table | None:
    """Cells of servers with their difference."""
    if not cells:
        return None
    columns = {
        name: pa.array([getattr(cell, name) for cell, _ in cells], kind)
        for name, kind in _SERVER_CELL.items()
    }
    return pa.table({**columns, "n": [n for _, n in cells]})


def engine_rows(changes: Sequence[tuple[str, str, int]]) -> pa.Table | None:
    """Label engines and verdicts with their difference."""
    if not changes:
        return None
    engines, verdicts, differences = zip(*changes, strict=True)
    return pa.table(
        {
            "engine": pa.array(engines, pa.string()),
            "verdict": pa.array(verdicts, pa.string()),
            "n": pa.array(differences, pa.int64()),
        }
    )


def count_rows(counts: Counts) -> pa.Table:
    return pa.table({name: [n] for name, n in vars(counts).items()})


def clock_rows(clocks: Sequence[ClockOffset]) -> pa.Table:
    """The offsets that are applied, which may be none."""
    types = (pa.string(), pa.string(), pa.int64(), pa.float64(), pa.float64(), pa.bool_())
    return pa.table(
        {
            name: pa.array([getattr(clock, name) for clock in clocks], kind)
            for name, kind in zip(_CLOCK, types, strict=True)
        }
    )


def position_rows(
    positions: Mapping[str, Position], headers: Mapping[str, bytes | None]
) -> pa.Table | None:
    """How far each label file was read, and the header line that names its columns."""
    if not positions:
        return None
    return pa.table(
        {
            "name": list(positions),
            "device": [position.device for position in positions.values()],
            "inode": [position.inode for position in positions.values()],
            "offset": [position.offset for position in positions.values()],
            "beginning": pa.array([p.beginning for p in positions.values()], pa.binary()),
            "header": pa.array([headers.get(name) for name in positions], pa.binary()),
        }
    )
