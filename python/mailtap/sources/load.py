"""Sources of sessions into table `sessions`: rows stay in the query engine."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from mailtap.policy import Policy
from mailtap.printable import printable
from mailtap.sources import details as session_details
from mailtap.sources.detect import Kind, Recognised, SourceError, recognise
from mailtap.sources.fields import Field
from mailtap.sources.gateway import IS_SESSION as IS_GATEWAY_SESSION
from mailtap.sources.gateway import gateway_columns, gateway_fields
from mailtap.sources.malformed import Malformed, count, find_malformed, forget_rejects
from mailtap.sources.meanings import MEANINGS, TooManyNamesError, stage_meanings
from mailtap.sources.records import (
    CONN_FIELDS,
    FLOW,
    IS_SESSION,
    SESSION_FIELDS,
    connection_columns,
    session_columns,
)
from mailtap.sources.selection import selection
from mailtap.sources.table import COLUMNS, create_table
from mailtap.sources.textfile import (
    TextFile,
    UnreadableFileError,
    open_text,
    read,
)
from mailtap.sources.zeek import find_logs

STAGED = {
    Kind.SESSIONS: "mailtap_session_records",
    Kind.CONNECTIONS: "mailtap_connections",
    Kind.GATEWAY: "mailtap_gateway_sessions",
}
ENGINE_OF_GATEWAY = "generic"


@dataclass(frozen=True)
class SessionsLoaded:
    """What came of the sources; every warning is about a part that could not be read."""

    sessions: int
    kinds: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether everything was read."""
        return not self.warnings


def load(
    connection: duckdb.DuckDBPyConnection,
    paths: Sequence[Path],
    policy: Policy,
    *,
    details: bool = False,
) -> SessionsLoaded:
    """Add the sessions of `paths`, files or folders of Zeek logs, to table `sessions`.

    With `details` the table has the whole record, for a listing. Raises SourceError.
    """
    create_table(connection, details=details)
    warnings: list[str] = []
    files: dict[Kind, int] = dict.fromkeys(Kind, 0)
    try:
        for path in _files(paths):
            with tempfile.TemporaryDirectory(prefix="mailtap-") as scratch:
                recognised = recognise(open_text(connection, path), policy)
                if recognised is not None:
                    _stage_file(connection, recognised, policy, details, Path(scratch), warnings)
                    files[recognised.kind] += 1
        sessions = _insert(connection, files, policy, details)
    except (UnreadableFileError, TooManyNamesError) as error:
        raise SourceError(str(error)) from None
    finally:
        for table in (*STAGED.values(), MEANINGS):
            connection.execute(f"DROP TABLE IF EXISTS {table}")
        forget_rejects(connection)
    kinds = tuple(kind.value for kind, number in files.items() if number)
    return SessionsLoaded(sessions, kinds, tuple(warnings))


def _files(paths: Sequence[Path]) -> list[Path]:
    files = []
    for path in paths:
        try:
            logs = find_logs(path) if path.is_dir() else [path]
        except OSError as error:
            raise SourceError(f"{printable(str(path))}: {error.strerror}") from None
        if not logs:
            raise SourceError(f"{printable(str(path))}: has no conn or mail_session log of Zeek")
        files += logs
    return list({path.resolve(): path for path in files}.values())


def _stage_file(
    connection: duckdb.DuckDBPyConnection,
    recognised: Recognised,
    policy: Policy,
    details: bool,
    scratch: Path,
    warnings: list[str],
) -> None:
    """Add the file's records to its kind's table, all of them or, when it can't be read, none."""

    def load_file(file: TextFile) -> Malformed:
        rows = _rows(recognised, file, policy, details, in_order=False)
        table = STAGED[recognised.kind]
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} AS {rows} LIMIT 0")
        # Taken out afterwards: a condition here would have every line read twice.
        connection.execute(f"INSERT INTO {table} {rows}")
        bad = count(connection, f"SELECT count(*) FROM {table} WHERE bad")
        connection.execute(f"DELETE FROM {table} WHERE bad IS DISTINCT FROM false")
        in_order = _rows(recognised, file, policy, details, in_order=True)
        return find_malformed(connection, bad, in_order, recognised.container.first_line)

    file, malformed = read(recognised.file, scratch, load_file, lambda: forget_rejects(connection))
    forget_rejects(connection)
    if file.damage is not None:
        warnings.append(f"{file.named}: {file.damage}")
    if malformed.count:
        warnings.append(malformed.warning(file.named))


