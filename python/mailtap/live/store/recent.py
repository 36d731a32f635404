"""The columns of the latest records that the policy hides, in files beside the store.

A run that goes on with a store judges recent sessions again when their label arrives or changes,
and needs for that the columns that the policy keeps out of the store. Files in Arrow's streaming
format hold them for the last ten to twenty minutes: `STORE.recent-TABLE-TIME`, readable by their
owner only and deleted when they are older. TIME is when the file was begun, in nanoseconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

#: Nanoseconds that a file is added to, and after which it is deleted.
ADDED_TO = 600 * 10**9
KEPT = 2 * ADDED_TO

#: The columns that identify a record of a table. A session may have several judgements.
KEYS = {
    "sessions": ("session_id",),
    "labels": ("label_id",),
    "judgements": ("session_id", "label_id", "verdict", "causes"),
}


class RecentFiles:
    def __init__(self, store: Path) -> None:
        self._store = store
        self._begun = 0
        self._writers: dict[str, tuple[pa.OSFile, pa.RecordBatchStreamWriter]] = {}

    def add(self, table: str, rows: pa.Table, hidden: Collection[str]) -> None:
        """Adds the hidden columns of rows. Raises OSError."""
        columns = sorted(set(hidden) & set(rows.column_names))
        if not columns:
            return
        rows = rows.select([*KEYS[table], *columns])
        if table not in self._writers:
            path = Path(f"{self._store}.recent-{table}-{self._begun}")
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            file = pa.OSFile(str(path), "wb")
            self._writers[table] = file, pa.ipc.new_stream(file, rows.schema)
        self._writers[table][1].write_table(rows)

    def expire(self) -> None:
        """Begins new files in time, and deletes those that are too old."""
        now = time.time_ns()
        if not 0 <= now - self._begun < ADDED_TO:
            self.begin_anew()
        for path, begun in self._files():
            if not 0 <= now - begun < KEPT:
                path.unlink(missing_ok=True)

    def begin_anew(self) -> None:
        """Leaves the files as they are: after a write that failed nothing behind it can be read."""
        for file, _ in self._writers.values():
            with suppress(OSError):
                file.close()
        self._writers.clear()
        self._begun = time.time_ns()

    def next_number(self, table: str) -> int:
        """A number that no record of the files has, not even one that never got into the store."""
        rows = self.read(table)
        return 0 if rows is None else (pc.max(rows[KEYS[table][0]]).as_py() or 0) + 1

    def read(self, table: str) -> pa.Table | None:
        """What there is of a table, each record once as it was added last."""
        parts = []
        for path, _ in self._files():
            if f".recent-{table}-" not in path.name:
                continue
            try:
                with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
                    parts.extend(_until_its_end(stream))
            except (OSError, pa.ArrowInvalid):
                continue  # nothing whole was written
        if not parts:
            return None
        rows = pa.concat_tables(parts, promote_options="default")
        rows = rows.append_column("place", pa.array(range(len(rows))))
        latest = rows.group_by([*KEYS[table]]).aggregate([("place", "max")])["place_max"]
        return rows.take(latest).drop_columns("place")

    def close(self) -> None:
        for file, writer in self._writers.values():
            writer.close()
            file.close()
        self._writers.clear()

    def _files(self) -> list[tuple[Path, int]]:
        """The files and when each was begun, the oldest first."""
        prefix = f"{self._store.name}.recent-"
        found = [
            (path, int(begun))
            for path in self._store.parent.iterdir()
            if path.name.startswith(prefix) and (begun := path.name.rpartition("-")[2]).isdecimal()
        ]
        return sorted(found, key=lambda one: one[1])


def _until_its_end(stream: pa.RecordBatchStreamReader) -> list[pa.Table]:
    """The batches of a stream, as far as it is whole: its writer may have been killed."""
    batches = []
    try:
        for batch in stream:
            batches.append(pa.Table.from_batches([batch]))
    except (OSError, pa.ArrowInvalid):
        pass
    return batches
