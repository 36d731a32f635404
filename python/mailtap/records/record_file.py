"""Files of records: lines, plain, gzip or Zstandard, whole or cut off; or Parquet."""

from __future__ import annotations

import glob
import stat
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from mailtap.errors import MailTapError, first_line
from mailtap.printable import printable
from mailtap.records.malformed import REJECT_SCANS, REJECTS, forget_rejects
from mailtap.records.zstandard import is_complete

MAX_LINE_BYTES = 1 << 20
HEAD_BYTES = 1 << 16
HEAD_LINES = 512
CHUNK_BYTES = 1 << 20

#: Of a damaged file: what is whole is read by the query engine, which needs no copy.
MAX_UNPACKED_BYTES = 4 << 30

GZIP_MAGIC = b"\x1f\x8b"
ZSTANDARD_MAGIC = b"\x28\xb5\x2f\xfd"
PARQUET_MAGIC = b"PAR1"
PARQUET_SUFFIX = ".parquet"

# What the query engine raises for a file, not for a query.
UNREADABLE = (duckdb.IOException, duckdb.InvalidInputException)

T = TypeVar("T")


class UnreadableFileError(MailTapError):
    """A file that can't be read at all; the message is one line that names it."""


@dataclass(frozen=True)
class RecordFile:
    """A file of records. `head` is its first lines, `damage` says why only a part of it is there.

    A Parquet file has a `schema`, its columns' names and DuckDB's types, and no lines.
    `strict`: a line with more values than the header has is malformed, and so are mixed line ends,
    which no reader of it survives; else what is too much is passed over.
    """

    path: Path
    named: str
    compression: str
    head: tuple[str, ...]
    damage: str | None = None
    strict: bool = True
    schema: tuple[tuple[str, Any], ...] | None = None

    @property
    def unit(self) -> str:
        """What a malformed part of it is called."""
        return "line" if self.schema is None else "record"


def is_note(name: str) -> bool:
    """Whether a file is a writer's note, as Spark's `_SUCCESS`, and has no records."""
    return name.startswith((".", "_"))


def files_within(folder: Path, suffix: str = "") -> list[Path]:
    """The files of records in a folder and below, such as a folder for each day."""
    return [
        path
        for path in sorted(folder.rglob(f"*{suffix}"))
        if path.is_file() and not is_note(path.name)
    ]


def open_file(connection: duckdb.DuckDBPyConnection, path: Path) -> RecordFile:
    """Look at the beginning of the file at `path`. Raises UnreadableFileError."""
    named = printable(str(path))
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a directory" if path.is_dir() else "not a regular file"
            raise UnreadableFileError(f"{named}: is {kind}")
        with path.open("rb") as stream:
            raw = stream.read(HEAD_BYTES)
        is_parquet = raw.startswith(PARQUET_MAGIC)
        if path.suffix == PARQUET_SUFFIX and not is_parquet:
            raise UnreadableFileError(f"{named}: is not a Parquet file")
        whole = not raw.startswith(ZSTANDARD_MAGIC) or is_complete(path)
    except OSError as error:
        raise UnreadableFileError(f"{named}: {error.strerror}") from None
    file = RecordFile(path.absolute(), named, "uncompressed", ())
    if is_parquet:
        return replace(file, schema=_schema(connection, file))
    if raw.startswith(GZIP_MAGIC):
        try:
            raw = next(_unpacked(path, HEAD_BYTES), b"")
        except zlib.error as error:
            raise UnreadableFileError(f"{named}: not valid gzip: {error}") from None
        file = replace(file, compression="gzip")
    elif raw.startswith(ZSTANDARD_MAGIC):
        file = replace(file, compression="zstd")
        damage = None if whole else "the compressed file is cut off"
        return replace(file, head=_head_by_query(connection, file), damage=damage)
    return replace(file, head=_lines(raw))


def _lines(raw: bytes) -> tuple[str, ...]:
    lines = raw.decode("utf-8-sig", errors="replace").split("\n", HEAD_LINES)
    return tuple(line.rstrip("\r") for line in lines[:HEAD_LINES])


def _head_by_query(connection: duckdb.DuckDBPyConnection, file: RecordFile) -> tuple[str, ...]:
    # One scanner, so that the first lines are the first lines.
    query = f"SELECT line FROM {lines_sql(file, parallel=False)} LIMIT {HEAD_LINES}"
    try:
        rows = connection.execute(query).fetchall()
    except duckdb.Error:
        raise UnreadableFileError(f"{file.named}: not valid Zstandard data") from None
    finally:
        forget_rejects(connection)
    return tuple(str(line or "") for (line,) in rows)


