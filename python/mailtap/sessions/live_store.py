"""Sessions and labels of live mode's store, to compare a report with."""

from __future__ import annotations

from pathlib import Path

import duckdb

from mailtap.printable import printable
from mailtap.records.database_copy import readable
from mailtap.records.malformed import count
from mailtap.records.record_file import quoted
from mailtap.sessions.detect import SourceError

#: Tables that are made of a store.
LIVE_TABLES = ("live_sessions", "live_labels")

_STORE = "mailtap_live_store"


def load_live_store(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Makes the tables `live_sessions` and `live_labels` of a store. Raises SourceError."""
    named = printable(str(path))
    if not path.is_file():
        raise SourceError(f"{named}: no such file")
    try:
        with readable(path) as file:
            _load(connection, file, named)
    except (duckdb.Error, OSError):
        raise SourceError(f"{named}: is no store of live mode") from None


def _load(connection: duckdb.DuckDBPyConnection, file: Path, named: str) -> None:
    connection.execute(f"ATTACH {quoted(str(file))} AS {_STORE} (READ_ONLY)")
    try:
        _check_tables(connection, named)
        connection.execute(
            f"CREATE TABLE live_sessions AS SELECT uid, ts, duration FROM {_STORE}.sessions "
            "WHERE uid IS NOT NULL"
        )
        connection.execute(
            "CREATE TABLE live_labels AS SELECT ip_a, port_a, ip_b, port_b, community_id, start "
            f"FROM {_STORE}.labels"
        )
        stored = count(connection, f"SELECT count(*) FROM {_STORE}.sessions")
    finally:
        connection.execute(f"DETACH {_STORE}")
    if stored and not count(connection, "SELECT count(*) FROM live_sessions"):
        raise SourceError(f"{named}: has no uid to compare sessions by; its policy redacts them")


def _check_tables(connection: duckdb.DuckDBPyConnection, named: str) -> None:
    """Refuses a file whose tables are views: those run whatever query its author wrote."""
    tables = count(
        connection,
        f"SELECT count(*) FROM duckdb_tables() WHERE database_name = '{_STORE}' "
        "AND schema_name = 'main' AND table_name IN ('sessions', 'labels')",
    )
    if tables != 2:
        raise SourceError(f"{named}: is no store of live mode")
