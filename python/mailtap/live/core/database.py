"""The in-memory database in which live mode runs a report's queries."""

from __future__ import annotations

from functools import lru_cache

import duckdb
import pyarrow as pa

from mailtap.correlation.engines import DuckDBEngine

#: Statements that are remembered as parsed: a batch has the same ones as the last, and to parse
#: them is a good part of what a small one costs.
PARSED = 256

#: DuckDB would look after its tables every now and then, for a second in which nothing else is
#: done. Those of the window are dropped before that is worth anything.
NEVER = "1TB"


class Database(DuckDBEngine):
    """Runs the same queries over and over: a name may be a view once and a table the next time."""

    def __init__(self) -> None:
        super().__init__(duckdb.connect(config={"threads": 1, "checkpoint_threshold": NEVER}))
        self._views: set[str] = set()
        self._parsed = lru_cache(PARSED)(self._parse)

    def close(self) -> None:
        self._connection.close()

    def table(self, name: str, query: str) -> None:
        """See QueryEngine."""
        if name in self._views:
            self._views.remove(name)
            self.run(f"DROP VIEW IF EXISTS {name}")
        super().table(name, query)

    def view(self, name: str, query: str) -> None:
        """See QueryEngine."""
        if name not in self._views:
            self._views.add(name)
            self.run(f"DROP TABLE IF EXISTS {name}")
        super().view(name, query)

    def take_in(self, rows: pa.Table, statement: str) -> None:
        """Runs a statement that reads the rows as table `incoming`."""
        self._connection.register("incoming", rows)
        self.run(statement)
        self._connection.unregister("incoming")

    def arrow(self, query: str) -> pa.Table:
        return self._connection.sql(self._parsed(query)).to_arrow_table()

    def run(self, statement: str) -> None:
        self._execute(statement).fetchall()

    def _execute(self, statement: str) -> duckdb.DuckDBPyConnection:
        return self._connection.execute(self._parsed(statement))

    def _parse(self, statement: str) -> duckdb.Statement:
        (parsed,) = self._connection.extract_statements(statement)
        return parsed
