"""Where the queries run: DuckDB on this machine, or Spark.

The queries themselves are written once, in the SQL that both understand. Rows stay in the engine:
Python is handed aggregates, and the sessions that a user asked to list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import duckdb

from mailtap.records.parquet import write_parquet
from mailtap.records.record_file import quoted

Row = dict[str, Any]


class QueryEngine(Protocol):
    """Runs SQL over the tables `sessions` and `labels`."""

    name: str

    def rows(self, query: str) -> list[Row]:
        """The result of a query, a dictionary by column name each row."""

    def table(self, name: str, query: str) -> None:
        """Keeps the result of a query as a table, replacing one of that name."""

    def fill(self, name: str, types: Mapping[str, str], rows: Sequence[tuple[object, ...]]) -> None:
        """Makes a table of rows from outside; `types` are its columns' (STRING, DOUBLE, BIGINT)."""

    def view(self, name: str, query: str) -> None:
        """Gives a query a name, replacing one of that name; it runs whenever the name is used."""

    def arrow(self, query: str) -> Any:
        """The result of a query as an Arrow table; needs pyarrow."""

    def write_json_lines(self, query: str, path: Path) -> None:
        """Writes the result of a query to a file, one JSON object a line, without what is NULL."""

    def write_parquet(self, query: str, path: Path) -> None:
        """Writes the result of a query to a Parquet file."""


class DuckDBEngine:
    name = "duckdb"

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, query: str) -> list[Row]:
        result = self._execute(query)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def table(self, name: str, query: str) -> None:
        self._execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")

    def fill(self, name: str, types: Mapping[str, str], rows: Sequence[tuple[object, ...]]) -> None:
        columns = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in types.items())
        self.table(name, f"SELECT {columns} WHERE false")
        values = ", ".join(f"unnest(CAST(? AS {kind}[]))" for kind in types.values())
        lists = [[row[place] for row in rows] for place in range(len(types))]
        self._connection.execute(f"INSERT INTO {name} SELECT {values}", lists)

    def view(self, name: str, query: str) -> None:
        self._execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")

    def arrow(self, query: str) -> Any:
        return self._connection.sql(query).to_arrow_table()

    def write_json_lines(self, query: str, path: Path) -> None:
        # A merge patch leaves out what is null (RFC 7396).
        lines = f"SELECT json_merge_patch('{{}}', to_json(one)) FROM ({query}) one"
        as_they_are = r"FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER E'\x01'"
        self._execute(f"COPY ({lines}) TO {quoted(str(path))} ({as_they_are})")

    def write_parquet(self, query: str, path: Path) -> None:
        write_parquet(self._connection, query, path)

    def _execute(self, statement: str) -> duckdb.DuckDBPyConnection:
        return self._connection.execute(statement)
