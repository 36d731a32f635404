"""Lines that could not be read: how many, and where the first one is."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

REJECTS = "mailtap_rejects"
REJECT_SCANS = "mailtap_reject_scans"


@dataclass(frozen=True)
class Malformed:
    """How many lines could not be read, and the number of the first (from 1; 0: there is none)."""

    count: int
    first_line: int

    def warning(self, file: str) -> str:
        """One line that says it."""
        lines = "line" if self.count == 1 else "lines"
        first = "it is" if self.count == 1 else "the first is"
        return f"{file}: {self.count} malformed {lines}, {first} line {self.first_line}"


def forget_rejects(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what scans noted about lines they passed over."""
    connection.execute(f"DROP TABLE IF EXISTS {REJECTS}")
    connection.execute(f"DROP TABLE IF EXISTS {REJECT_SCANS}")


def find_malformed(
    connection: duckdb.DuckDBPyConnection,
    bad_rows: int,
    rows: str,
    first_line: int,
    ignore: str = "false",
) -> Malformed:
    """The malformed lines of the scan just made: `bad_rows` rows, and lines the scan passed over.

    `rows` is SQL of the same scan in file order with a column `bad`, `first_line` the number of its
    first row's line. Passed-over lines that are to `ignore` (SQL over `csv_line`) are none.
    """
    rejected = count(connection, f"SELECT count(DISTINCT line) FROM {REJECTS} WHERE NOT ({ignore})")
    first_rejected = count(connection, f"SELECT min(line) FROM {REJECTS} WHERE NOT ({ignore})")
    if bad_rows == 0:
        return Malformed(rejected, first_rejected)
    # Rows passed over have no number; the line of a row is its number and theirs above it.
    connection.execute("SET preserve_insertion_order = true")
    connection.execute(f"CREATE TEMP TABLE {REJECTS}_lines AS SELECT DISTINCT line FROM {REJECTS}")
    forget_rejects(connection)
    number = count(
        connection,
        f"SELECT min(n) FROM (SELECT row_number() OVER () AS n, bad FROM ({rows})) WHERE bad",
    )
    line = number + first_line - 1
    above = 0
    while True:
        found = count(
            connection, f"SELECT count(*) FROM {REJECTS}_lines WHERE line <= {line + above}"
        )
        if found == above:
            break
        above = found
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(f"DROP TABLE {REJECTS}_lines")
    first = min(line + above, first_rejected or line + above)
    return Malformed(bad_rows + rejected, first)


def count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one number that `query` gives; 0 for none."""
    row = connection.execute(query).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])
