"""What executors do: records as they come, through a file, into rows of a table.

A task writes its part of the input to a file on its own disk and loads it as a single machine does,
with DuckDB. So the reading is the same, and what it finds malformed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from mailtap.errors import MailTapError, first_line
from mailtap.records.database import open_database
from mailtap.records.malformed import Malformed, forget_rejects
from mailtap.records.record_file import RecordFile, open_file, read

#: Of a task, which spills to its disk beyond.
MEMORY_LIMIT = "1GiB"

#: The column that says what a task made of its input, in a row of its own; NULL in all others.
TALLY = "tally"

Batches = Iterable[pa.RecordBatch]


class Loader(Protocol):
    """How the records of one kind of file become rows of a table."""

    def stage(self, connection: duckdb.DuckDBPyConnection, file: RecordFile) -> Malformed:
        """Loads a file's records."""

    def rows(self, connection: duckdb.DuckDBPyConnection) -> str:
        """SQL of what was loaded, as rows of the table."""


@dataclass(frozen=True)
class Tally:
    """What a task made of a file, or of the part of one that begins at `offset`."""

    named: str
    unit: str
    offset: int = 0
    lines: int = 0
    malformed: int = 0
    first: int = 0  # the number of the first malformed line of the part
    damage: str | None = None
    error: str | None = None


def load_lines(
    file: RecordFile, header: tuple[str, ...], loader: Loader, schema: pa.Schema
) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """What a task does with lines of a file: columns `value` and `offset`, where the part begins.

    `header` are the lines at the file's beginning that say how all others are read.
    """

    def task(batches: Batches) -> Iterator[pa.RecordBatch]:
        with TemporaryDirectory(prefix="mailtap-") as folder:
            path = Path(folder) / "lines"
            lines = offset = 0
            with path.open("wb") as out:
                for batch in batches:
                    if not lines and batch.num_rows:
                        offset = batch.column("offset")[0].as_py()
                        if offset:
                            out.writelines(f"{line}\n".encode() for line in header)
                    _write_lines(out, batch.column("value"))
                    lines += batch.num_rows
            if not lines:
                return
            before = len(header) if offset else 0
            part = replace(file, path=path, compression="uncompressed")
            yield from _loaded(part, loader, schema, offset, lines, before)

    return task


def load_whole(
    loaders: dict[str, tuple[RecordFile, Loader]], schema: pa.Schema
) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """What a task does with whole files: columns `path` and `content`."""

    def task(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for url, content in zip(batch.column("path"), batch.column("content"), strict=True):
                file, loader = loaders[url.as_py()]
                with TemporaryDirectory(prefix="mailtap-") as folder:
                    path = Path(folder) / "content"
                    path.write_bytes(content.as_buffer())
                    whole = replace(file, path=path)
                    yield from _loaded(whole, loader, schema, 0, 0, 0)

    return task


def load_columns(
    file: RecordFile, names: Sequence[str], loader: Loader, schema: pa.Schema
) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """What a task does with rows of a Parquet file, whose columns have these names."""

    def task(batches: Batches) -> Iterator[pa.RecordBatch]:
        with TemporaryDirectory(prefix="mailtap-") as folder:
            path = Path(folder) / "rows.parquet"
            writer = None
            for unnamed in batches:
                batch = unnamed.rename_columns(names)
                writer = writer or parquet.ParquetWriter(path, batch.schema)
                writer.write_batch(batch)
            if writer is not None:
                writer.close()
                yield from _loaded(replace(file, path=path), loader, schema, 0, 0, 0)

    return task


def query(sql: str, schema: pa.Schema) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """What a task does with rows that SQL of DuckDB reads as table `input`."""

    def task(batches: Batches) -> Iterator[pa.RecordBatch]:
        given = iter(batches)
        first = next(given, None)
        if first is None:
            return

        def all_batches() -> Iterator[pa.RecordBatch]:
            yield first
            yield from given

        with open_database(MEMORY_LIMIT) as connection:
            reader = pa.RecordBatchReader.from_batches(first.schema, all_batches())
            connection.register("input", reader)
            yield from _result(connection, sql, schema)

    return task


def _write_lines(out: IO[bytes], values: Any) -> None:
    *_, data = pc.binary_join_element_wise(values, b"\n", b"").buffers()
    if data is not None:
        out.write(data)


def _loaded(
    file: RecordFile, loader: Loader, schema: pa.Schema, offset: int, lines: int, before: int
) -> Iterator[pa.RecordBatch]:
    """The rows of a file, and its tally. `before` lines of it are no part of the input."""
    tally = Tally(file.named, file.unit, offset, lines)
    with open_database(MEMORY_LIMIT) as connection, TemporaryDirectory() as scratch:
        connection.execute("SET threads = 1")
        try:
            if file.compression != "uncompressed":
                opened = open_file(connection, file.path)
                file = replace(file, compression=opened.compression, damage=opened.damage)
            file, malformed = read(
                file,
                Path(scratch),
                lambda whole: loader.stage(connection, whole),
                lambda: forget_rejects(connection),
            )
            sql = loader.rows(connection)
        except MailTapError as error:
            tally = replace(tally, error=_of_input(str(error), file))
        else:
            yield from _result(connection, sql, schema)
            first = malformed.first_line - before if malformed.count else 0
            tally = replace(tally, malformed=malformed.count, first=first, damage=file.damage)
    yield _tally_batch(tally, schema)


def _of_input(message: str, file: RecordFile) -> str:
    """A message about the task's own file, about the one that the user knows."""
    return message.replace(str(file.path), file.named)


def _result(
    connection: duckdb.DuckDBPyConnection, sql: str, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    try:
        reader = connection.sql(sql).to_arrow_reader(10_000)
    except duckdb.Error as error:
        raise RuntimeError(first_line(error)) from None
    for batch in reader:
        yield from pa.Table.from_batches([batch]).cast(schema).to_batches()


def _tally_batch(tally: Tally, schema: pa.Schema) -> pa.RecordBatch:
    text = json.dumps(asdict(tally))
    columns = [pa.array([text if field.name == TALLY else None], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
