"""The store: sessions, labels and verdicts in a DuckDB file, in batches.

A batch is one transaction, so the file is whole whatever happens to the process or the disk; what a
killed process had not written yet shows as a gap in the nodes' numbers afterwards. Written by a
thread of its own: a slow disk must not hold up verdicts.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection
from pathlib import Path

import duckdb
import pyarrow as pa

from mailtap.live.core.rows import REPLACED, Restored, Rows
from mailtap.live.labels.streams import Position
from mailtap.live.state import StoreState
from mailtap.live.store.restore import position, restore
from mailtap.live.store.schema import (
    REDACTED_TABLES,
    TABLES,
    StoreError,
    error_line,
    open_store,
)
from mailtap.printable import printable
from mailtap.sessions.redaction import redacted_columns

#: Seconds between batches, and before a batch that could not be written is tried again.
INTERVAL = 1.0
RETRY = 5.0

#: Rows that may wait for a disk that is full or slow.
MAXIMUM_WAITING = 2_000_000


class Store:
    def __init__(self, path: Path, redact: Collection[str]) -> None:
        """Opens the file, or makes it. Raises StoreError."""
        self._path = path
        self._named = printable(str(path))
        self._redacted = redacted_columns(redact)
        self._connection: duckdb.DuckDBPyConnection | None = open_store(path)
        self._waiting: deque[Rows] = deque()
        self._records = 0
        self._discarded = 0
        self._error: str | None = None
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
        """See mailtap.live.store.restore."""
        return restore(self._opened(), first_bucket)

    def position(self, name: str) -> Position | None:
        """How far an earlier run read the label file of this name."""
        return position(self._opened(), name)

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
            self._connection = open_store(self._path)
        if rows.tables:
            self._connection.begin()
            for name, tables in rows.tables.items():
                if name in REPLACED:
                    self._connection.execute(f"DELETE FROM {name}").fetchall()
                columns = [row.partition(" ")[0].strip('"') for row in TABLES[name].split(", ")]
                redacted = self._redacted if name in REDACTED_TABLES else ()
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
            self._error = str(error) if isinstance(error, StoreError) else error_line(error)
            self._waiting.appendleft(rows)

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise StoreError(f"{self._named}: is not open")
        return self._connection
