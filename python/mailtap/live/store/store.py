"""The store: sessions, labels and verdicts in a DuckDB file, in batches.

A batch is one transaction, so the file is whole whatever happens to the process or the disk; what a
killed process had not written yet shows as a gap in the nodes' numbers afterwards. Written by a
thread of its own: a slow disk must not hold up verdicts.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from mailtap.labels.table import COLUMNS as LABEL_COLUMNS
from mailtap.live.core.tally import Cell
from mailtap.live.labels.streams import Position
from mailtap.live.sensors.numbering import Numbering
from mailtap.live.state import Gap, StoreState
from mailtap.printable import printable
from mailtap.sessions.redaction import redacted_columns
from mailtap.sessions.schema import columns as session_columns

#: Seconds between batches, and before a batch that could not be written is tried again.
INTERVAL = 1.0
RETRY = 5.0

#: Rows that may wait for a disk that is full or slow.
MAXIMUM_WAITING = 2_000_000

#: What is written goes to the log beside the file first. Every so much of it is taken over into the
#: file, which costs the same for little as for much.
LOG = "128MB"

#: Verdicts are only added, the latest of a session counts. The tally is the sum of its rows.
_TABLES = {
    "sessions": ", ".join(f"{name} {kind}" for name, kind in session_columns(details=False).items())
    + ", bucket BIGINT",
    "labels": ", ".join(f'"{name}" {kind}' for name, kind in LABEL_COLUMNS.items())
    + ", rank INTEGER, moment DOUBLE, bucket BIGINT",
    "judgements": "session_id BIGINT, app VARCHAR, label_provenance VARCHAR, verdict VARCHAR, "
    "causes BIGINT, cause VARCHAR, sensor VARCHAR, decode_as VARCHAR",
    "tally": "sensor VARCHAR, decode_as VARCHAR, app VARCHAR, label_provenance VARCHAR, "
    "verdict VARCHAR, causes BIGINT, bucket BIGINT, n BIGINT",
    "waited": "unlabelled BIGINT, unmatched BIGINT",
    "gaps": "url VARCHAR, node VARCHAR, after DOUBLE, before DOUBLE, missed BIGINT",
    "positions": 'name VARCHAR, device BIGINT, inode BIGINT, "offset" BIGINT, header BLOB',
    "nodes": "url VARCHAR, node VARCHAR, expected BIGINT, started DOUBLE, received BIGINT, "
    "lost BIGINT, duplicates BIGINT, restarts BIGINT, latest DOUBLE",
}
_REPLACED = {"nodes", "positions"}
_REDACTED = {"sessions", "judgements"}
_NODE = ("node", "expected", "started", "received", "lost", "duplicates", "restarts", "latest")
_CELL = {
    **dict.fromkeys(("sensor", "decode_as", "app", "label_provenance", "verdict"), pa.string()),
    "causes": pa.int64(),
}


class StoreError(Exception):
    """A store that can't be used; one line that names it."""


@dataclass
class Rows:
    """What a transaction adds, by table."""

    tables: dict[str, list[pa.Table]] = field(default_factory=dict)

    def add(self, table: str, rows: pa.Table | None) -> None:
        if rows is None or not len(rows):
            return
        if table in _REPLACED:
            self.tables[table] = [rows]
        else:
            self.tables.setdefault(table, []).append(rows)

    def append(self, other: Rows) -> None:
        for table, several in other.tables.items():
            for rows in several:
                self.add(table, rows)

    @property
    def records(self) -> int:
        return sum(
            len(rows) for name in ("sessions", "labels") for rows in self.tables.get(name, ())
        )


@dataclass(frozen=True)
class Restored:
    """What an earlier run left: counts, records that may still meet, nodes' numbers by URL."""

    sessions: int
    labels: int
    unlabelled: int
    unmatched: int
    next_session: int
    next_label: int
    tally: pa.Table
    window: tuple[pa.Table, pa.Table, pa.Table]  # sessions, labels, judgements
    nodes: dict[str, list[Numbering]]
    headers: dict[str, bytes]  # of label files


