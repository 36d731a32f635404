"""Numbers for the rows of a table."""

from __future__ import annotations

import duckdb

_NUMBERS = "mailtap_numbers"


def number_rows(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> None:
    """Numbers a table's rows from 1, in the order in which they lie there, in a column that may
    exist already.

    To number them as they are inserted, by `row_number()`, would have one thread do all of it.
    """
    connection.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS {column}")
    connection.execute(f"CREATE OR REPLACE TEMP SEQUENCE {_NUMBERS}")
    connection.execute(
        f"ALTER TABLE {table} ADD COLUMN {column} BIGINT DEFAULT nextval('{_NUMBERS}')"
    )
    connection.execute(f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT")
    connection.execute(f"DROP SEQUENCE {_NUMBERS}")
