"""Lines that could not be read: how many, and where the first one is."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

REJECTS = "mailtap_rejects"
REJECT_SCANS = "mailtap_reject_scans"
PASSED_OVER = "mailtap_passed_over"

_PASSED_OVER_ABOVE = f"SELECT count(*) FROM {PASSED_OVER} WHERE line <= {{line}}"


@dataclass(frozen=True)
class Malformed:
    """How many lines could not be read, and the number of the first (from 1; 0: there is none)."""

    count: int
    first_line: int

    def warning(self, file: str, unit: str = "line") -> str:
        """One line that says it; `unit` is what was counted."""
        units = unit if self.count == 1 else f"{unit}s"
        first = "it is" if self.count == 1 else "the first is"
        return f"{file}: {self.count} malformed {units}, {first} {unit} {self.first_line}"


def forget_rejects(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what scans noted about lines they passed over."""
    connection.execute(f"DROP TABLE IF EXISTS {REJECTS}")
    connection.execute(f"DROP TABLE IF EXISTS {REJECT_SCANS}")


def find_malformed(
    connection: duckdb.DuckDBPyConnection,
    bad_rows: int,
    rows: str,
    first_line: int,
) -> Malformed:
    """The malformed lines of the scan just made: `bad_rows` rows, and lines the scan passed over.

    `rows` is SQL of the same scan in file order with a column `bad`, `first_line` the number of its
    first row's line.
    """
    # Only scans of lines note what they pass over; those of a JSON document don't.
    connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS {REJECTS} (line BIGINT)")
    connection.execute(f"CREATE TEMP TABLE {PASSED_OVER} AS SELECT DISTINCT line FROM {REJECTS}")
    forget_rejects(connection)
    lines = count(connection, f"SELECT count(*) FROM {PASSED_OVER}")
    first = [count(connection, f"SELECT min(line) FROM {PASSED_OVER}")] if lines else []
    if bad_rows:
        first.append(_first_bad_line(connection, rows, first_line))
    connection.execute(f"DROP TABLE {PASSED_OVER}")
    return Malformed(bad_rows + lines, min(first, default=0))


def _first_bad_line(connection: duckdb.DuckDBPyConnection, rows: str, first_line: int) -> int:
    """The line of the first bad row: its number, and the passed-over lines above it."""
    connection.execute("SET preserve_insertion_order = true")
    number = count(
        connection,
        f"SELECT min(n) FROM (SELECT row_number() OVER () AS n, bad FROM ({rows})) WHERE bad",
    )
    connection.execute("SET preserve_insertion_order = false")
    line, above = number + first_line - 1, -1
    while above < (found := count(connection, _PASSED_OVER_ABOVE.format(line=line))):
        line, above = line + found - max(above, 0), found
    return line


def count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one number that `query` gives; 0 for none."""
    row = connection.execute(query).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])
