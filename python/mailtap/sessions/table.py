"""Table `sessions`: one row per session, whatever it was read from.

A column that the source of sessions doesn't have is NULL, never a guess: a gateway's export has
neither packets nor direction, stock Zeek's conn.log no STARTTLS step.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from mailtap.sessions.schema import columns


def create_table(connection: duckdb.DuckDBPyConnection, *, details: bool = False) -> None:
    """Create an empty `sessions` unless it is there, with the columns of details if asked for."""
    listed = ", ".join(f"{name} {kind}" for name, kind in columns(details=details).items())
    connection.execute(f"CREATE TABLE IF NOT EXISTS sessions ({listed})")


def create_view(
    connection: duckdb.DuckDBPyConnection, rows: str, known: Collection[str], *, details: bool
) -> None:
    """Makes `sessions` of rows that have the known ones of its columns."""
    listed = ", ".join(
        f"CAST({name if name in known else 'NULL'} AS {kind}) AS {name}"
        for name, kind in columns(details=details).items()
    )
    connection.execute(f"CREATE VIEW sessions AS SELECT {listed} FROM ({rows})")
