"""Files wherever Spark finds them: this machine, HDFS, object storage."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb
from py4j.protocol import Py4JJavaError

from mailtap.printable import printable
from mailtap.records.record_file import (
    GZIP_MAGIC,
    HEAD_BYTES,
    PARQUET_MAGIC,
    PARQUET_SUFFIX,
    ZSTANDARD_MAGIC,
    RecordFile,
    UnreadableFileError,
    is_note,
    open_file,
)
from mailtap.records.zstandard import beginning

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

#: A path makes one slash of the two behind a URL's scheme.
_URL = re.compile(r"([a-z][a-z0-9+.-]+):/(?!/)")

#: Characters that Spark takes for a pattern.
_PATTERN = re.compile(r"([\[\]{}*?\\])")


@dataclass(frozen=True)
class StoredFile:
    """A file as Spark names it, and what messages call it."""

    url: str
    named: str
    bytes: int

    @property
    def path(self) -> Path:
        """Its name alone, which says of some logs what they are."""
        return Path(PurePosixPath(self.url).name)

    @property
    def escaped(self) -> str:
        """For Spark's readers: a name is never taken for a pattern."""
        return _PATTERN.sub(r"\\\1", self.url)


class Storage:
    """The file systems that Spark is set up for."""

    def __init__(self, spark: SparkSession) -> None:
        """`spark` is a running session."""
        self._spark = spark
        self._java: Any = spark._jvm
        self._settings: Any = spark._jsc.hadoopConfiguration()

    def find(self, source: Path) -> tuple[list[StoredFile], bool]:
        """The file that a source is, or all files in it and below; whether it is a folder.

        Raises UnreadableFileError.
        """
        named = printable(str(source))
        try:
            path = self._path(_url(source))
            system = path.getFileSystem(self._settings)
            status = system.getFileStatus(path)
            if not status.isDirectory():
                return [StoredFile(status.getPath().toString(), named, status.getLen())], False
            return list(self._within(system, path)), True
        except Py4JJavaError as error:
            raise UnreadableFileError(f"{named}: {_reason(error)}") from None

    def _within(self, system: Any, folder: Any) -> Iterator[StoredFile]:
        found = system.listFiles(folder, True)
        files = []
        while found.hasNext():
            status = found.next()
            files.append((status.getPath().toString(), status.getLen()))
        for url, size in sorted(files):
            if not is_note(PurePosixPath(url).name):
                yield StoredFile(url, printable(url.removeprefix("file:")), size)

    def open(self, connection: duckdb.DuckDBPyConnection, file: StoredFile) -> RecordFile:
        """The beginning of a file, to see what it is. Raises UnreadableFileError."""
        raw = self._beginning(file)
        is_parquet = raw.startswith(PARQUET_MAGIC)
        if file.path.suffix == PARQUET_SUFFIX and not is_parquet:
            raise UnreadableFileError(f"{file.named}: is not a Parquet file")
        if is_parquet:
            schema = self._schema(connection, file)
            return RecordFile(file.path, file.named, "uncompressed", (), schema=schema)
        compression, unpacked = _unpacked(raw, file.named)
        with TemporaryDirectory(prefix="mailtap-") as folder:
            head = Path(folder) / "head"
            head.write_bytes(unpacked)
            lines = open_file(connection, head).head
        return RecordFile(file.path, file.named, compression, lines)

    def parquet(self, file: StoredFile) -> DataFrame:
        """The rows of a Parquet file, without columns made of its folders' names."""
        return self._spark.read.option("recursiveFileLookup", "true").parquet(file.escaped)

    def lines(self, file: StoredFile) -> DataFrame:
        """A file's lines as bytes, `value`, each with the `offset` of the task's part of it."""
        return self._spark.read.text(file.escaped, lineSep="\n").selectExpr(
            "CAST(value AS BINARY) AS value", "_metadata.file_block_start AS offset"
        )

    def contents(self, files: list[StoredFile]) -> DataFrame:
        """Whole files: `path`, as in `StoredFile.url`, and `content`."""
        reader = self._spark.read.format("binaryFile").option("recursiveFileLookup", "true")
        return reader.load([file.escaped for file in files]).select("path", "content")

    def remove(self, url: str) -> None:
        """Removes a folder that MailTap made."""
        path = self._path(url)
        path.getFileSystem(self._settings).delete(path, True)

    def _schema(
        self, connection: duckdb.DuckDBPyConnection, file: StoredFile
    ) -> tuple[tuple[str, Any], ...]:
        from pyspark.errors import PySparkException
        from pyspark.sql.pandas.types import to_arrow_schema

        try:
            schema = to_arrow_schema(self.parquet(file).schema)
        except (PySparkException, Py4JJavaError):
            raise UnreadableFileError(
                f"{file.named}: not a valid Parquet file; it is cut off or damaged"
            ) from None
        columns = connection.from_arrow(schema.empty_table())
        return tuple(zip(columns.columns, columns.types, strict=True))

    def _beginning(self, file: StoredFile) -> bytes:
        try:
            path = self._path(file.url)
            stream = path.getFileSystem(self._settings).open(path)
            try:
                return bytes(stream.readNBytes(HEAD_BYTES))
            finally:
                stream.close()
        except Py4JJavaError as error:
            raise UnreadableFileError(f"{file.named}: {_reason(error)}") from None

    def _path(self, url: str) -> Any:
        return self._java.org.apache.hadoop.fs.Path(url)


def _unpacked(raw: bytes, named: str) -> tuple[str, bytes]:
    """How a file that begins so is compressed, and the beginning of what it holds."""
    if raw.startswith(GZIP_MAGIC):
        try:
            return "gzip", zlib.decompressobj(wbits=31).decompress(raw, HEAD_BYTES)
        except zlib.error as error:
            raise UnreadableFileError(f"{named}: not valid gzip: {error}") from None
    if raw.startswith(ZSTANDARD_MAGIC):
        return "zstd", beginning(raw, HEAD_BYTES)
    return "uncompressed", raw


def _url(source: Path) -> str:
    text = str(source)
    if _URL.match(text):
        return _URL.sub(r"\1://", text, count=1)
    return f"file://{source.absolute()}"


def _reason(error: Py4JJavaError) -> str:
    exception = error.java_exception
    if exception.getClass().getSimpleName() == "FileNotFoundException":
        return "No such file or directory"
    return printable(str(exception.getMessage() or exception).partition("\n")[0])
