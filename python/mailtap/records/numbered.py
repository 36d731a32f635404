"""Tables whose rows are numbered as they come.

A sequence gives the numbers, since `row_number()` would have one thread do all the work.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb


def create_numbered_table(
    connection: duckdb.DuckDBPyConnection, name: str, number: str, columns: Mapping[str, str]
) -> None:
    """Creates an empty table unless it is there; rows inserted without column `number` get the next
    one, from 1.
    """
    numbers = f"{name}_numbers"
    listed = ", ".join(
        f'"{column}" {kind}' + (f" DEFAULT nextval('{numbers}')" if column == number else "")
        for column, kind in columns.items()
    )
    connection.execute(f"CREATE SEQUENCE IF NOT EXISTS {numbers}")
    connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({listed})")