def _schema(connection: duckdb.DuckDBPyConnection, file: RecordFile) -> tuple[tuple[str, Any], ...]:
    try:
        columns = connection.sql(f"FROM {parquet_sql(file)}")
    except duckdb.Error:
        raise UnreadableFileError(
            f"{file.named}: not a valid Parquet file; it is cut off or damaged"
        ) from None
    return tuple(zip(columns.columns, columns.types, strict=True))


def quoted(text: str) -> str:
    """`text` as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _path_sql(file: RecordFile) -> str:
    """A file's name is never taken for a pattern."""
    return quoted(glob.escape(str(file.path)))


def path_option(file: RecordFile) -> str:
    """Which file of lines a scan reads."""
    return f"{_path_sql(file)}, compression = '{file.compression}'"


def parquet_sql(file: RecordFile) -> str:
    """SQL table function with a Parquet file's own columns, and none made of its name."""
    return f"read_parquet({_path_sql(file)}, hive_partitioning = false)"


def scan_options(file: RecordFile) -> str:
    """What every scan of a file says: where it is, and that bad lines are noted and passed over."""
    return (
        f"{path_option(file)}, auto_detect = false, header = false, "
        f"hive_partitioning = false, max_line_size = {MAX_LINE_BYTES}, "
        f"store_rejects = true, rejects_table = '{REJECTS}', rejects_scan = '{REJECT_SCANS}'"
    )


def lines_sql(file: RecordFile, parallel: bool = True) -> str:
    """SQL table function with one row per line, column `line`; NULL for an empty one."""
    return (
        rf"read_csv({scan_options(file)}, strict_mode = false, delim = E'\x01', "
        "quote = '', escape = '', columns = {'line': 'VARCHAR'}, "
        f"parallel = {str(parallel).lower()})"
    )


def read(
    file: RecordFile, scratch: Path, load: Callable[[RecordFile], T], forget: Callable[[], None]
) -> tuple[RecordFile, T]:
    """`load(file)`; less strictly if need be, and of damaged gzip data what can be unpacked.

    `scratch` is a directory for that, `forget` undoes what a failed `load` left. Raises
    UnreadableFileError.
    """
    if file.schema is not None:
        return file, _read_parquet(file, load)
    lenient = replace(file, strict=False)
    attempts: list[Callable[[], RecordFile]] = [lambda: file, lambda: lenient]
    if file.compression == "gzip":
        attempts.append(lambda: _unpack(lenient, scratch))
    reason = ""
    for attempt in attempts:
        attempted = attempt()
        try:
            return attempted, load(attempted)
        except UNREADABLE as error:
            reason = printable(str(error).partition("\n")[0])
            forget()
    raise UnreadableFileError(f"{file.named}: {reason}")


def _read_parquet(file: RecordFile, load: Callable[[RecordFile], T]) -> T:
    try:
        return load(file)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:  # of many kinds, some of them of the format's own libraries
        reason = printable(first_line(error))
        raise UnreadableFileError(f"{file.named}: not a valid Parquet file: {reason}") from None


def _unpack(file: RecordFile, scratch: Path) -> RecordFile:
    """All that can be unpacked of a damaged gzip file, up to `MAX_UNPACKED_BYTES`."""
    target = scratch / "unpacked"
    damage = "the compressed file is cut off"
    with target.open("wb") as out:
        try:
            for block in _unpacked(file.path, CHUNK_BYTES):
                out.write(block)
                if out.tell() > MAX_UNPACKED_BYTES:
                    damage = f"read as far as {MAX_UNPACKED_BYTES} unpacked bytes"
                    break
        except zlib.error:
            damage = f"the compressed data is damaged after {out.tell()} unpacked bytes"
    return replace(file, path=target, compression="uncompressed", damage=damage)


def _unpacked(path: Path, most: int) -> Iterator[bytes]:
    """What a gzip file's members hold, in blocks of `most` bytes or less, none of them empty.

    Raises zlib.error where the data is damaged.
    """
    with path.open("rb") as stream:
        inflater = zlib.decompressobj(wbits=31)
        data = stream.read(CHUNK_BYTES)
        while data:
            if block := inflater.decompress(data, most):
                yield block
            if inflater.eof:  # another member may follow; the first may be empty
                data = inflater.unused_data or stream.read(CHUNK_BYTES)
                inflater = zlib.decompressobj(wbits=31)
            else:
                data = inflater.unconsumed_tail or stream.read(CHUNK_BYTES)
