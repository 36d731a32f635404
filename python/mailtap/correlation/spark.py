"""The queries on Apache Spark, for logs that outgrow one machine.

Tables are handed over and kept as Parquet files, in a directory that all of Spark's machines must
see (`TMPDIR` says where).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from mailtap.correlation.engines import Row
from mailtap.errors import MailTapError, first_line

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL = "local[*]"

#: The queries name `"end"` in double quotes and keep to the SQL standard.
_SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",
}


class SparkError(MailTapError):
    """Spark can't be used; the message is one line that says why."""


class SparkEngine:
    name = "spark"

    def __init__(self, spark: SparkSession, directory: Path) -> None:
        self._spark = spark
        self._directory = directory

    def rows(self, query: str) -> list[Row]:
        return [row.asDict() for row in self._spark.sql(query).collect()]

    def table(self, name: str, query: str) -> None:
        # Kept as files, not as cached plans: those would hold all plans they came from, and a
        # chain of joins makes that too much to even print.
        self._spark.sql(query).write.mode("overwrite").parquet(self._path(name))
        self.read(name)

    def fill(self, name: str, types: Mapping[str, str], rows: Sequence[tuple[object, ...]]) -> None:
        schema = ", ".join(f"{column} {kind}" for column, kind in types.items())
        frame = self._spark.createDataFrame(list(rows), schema)
        frame.write.mode("overwrite").parquet(self._path(name))
        self.read(name)

    def view(self, name: str, query: str) -> None:
        self._spark.sql(query).createOrReplaceTempView(name)

    def write_json_lines(self, query: str, path: Path) -> None:
        lines = self._spark.sql(f"SELECT to_json(struct(*)) AS line FROM ({query})")
        with path.open("w", encoding="utf-8") as file:
            for row in lines.toLocalIterator():
                file.write(f"{row.line}\n")

    def write_parquet(self, query: str, path: Path) -> None:
        from pyarrow import parquet

        table = self.arrow(query)
        parquet.write_table(table, path, compression="zstd")

    def arrow(self, query: str) -> Any:
        from pyarrow import parquet

        self._spark.sql(query).write.mode("overwrite").parquet(self._path("handed_over"))
        return parquet.read_table(self._path("handed_over"))

    def read(self, name: str) -> None:
        """Makes a table of the files of that name in the directory."""
        self._spark.read.parquet(self._path(name)).createOrReplaceTempView(name)

    def _path(self, name: str) -> str:
        return str(self._directory / name)


@contextmanager
def open_spark(
    connection: duckdb.DuckDBPyConnection, master: str = LOCAL, more: Iterable[str] = ()
) -> Iterator[SparkEngine]:
    """Spark with the tables `sessions`, `labels` and `more` of the connection. Raises SparkError.

    `master` is the URL of a cluster, or `local[*]` for this machine.
    """
    spark = _session(master)
    try:
        with tempfile.TemporaryDirectory(prefix="mailtap-") as directory:
            engine = SparkEngine(spark, Path(directory))
            for table in ("sessions", "labels", *more):
                connection.execute(
                    f"COPY {table} TO '{directory}/{table}' "
                    "(FORMAT parquet, PER_THREAD_OUTPUT true)"
                )
                engine.read(table)
            yield engine
    except _spark_errors() as error:
        raise SparkError(f"Spark failed: {first_line(error)}") from None
    finally:
        spark.stop()


def _spark_errors() -> tuple[type[Exception], ...]:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    return PySparkException, Py4JError


def _session(master: str) -> SparkSession:
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError:
        raise SparkError("Spark isn't installed: pip install 'mailtap[spark]'") from None
    builder = SparkSession.builder.appName("mailtap").master(master)
    for key, value in _SETTINGS.items():
        builder = builder.config(key, value)
    if master.startswith("local"):
        # Its driver listens for executors, without asking who they are.
        builder = builder.config("spark.driver.host", "127.0.0.1")
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
        # The default of 200 is for a cluster; here each costs more than the data in it.
        builder = builder.config("spark.sql.shuffle.partitions", str(os.cpu_count() or 1))
    try:
        return builder.getOrCreate()
    except (PySparkException, OSError, RuntimeError) as error:
        raise SparkError(
            f"Spark did not start (Java 17 or later is needed): {first_line(error)}"
        ) from None
