"""The tables of a store, and how its file is opened."""

from __future__ import annotations

from pathlib import Path

import duckdb

from mailtap.labels.table import COLUMNS as LABEL_COLUMNS
from mailtap.printable import printable
from mailtap.sessions.schema import columns as session_columns

#: What is written goes to the log beside the file first. Every so much of it is taken over into the
#: file, which costs the same for little as for much.
LOG = "128MB"

#: Verdicts are only added, the latest of a session counts. The tally is the sum of its rows.
TABLES = {
    "sessions": ", ".join(f"{name} {kind}" for name, kind in session_columns(details=False).items())
    + ", bucket BIGINT",
    "labels": ", ".join(f'"{name}" {kind}' for name, kind in LABEL_COLUMNS.items())
    + ", rank INTEGER, moment DOUBLE, bucket BIGINT",
    "judgements": "session_id BIGINT, app VARCHAR, label_provenance VARCHAR, verdict VARCHAR, "
    "causes BIGINT, cause VARCHAR, sensor VARCHAR, decode_as VARCHAR",
    "tally": "sensor VARCHAR, decode_as VARCHAR, app VARCHAR, label_provenance VARCHAR, "
    "verdict VARCHAR, causes BIGINT, bucket BIGINT, n BIGINT",
    "waited": "unlabelled BIGINT, unmatched BIGINT",
    "gaps": "url VARCHAR, node VARCHAR, after DOUBLE, before DOUBLE, missed BIGINT",
    "positions": 'name VARCHAR, device BIGINT, inode BIGINT, "offset" BIGINT, header BLOB',
    "nodes": "url VARCHAR, node VARCHAR, expected BIGINT, started DOUBLE, received BIGINT, "
    "lost BIGINT, duplicates BIGINT, restarts BIGINT, latest DOUBLE",
}
REDACTED_TABLES = {"sessions", "judgements"}


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
                "checkpoint_threshold": LOG,
            },
        )
        for name, columns in TABLES.items():
            connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})").fetchall()
            described = connection.execute(f"DESCRIBE {name}").fetchall()
            if ", ".join(f"{row[0]} {row[1]}" for row in described) != columns.replace('"', ""):
                connection.close()
                raise StoreError(f"{named}: is no store of this version of MailTap")
    except duckdb.Error as error:
        raise StoreError(f"{named}: {error_line(error)}") from None
    return connection


def error_line(error: Exception) -> str:
    """The first line of an error's message."""
    return printable(str(error).partition("\n")[0])
