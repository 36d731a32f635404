"""The tables of a store, their version, and how its file is opened.

A store of an earlier version is brought up to this one when it is opened. A column that is new in
a table, such as a field that sessions have got, is added by itself; what else changed is a step in
`MIGRATIONS`.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from mailtap.labels.table import COLUMNS as LABEL_COLUMNS
from mailtap.printable import printable
from mailtap.sessions.schema import live_columns

#: What is written goes to the log beside the file first. Every so much of it is taken over into the
#: file, which costs the same for little as for much.
LOG = "128MB"

VERSION = 3

#: Columns by table. Verdicts are only added, the latest of a session counts. The tallies
#: and the counts by server are the sums of their rows. `redacted` records lack what the policy
#: hides.
TABLES: dict[str, dict[str, str]] = {
    "store_version": {"version": "INTEGER"},
    "sessions": live_columns() | {"source": "VARCHAR", "redacted": "BOOLEAN", "bucket": "BIGINT"},
    "labels": LABEL_COLUMNS
    | {"rank": "INTEGER", "moment": "DOUBLE", "redacted": "BOOLEAN", "bucket": "BIGINT"},
    "judgements": {
        "session_id": "BIGINT",
        "app": "VARCHAR",
        "label_provenance": "VARCHAR",
        "verdict": "VARCHAR",
        "causes": "BIGINT",
        "funnel_step": "VARCHAR",
        "funnel_loss": "VARCHAR",
        "cause": "VARCHAR",
        "sensor": "VARCHAR",
        "decode_as": "VARCHAR",
        "label_id": "BIGINT",
        "other_half": "BIGINT",
        "redacted": "BOOLEAN",
    },
    "judgements_by_engine": {
        "session_id": "BIGINT",
        "engine": "VARCHAR",
        "verdict": "VARCHAR",
        "label_id": "BIGINT",
    },
    "tally_by_engine": {"engine": "VARCHAR", "verdict": "VARCHAR", "n": "BIGINT"},
    "tally": {
        "sensor": "VARCHAR",
        "decode_as": "VARCHAR",
        "app": "VARCHAR",
        "label_provenance": "VARCHAR",
        "verdict": "VARCHAR",
        "causes": "BIGINT",
        "funnel_step": "VARCHAR",
        "funnel_loss": "VARCHAR",
        "bucket": "BIGINT",
        "n": "BIGINT",
    },
    "servers": {
        "server_group": "BIGINT",
        "verdict": "VARCHAR",
        "unexplained": "BOOLEAN",
        "both_decoded": "BOOLEAN",
        "n": "BIGINT",
    },
    "counts": {
        "sessions": "BIGINT",
        "labels": "BIGINT",
        "unlabelled": "BIGINT",
        "unmatched": "BIGINT",
    },
    "clocks": {
        "sensor": "VARCHAR",
        "source": "VARCHAR",
        "pairs": "BIGINT",
        "offset": "DOUBLE",
        "spread": "DOUBLE",
        "applied": "BOOLEAN",
    },
    "gaps": {
        "url": "VARCHAR",
        "node": "VARCHAR",
        "after": "DOUBLE",
        "before": "DOUBLE",
        "missed": "BIGINT",
    },
    "positions": {
        "name": "VARCHAR",
        "device": "BIGINT",
        "inode": "BIGINT",
        "offset": "BIGINT",
        "beginning": "BLOB",
        "header": "BLOB",
    },
    "nodes": {
        "url": "VARCHAR",
        "node": "VARCHAR",
        "expected": "BIGINT",
        "started": "DOUBLE",
        "received": "BIGINT",
        "lost": "BIGINT",
        "duplicates": "BIGINT",
        "restarts": "BIGINT",
        "latest": "DOUBLE",
    },
}

#: Statements that make a store of the next version, by the version that they start from.
MIGRATIONS: dict[int, tuple[str, ...]] = {
    1: (
        """
        CREATE TABLE counts AS SELECT
            (SELECT count(*) FROM sessions) AS sessions, (SELECT count(*) FROM labels) AS labels,
            coalesce(sum(unlabelled), 0)::BIGINT AS unlabelled,
            coalesce(sum(unmatched), 0)::BIGINT AS unmatched
        FROM waited""",
        "DROP TABLE waited",
    ),
    # The cause `unsupported` has the bit that `conflict` had, which has the next one.
    2: tuple(
        f"UPDATE {table} SET causes = (causes & 4095) | ((causes & 4096) << 1)"
        for table in ("tally", "judgements")
    ),
}

#: The tables that a store of version 1 had; it did not say its version.
_FIRST_TABLES = {
    "sessions",
    "labels",
    "judgements",
    "tally",
    "waited",
    "gaps",
    "positions",
    "nodes",
}


class StoreError(Exception):
    """A store that can't be used; one line that names it."""


def open_store(path: Path) -> duckdb.DuckDBPyConnection:
    """Opens the file, or makes it. Raises StoreError."""
    named = printable(str(path))
    try:
        connection = duckdb.connect(
            str(path),
            config={
                "threads": 1,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "checkpoint_threshold": LOG,
            },
        )
        try:
            _bring_up_to_date(connection, named)
        except BaseException:
            connection.close()
            raise
    except duckdb.Error as error:
        raise StoreError(f"{named}: {error_line(error)}") from None
    return connection


def error_line(error: Exception) -> str:
    """The first line of an error's message."""
    return printable(str(error).partition("\n")[0])


def _bring_up_to_date(connection: duckdb.DuckDBPyConnection, named: str) -> None:
    """Makes the tables what they are in this version, all of them or none."""
    tables = _columns(connection)
    connection.begin()
    version = _version(connection, set(tables), named)
    for earlier in range(version, VERSION):
        for statement in MIGRATIONS[earlier]:
            connection.execute(statement)
    tables = _columns(connection)
    for table, columns in TABLES.items():
        listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        if table not in tables:
            connection.execute(f"CREATE TABLE {table} ({listed})")
            continue
        for name, kind in columns.items():
            found = tables[table].get(name)
            if found is None:
                connection.execute(f'ALTER TABLE {table} ADD COLUMN "{name}" {kind}')
            elif found != kind:
                raise StoreError(f"{named}: column {name} of table {table} is not {kind}")
    connection.execute("DELETE FROM store_version")
    connection.execute("INSERT INTO store_version VALUES (?)", [VERSION])
    connection.commit()


def _version(connection: duckdb.DuckDBPyConnection, tables: set[str], named: str) -> int:
    """The version that the store has. Raises StoreError."""
    if not tables:
        return VERSION
    if "store_version" not in tables:
        if tables >= _FIRST_TABLES:
            return 1
        raise StoreError(f"{named}: is no store of MailTap's")
    ((version,),) = connection.execute("SELECT max(version) FROM store_version").fetchall()
    if version is None or not 1 <= version <= VERSION:
        raise StoreError(
            f"{named}: was written by a later version of MailTap (store version {version}, "
            f"this one writes {VERSION})"
        )
    return int(version)


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """The columns of each table that is there, with their types."""
    found: dict[str, dict[str, str]] = {}
    for table, name, kind in connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name = 'main' AND NOT internal"
    ).fetchall():
        found.setdefault(table, {})[name] = kind
    return found
