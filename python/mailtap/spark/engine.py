"""The queries on Apache Spark, for logs that outgrow one machine.

Tables are kept as Parquet files, in a directory that all of Spark's machines must see: Spark's
setting `spark.mailtap.directory`, a URL, or else `TMPDIR`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import duckdb

from mailtap.correlation.engines import Row
from mailtap.errors import MailTapError, first_line
from mailtap.printable import printable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from mailtap.spark.storage import Storage

LOCAL = "local[*]"

#: Where tables are kept, in Spark's settings.
DIRECTORY = "spark.mailtap.directory"

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

    def __init__(self, spark: SparkSession, directory: str) -> None:
        self._spark = spark
        self._directory = directory

    @property
    def storage(self) -> Storage:
        """The files that Spark can read."""
        from mailtap.spark.storage import Storage

        return Storage(self._spark)

    def rows(self, query: str) -> list[Row]:
        return [row.asDict() for row in self._spark.sql(query).collect()]

    def table(self, name: str, query: str) -> None:
        # Kept as files, not as cached plans: those would hold all plans they came from, and a
        # chain of joins makes that too much to even print.
        self.keep(name, self._spark.sql(query))

    def keep(self, name: str, frame: DataFrame) -> None:
        """Keeps rows as a table, replacing one of that name."""
        frame.write.mode("overwrite").parquet(self._path(name))
        self.read(name)

    def frame(self, query: str) -> DataFrame:
        """The rows of a query, for more than SQL does."""
        return self._spark.sql(query)

    def fill(self, name: str, types: Mapping[str, str], rows: Sequence[tuple[object, ...]]) -> None:
        schema = ", ".join(f"{column} {kind}" for column, kind in types.items())
        self.keep(name, self._spark.createDataFrame(list(rows), schema))

    def view(self, name: str, query: str) -> None:
        self._spark.sql(query).createOrReplaceTempView(name)

    def write_json_lines(self, query: str, path: Path) -> None:
        lines = self._spark.sql(f"SELECT to_json(struct(*)) AS line FROM ({query})")
        with path.open("w", encoding="utf-8") as file:
            for row in lines.toLocalIterator():
                file.write(f"{row.line}\n")

    def write_parquet(self, query: str, path: Path) -> None:
        from pyarrow import dataset, parquet

        self.keep("handed_over", self._spark.sql(query))
        rows = dataset.dataset(self._path("handed_over"), format="parquet")
        with parquet.ParquetWriter(path, rows.schema, compression="zstd") as writer:
            for batch in rows.to_batches():  # never all of them in memory
                writer.write_batch(batch)

    def arrow(self, query: str) -> Any:
        from pyarrow import parquet

        self.keep("handed_over", self._spark.sql(query))
        return parquet.read_table(self._path("handed_over"))

    def read(self, name: str) -> None:
        """Makes a table of the files of that name in the directory."""
        self._spark.read.parquet(self._path(name)).createOrReplaceTempView(name)

    def _path(self, name: str) -> str:
        return f"{self._directory}/{name}"

    def hand_over(self, connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> None:
        """Makes the same tables as the connection has, which this machine holds."""
        with tempfile.TemporaryDirectory(prefix="mailtap-") as folder:
            for table in tables:
                path = f"{folder}/{table}"
                connection.execute(
                    f"COPY {table} TO '{path}' (FORMAT parquet, PER_THREAD_OUTPUT true)"
                )
                self.keep(table, self._spark.read.parquet(path))


@contextmanager
def open_spark(master: str = LOCAL) -> Iterator[SparkEngine]:
    """Spark, without tables. Raises SparkError.

    `master` is the URL of a cluster, or `local[*]` for this machine.
    """
    spark = _session(master)
    try:
        with ExitStack() as stack:
            shared = spark.conf.get(DIRECTORY, None)
            if shared is None:
                shared = stack.enter_context(tempfile.TemporaryDirectory(prefix="mailtap-"))
                directory = f"file://{shared}"
            else:
                directory = f"{shared.rstrip('/')}/mailtap-{uuid4().hex}"
            engine = SparkEngine(spark, directory)
            stack.callback(engine.storage.remove, directory)
            yield engine
    except _spark_errors() as error:
        raise SparkError(f"Spark failed: {_reason(error)}") from None
    finally:
        spark.stop()


def _reason(error: Exception) -> str:
    """Of what a task raised in Python, the last line has the error itself."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    raised = [line for line in lines if line.startswith("RuntimeError: ")]
    return printable(raised[0].removeprefix("RuntimeError: ")) if raised else first_line(error)


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
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers are this installation's
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