class Store:
    def __init__(self, path: Path, redact: Collection[str]) -> None:
        """Opens the file, or makes it. Raises StoreError."""
        self._path = path
        self._named = printable(str(path))
        self._redacted = redacted_columns(redact)
        self._connection: duckdb.DuckDBPyConnection | None = self._open()
        self._waiting: deque[Rows] = deque()
        self._records = 0
        self._discarded = 0
        self._error: str | None = None
        self._condition = threading.Condition()
        self._closing = False
        self._stored = self._one("SELECT count(*) FROM sessions")
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, rows: Rows) -> None:
        """Has the rows written with the next batch. Never waits."""
        with self._condition:
            self._waiting.append(rows)
            self._records += rows.records
            while self._records > MAXIMUM_WAITING and len(self._waiting) > 1:
                oldest = self._waiting.popleft()
                self._records -= oldest.records
                self._discarded += oldest.records

    def close(self) -> str | None:
        """Writes what waits, once; what went wrong with it, if anything did."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        if self._thread.ident is not None:
            self._thread.join()
        if self._connection is not None:
            self._connection.close()
        return self._error

    def state(self) -> StoreState:
        return StoreState(self._named, self._stored, self._error, self._discarded)

    def restore(self, first_bucket: int) -> Restored:
        """What the file has; of records only those that came since the bucket began."""
        waited = self._arrow("SELECT sum(unlabelled) AS u, sum(unmatched) AS m FROM waited")
        recent = f"bucket >= {first_bucket}"
        names = "sensor, decode_as, app, label_provenance, verdict, causes, bucket"
        # The latest of each session; it may be that there is no verdict any more.
        judged = (
            f"SELECT * FROM (SELECT j.session_id, j.sensor, j.decode_as, j.app, "
            "j.label_provenance, j.verdict, j.causes, s.bucket FROM judgements j "
            f"JOIN sessions s ON s.session_id = j.session_id WHERE s.{recent} "
            "QUALIFY row_number() OVER (PARTITION BY j.session_id ORDER BY j.rowid DESC) = 1) "
            "WHERE verdict IS NOT NULL"
        )
        return Restored(
            sessions=self._stored,
            labels=self._one("SELECT count(*) FROM labels"),
            unlabelled=waited["u"][0].as_py() or 0,
            unmatched=waited["m"][0].as_py() or 0,
            next_session=self._one("SELECT coalesce(max(session_id) + 1, 0) FROM sessions"),
            next_label=self._one("SELECT coalesce(max(label_id) + 1, 0) FROM labels"),
            tally=self._arrow(f"SELECT {names}, sum(n)::BIGINT AS n FROM tally GROUP BY {names}"),
            window=(
                self._arrow(f"SELECT * FROM sessions WHERE {recent}"),
                self._arrow(f"SELECT * FROM labels WHERE {recent}"),
                self._arrow(judged),
            ),
            nodes=self._nodes(),
            headers={
                row["name"]: row["header"]
                for row in self._arrow("SELECT * FROM positions").to_pylist()
                if row["header"] is not None
            },
        )

    def position(self, name: str) -> Position | None:
        """How far an earlier run read the label file of this name."""
        rows = self._arrow("SELECT * FROM positions").to_pylist()
        return next(
            (Position(r["device"], r["inode"], r["offset"]) for r in rows if r["name"] == name),
            None,
        )

    def _nodes(self) -> dict[str, list[Numbering]]:
        nodes: dict[str, list[Numbering]] = {}
        for row in self._arrow("SELECT * FROM nodes").to_pylist():
            nodes.setdefault(row.pop("url"), []).append(Numbering(**row))
        return nodes

    def _open(self) -> duckdb.DuckDBPyConnection:
        try:
            connection = duckdb.connect(
                str(self._path),
                config={
                    "threads": 1,
                    "autoinstall_known_extensions": False,
                    "checkpoint_threshold": LOG,
                },
            )
            for name, columns in _TABLES.items():
                connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})").fetchall()
                described = connection.execute(f"DESCRIBE {name}").fetchall()
                if ", ".join(f"{row[0]} {row[1]}" for row in described) != columns.replace('"', ""):
                    connection.close()
                    raise StoreError(f"{self._named}: is no store of this version of MailTap")
        except duckdb.Error as error:
            raise StoreError(f"{self._named}: {_line(error)}") from None
        return connection

    def _run(self) -> None:
        wait = INTERVAL
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closing, wait)
                rows = Rows()
                for waiting in self._waiting:
                    rows.append(waiting)
                self._waiting.clear()
            try:
                self._write(rows)
                wait = INTERVAL
            except (duckdb.Error, StoreError) as error:
                wait = RETRY
                self._fail(rows, error)
            if self._closing:
                return

    def _write(self, rows: Rows) -> None:
        if self._connection is None:
            self._connection = self._open()
        if rows.tables:
            self._connection.begin()
            for name, tables in rows.tables.items():
                if name in _REPLACED:
                    self._connection.execute(f"DELETE FROM {name}").fetchall()
                columns = [row.partition(" ")[0].strip('"') for row in _TABLES[name].split(", ")]
                redacted = self._redacted if name in _REDACTED else ()
                names = [
                    column
                    for column in columns
                    if column in tables[0].column_names and column not in redacted
                ]
                added = pa.concat_tables([table.select(names) for table in tables])
                self._connection.register("added", added)
                self._connection.execute(
                    f"INSERT INTO {name} BY NAME SELECT * FROM added"
                ).fetchall()
                self._connection.unregister("added")
            self._connection.commit()
        with self._condition:
            self._error = None
            self._records -= rows.records
            self._stored += sum(map(len, rows.tables.get("sessions", ())))

    def _fail(self, rows: Rows, error: Exception) -> None:
        """Keeps the rows for another try, on a new connection: an error may have broken it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        with self._condition:
            self._error = str(error) if isinstance(error, StoreError) else _line(error)
            self._waiting.appendleft(rows)

    def _one(self, query: str) -> int:
        return int(self._arrow(query)[0][0].as_py())

    def _arrow(self, query: str) -> pa.Table:
        if self._connection is None:
            raise StoreError(f"{self._named}: is not open")
        return self._connection.sql(query).to_arrow_table()


def _line(error: Exception) -> str:
    return printable(str(error).partition("\n")[0])


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


def waited_rows(unlabelled: int, unmatched: int) -> pa.Table | None:
    """Sessions and labels that waited in vain."""
    if not unlabelled and not unmatched:
        return None
    return pa.table({"unlabelled": [unlabelled], "unmatched": [unmatched]})


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
            "header": pa.array([headers.get(name) for name in positions], pa.binary()),
        }
    )
