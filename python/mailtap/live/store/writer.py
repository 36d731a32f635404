"""The store: sessions, labels and verdicts in a DuckDB file, in batches.

A batch is one transaction, so the file is whole whatever happens to the process or the disk; what a
killed process had not written yet shows as a gap in the nodes' numbers afterwards. Written by a
thread of its own: a slow disk must not hold up verdicts.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb
import pyarrow as pa

from mailtap.live.batches.records import Records, together
from mailtap.live.batches.sessions import ARROW_TYPES
from mailtap.live.core.rows import REPLACED, Restored, Rows
from mailtap.live.labels.streams import Position
from mailtap.live.state import Record, Search, StoreState
from mailtap.live.store.listing import LISTINGS
from mailtap.live.store.recent import RecentFiles
from mailtap.live.store.redaction import hidden_columns
from mailtap.live.store.restore import position, restore
from mailtap.live.store.schema import TABLES, StoreError, error_line, open_store
from mailtap.printable import printable

#: Seconds between batches. A transaction takes some 30 ms however few its rows are, so fewer
#: records than `MANY` wait longer.
INTERVAL = 1.0
INTERVAL_OF_FEW = 5.0
MANY = 5_000

#: Seconds before a batch that could not be written is tried again.
RETRY = 5.0

#: Records and bytes that may wait for a disk that is full or slow. Beyond that the oldest records
#: are discarded; the figures that they changed are kept.
MAXIMUM_WAITING = 2_000_000
MAXIMUM_BYTES = 512 << 20


class Store:
    def __init__(self, path: Path, redact: Collection[str]) -> None:
        """Opens the file, or makes it. Raises StoreError."""
        self._path = path
        self._named = printable(str(path))
        self._hidden = hidden_columns(redact)
        self._recent = RecentFiles(path)
        self._connection: duckdb.DuckDBPyConnection | None = open_store(path)
        self._waiting: deque[Rows] = deque()
        self._figures = Rows()  # of the batches that were discarded
        self._records = self._bytes = 0  # that wait, or are being written
        self._discarded = 0
        self._error: str | None = None
        self._writing = False
        self._condition = threading.Condition()
        self._closing = False
        self._stored = int(self._connection.sql("SELECT count(*) FROM sessions").fetchall()[0][0])
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, rows: Rows) -> None:
        """Has the rows written with the next batch. Never waits."""
        with self._condition:
            self._waiting.append(rows)
            self._count(rows, 1)
            # What is being written is the oldest, and may come back.
            self._discard_oldest(2 if self._writing else 1)

    def close(self) -> str | None:
        """Writes what waits, once; what went wrong with it, if anything did."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        if self._thread.ident is not None:
            self._thread.join()
        if self._connection is not None:
            self._connection.close()
        self._recent.close()
        return self._error

    def state(self) -> StoreState:
        return StoreState(self._named, self._stored, self._error, self._discarded)

    def restore(self, first_bucket: int) -> Restored:
        """See mailtap.live.store.restore."""
        return restore(self._opened(), self._recent, first_bucket)

    def position(self, name: str) -> Position | None:
        """How far an earlier run read the label file of this name."""
        return position(self._opened(), name)

    def listed(self, what: str, search: Search, most: int) -> list[Record]:
        """At most so many `sessions` or `labels`, in any thread. Raises StoreError."""
        try:
            with self._opened().cursor() as cursor:
                return list(itertools.islice(LISTINGS[what](cursor, search), most))
        except duckdb.Error as error:
            raise StoreError(f"{self._named}: {error_line(error)}") from None

    def _run(self) -> None:
        wait, written = INTERVAL, -INTERVAL_OF_FEW
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closing, wait)
                if not self._is_due(written):
                    continue
                taken, figures = list(self._waiting), self._figures
                self._waiting.clear()
                self._figures = Rows()
                self._writing = True
            try:
                self._write(figures, *taken)
                wait = INTERVAL
                if taken:
                    written = time.monotonic()
            except Exception as error:  # whatever it is, the records are kept for another try
                wait = RETRY
                self._fail(taken, figures, error)
            if self._closing:
                return

    def _is_due(self, written: float) -> bool:
        """Whether what waits is to be written, by the time of the last batch."""
        waited = time.monotonic() - written
        return self._closing or self._records >= MANY or waited >= INTERVAL_OF_FEW

    def _write(self, *batches: Rows) -> None:
        if self._connection is None:
            self._connection = open_store(self._path)
        rows = Rows()
        for batch in batches:
            rows.append(batch)
        self._recent.expire()
        if rows.tables:
            self._connection.begin()
            for name, several in rows.tables.items():
                self._insert(self._connection, name, _table(name, several))
            self._connection.commit()
        with self._condition:
            self._error, self._writing = None, False
            for batch in batches[1:]:
                self._count(batch, -1)
            self._stored += sum(map(len, rows.tables.get("sessions", ())))

    def _insert(self, connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
        if name in REPLACED:
            connection.execute(f"DELETE FROM {name}").fetchall()
        hidden = self._hidden.get(name, frozenset()) & set(rows.column_names)
        self._recent.add(name, rows, hidden)
        added = rows.drop_columns(list(hidden)) if hidden else rows
        if "redacted" in TABLES[name]:
            added = added.append_column("redacted", pa.array([bool(hidden)] * len(rows)))
        connection.register("added", added)
        connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM added").fetchall()
        connection.unregister("added")

    def _fail(self, taken: Sequence[Rows], figures: Rows, error: Exception) -> None:
        """Keeps what was to be written, to be tried again on a new connection: an error may have
        broken this one.
        """
        if self._connection is not None:
            with suppress(duckdb.Error):
                self._connection.close()
            self._connection = None
        self._recent.begin_anew()
        with self._condition:
            self._error = str(error) if isinstance(error, StoreError) else error_line(error)
            self._waiting.extendleft(reversed(taken))
            figures.append(self._figures)
            self._figures = figures
            self._writing = False
            self._discard_oldest(1)

    def _discard_oldest(self, times: int) -> None:
        """Discards what is more than so many times the limit."""
        records, size = times * MAXIMUM_WAITING, times * MAXIMUM_BYTES
        while self._waiting and (self._records > records or self._bytes > size):
            oldest = self._waiting.popleft()
            self._count(oldest, -1)
            self._discarded += oldest.records
            self._figures.append(oldest)
            self._figures = self._figures.figures()

    def _count(self, rows: Rows, sign: int) -> None:
        self._records += sign * rows.records
        self._bytes += sign * rows.size

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise StoreError(f"{self._named}: is not open")
        return self._connection


def _table(name: str, several: Sequence[Records]) -> pa.Table:
    """What is added to a table of the store, in the columns that it has."""
    columns = {c: ARROW_TYPES[kind] for c, kind in TABLES[name].items() if c in several[0].names}
    schema = pa.schema(columns)
    return together(several, schema).table(schema)
