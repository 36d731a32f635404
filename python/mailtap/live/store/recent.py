"""What a policy hides of the latest records, in files beside the store.

A run that goes on with a store has to judge again what may still meet, and needs for that what the
policy keeps out of the store. Files of Arrow's streaming format have it, of the last ten to twenty
minutes only: `STORE.recent-TABLE-TIME`, for the user alone, deleted when they are older.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa

#: Seconds that a file is added to, and after which it is deleted.
ADDED_TO = 600
KEPT = 2 * ADDED_TO

#: What numbers the records of a table.
NUMBERS = {"sessions": "session_id", "labels": "label_id", "judgements": "session_id"}


class RecentFiles:
    def __init__(self, store: Path) -> None:
        self._store = store
        self._begun = 0.0
        self._writers: dict[str, tuple[pa.OSFile, pa.RecordBatchStreamWriter]] = {}

    def add(self, table: str, rows: pa.Table, hidden: Collection[str]) -> None:
        """Adds the hidden columns of rows. Raises OSError."""
        columns = sorted(set(hidden) & set(rows.column_names))
        if not columns:
            return
        rows = rows.select([NUMBERS[table], *columns])
        if table not in self._writers:
            path = Path(f"{self._store}.recent-{table}-{int(self._begun)}")
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            file = pa.OSFile(str(path), "wb")
            self._writers[table] = file, pa.ipc.new_stream(file, rows.schema)
        self._writers[table][1].write_table(rows)

    def expire(self) -> None:
        """Begins new files in time, and deletes those that are too old."""
        now = time.time()
        if not 0 <= now - self._begun < ADDED_TO:
            self.close()
            self._begun = now
        for path, begun in self._files():
            if not 0 <= now - begun < KEPT:
                path.unlink(missing_ok=True)

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
        number = NUMBERS[table]
        rows = rows.append_column("place", pa.array(range(len(rows))))
        latest = rows.group_by(number).aggregate([("place", "max")])["place_max"]
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
    """The batches of a stream; the process that wrote it may have been killed in the midst."""
    batches = []
    try:
        for batch in stream:
            batches.append(pa.Table.from_batches([batch]))
    except (OSError, pa.ArrowInvalid):
        pass
    return batches