def _rows(
    recognised: Recognised, file: TextFile, policy: Policy, details: bool, in_order: bool
) -> str:
    fields: dict[str, Field]
    if recognised.kind is Kind.GATEWAY:
        fields, is_session = gateway_fields(policy.gateway), IS_GATEWAY_SESSION
    elif recognised.kind is Kind.SESSIONS:
        fields = SESSION_FIELDS | (session_details.FIELDS if details else {})
        is_session = IS_SESSION
    else:
        # A connection that is not TCP has no ports or is no session; it is not malformed.
        fields, is_session = CONN_FIELDS, f"(proto <> 'tcp' OR ({IS_SESSION}))"
    rows = selection(recognised.container, file, fields, list(fields), in_order)
    return (
        "SELECT * REPLACE (CASE WHEN bad IS NOT NULL "
        f"THEN bad OR NOT coalesce({is_session}, false) END AS bad) FROM ({rows})"
    )


def _insert(
    connection: duckdb.DuckDBPyConnection, files: dict[Kind, int], policy: Policy, details: bool
) -> int:
    known = count(connection, "SELECT max(session_id) FROM sessions")
    queries = []
    records = _each_once(Kind.SESSIONS, files)
    records = session_columns(session_details.members_sql(records) if details else records)
    connections = connection_columns(
        f"{_each_once(Kind.CONNECTIONS, files)} WHERE proto IS NULL OR proto = 'tcp'", policy
    )
    if files[Kind.SESSIONS] and files[Kind.CONNECTIONS]:
        queries.append(_joined(connection, records, connections))
    elif files[Kind.SESSIONS]:
        queries.append(records)
    elif files[Kind.CONNECTIONS]:
        queries.append(connections)
    if files[Kind.GATEWAY]:
        rows = _each_once(Kind.GATEWAY, files)
        names = f"SELECT app AS name, provenance AS evidence FROM ({rows})"
        stage_meanings(connection, names, ENGINE_OF_GATEWAY, "the gateway's export", policy)
        queries.append(gateway_columns(rows, MEANINGS, policy))
    for query in queries:
        first = count(connection, "SELECT max(session_id) FROM sessions")
        names = ", ".join(_columns_of(connection, query))
        connection.execute(
            f"INSERT INTO sessions BY NAME SELECT {names}, "
            f"row_number() OVER () + {first} AS session_id FROM ({query})"
        )
    return count(connection, "SELECT max(session_id) FROM sessions") - known


def _each_once(kind: Kind, files: dict[Kind, int]) -> str:
    """SQL of a kind's records. Zeek's current and rotated logs may have the same ones."""
    if kind is Kind.GATEWAY or files[kind] < 2:
        return f"SELECT * FROM {STAGED[kind]}"
    return f"SELECT DISTINCT ON (uid, {', '.join(FLOW)}) * FROM {STAGED[kind]}"


def _columns_of(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    """The columns that `query` has of table `sessions`."""
    described = connection.execute(f"DESCRIBE {query}").fetchall()
    names = {str(row[0]) for row in described}
    return [name for name in (*COLUMNS, *session_details.COLUMNS) if name in names]


def _joined(connection: duckdb.DuckDBPyConnection, records: str, connections: str) -> str:
    """SQL that completes MailTap's session records with the connections of the same uid."""
    by_record = set(_columns_of(connection, records))
    by_connection = set(_columns_of(connection, connections))
    columns = ", ".join(
        f"coalesce(record.{name}, connection.{name}) AS {name}"
        if name in by_record and name in by_connection
        else f"{'record' if name in by_record else 'connection'}.{name}"
        for name in (*COLUMNS, *session_details.COLUMNS)
        if name in by_record | by_connection
    )
    return (
        f"SELECT {columns} FROM ({records}) AS record FULL JOIN ({connections}) AS connection "
        "ON record.uid = connection.uid"
    )
