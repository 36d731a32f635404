"""Sources of sessions into table `sessions`: rows stay in the query engine."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from mailtap.labels.normal import NORMAL_LABELS, TooManyNamesError, stage_normal_labels
from mailtap.policy import Policy
from mailtap.printable import printable
from mailtap.records.fields import Field
from mailtap.records.malformed import Malformed, count, forget_rejects
from mailtap.records.numbering import number_rows
from mailtap.records.record_file import (
    PARQUET_SUFFIX,
    RecordFile,
    UnreadableFileError,
    files_within,
    open_file,
    quoted,
    read,
)
from mailtap.records.selection import Reading, selection
from mailtap.records.staging import stage
from mailtap.sessions import connections as conn_log
from mailtap.sessions import smtp_log
from mailtap.sessions.completion import session_queries
from mailtap.sessions.connections import connection_columns
from mailtap.sessions.detect import Kind, Recognised, SourceError, recognise
from mailtap.sessions.gateway import IS_SESSION as IS_GATEWAY_SESSION
from mailtap.sessions.gateway import gateway_columns, gateway_fields
from mailtap.sessions.schema import columns, record_fields
from mailtap.sessions.session_records import (
    IS_SESSION,
    REQUIRED,
    lists_of_sets,
    session_columns,
)
from mailtap.sessions.table import create_table, create_view
from mailtap.sessions.zeek import LOG_NAME, find_logs

STAGED = {
    Kind.SESSIONS: "mailtap_session_records",
    Kind.CONNECTIONS: "mailtap_connections",
    Kind.SMTP: "mailtap_smtp_messages",
    Kind.GATEWAY: "mailtap_gateway_sessions",
}
ENGINE_OF_GATEWAY = "generic"

#: The records of the only file, where `sessions` is a view of them.
RECORDS = "mailtap_records"


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
    """Makes `sessions` of `paths`, files or folders of Zeek logs or Parquet: a table, or a view.

    With `details` it has the whole record, for a listing. Raises SourceError.
    """
    warnings: list[str] = []
    files: dict[Kind, int] = dict.fromkeys(Kind, 0)
    sources: set[str] = set()
    try:
        for path, source in _files(paths):
            with tempfile.TemporaryDirectory(prefix="mailtap-") as scratch:
                recognised = recognise(open_file(connection, path), policy)
                if recognised is not None:
                    _stage_file(
                        connection, recognised, source, policy, details, Path(scratch), warnings
                    )
                    sources.add(source)
                    files[recognised.kind] += 1
        check_kinds(files)
        sessions = _make_sessions(
            connection, files, policy, details, several_sources=len(sources) > 1
        )
    except (UnreadableFileError, TooManyNamesError) as error:
        raise SourceError(str(error)) from None
    finally:
        for table in (*STAGED.values(), NORMAL_LABELS):
            connection.execute(f"DROP TABLE IF EXISTS {table}")
        forget_rejects(connection)
    kinds = tuple(kind.value for kind, number in files.items() if number)
    return SessionsLoaded(sessions, kinds, tuple(warnings))


def check_kinds(files: Mapping[Kind, int]) -> None:
    """Raises SourceError where the files, so many of each kind, have no sessions."""
    if files[Kind.SMTP] and not files[Kind.SESSIONS] and not files[Kind.CONNECTIONS]:
        raise SourceError("smtp.log alone has no sessions: give the folder that has conn.log, too")


def source_of(path: Path) -> str:
    """The source that a file or folder belongs to: sensors of one name are one if they have the
    same. It is the folder that was named, or that of a Zeek log, else the file itself.
    """
    return printable(str(path.parent if LOG_NAME.fullmatch(path.name) else path))


def has_no_source(folder: Path) -> SourceError:
    """The error of a folder without any file that is one."""
    return SourceError(
        f"{printable(str(folder))}: has neither a conn or mail_session log of Zeek "
        "nor a Parquet file"
    )


def _logs(folder: Path) -> list[Path]:
    return [*find_logs(folder), *files_within(folder, PARQUET_SUFFIX)]


def _files(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    """The files to read, each once, with their sources."""
    files: dict[Path, tuple[Path, str]] = {}
    for path in paths:
        try:
            logs = _logs(path) if path.is_dir() else [path]
        except OSError as error:
            raise SourceError(f"{printable(str(path))}: {error.strerror}") from None
        if not logs:
            raise has_no_source(path)
        for log in logs:
            files.setdefault(log.resolve(), (log, source_of(path)))
    return list(files.values())


def _stage_file(
    connection: duckdb.DuckDBPyConnection,
    recognised: Recognised,
    source: str,
    policy: Policy,
    details: bool,
    scratch: Path,
    warnings: list[str],
) -> None:
    """Add the file's records to its kind's table, all of them or, when it can't be read, none."""
    file, malformed = read(
        recognised.file,
        scratch,
        lambda file: stage_records(connection, recognised, file, source, policy, details),
        lambda: forget_rejects(connection),
    )
    forget_rejects(connection)
    if file.damage is not None:
        warnings.append(f"{file.named}: {file.damage}")
    if malformed.count:
        warnings.append(malformed.warning(file.named, file.unit))


def stage_records(
    connection: duckdb.DuckDBPyConnection,
    recognised: Recognised,
    file: RecordFile,
    source: str,
    policy: Policy,
    details: bool,
) -> Malformed:
    """Add the records of a file of the kind that was recognised to that kind's table."""

    def rows(reading: Reading) -> str:
        records = _rows(recognised, file, policy, details, reading)
        return f"SELECT *, {quoted(source)} AS source FROM ({records})"

    return stage(connection, STAGED[recognised.kind], rows, recognised.container.first_line)


def _rows(
    recognised: Recognised, file: RecordFile, policy: Policy, details: bool, reading: Reading
) -> str:
    fields: dict[str, Field]
    if recognised.kind is Kind.GATEWAY:
        fields, is_session = gateway_fields(policy.gateway), IS_GATEWAY_SESSION
    elif recognised.kind is Kind.SESSIONS:
        fields, is_session = dict(record_fields(details=details)), IS_SESSION
    elif recognised.kind is Kind.SMTP:
        fields, is_session = smtp_log.FIELDS, smtp_log.IS_RECORD
    else:
        # A connection that is not TCP has no ports or is no session; it is not malformed.
        fields, is_session = conn_log.FIELDS, f"(proto <> 'tcp' OR ({IS_SESSION}))"
    rows = selection(recognised.container, file, fields, list(fields), reading)
    return (
        "SELECT * REPLACE (CASE WHEN bad IS NOT NULL "
        f"THEN bad OR NOT coalesce({is_session}, false) END AS bad) FROM ({rows})"
    )


def _make_sessions(
    connection: duckdb.DuckDBPyConnection,
    files: dict[Kind, int],
    policy: Policy,
    details: bool,
    *,
    several_sources: bool,
) -> int:
    """Makes `sessions` of what was staged, and returns how many they are."""
    sensor = sensor_sql(several_sources)
    if sum(files.values()) == files[Kind.SESSIONS] == 1:
        # To copy the records of the only file takes as long as to correlate them.
        connection.execute(f"ALTER TABLE {STAGED[Kind.SESSIONS]} RENAME TO {RECORDS}")
        number_rows(connection, RECORDS, "session_id")
        records = f"SELECT *, {sensor} AS sensor FROM {RECORDS}"
        rows = session_rows(connection, Kind.SESSIONS, records, policy, details)
        create_view(connection, rows, _columns_of(connection, rows, details), details=details)
        return count(connection, "SELECT count(*) FROM sessions")

    def rows_of(kind: Kind) -> str:
        rows = _each_once(kind, files, sensor)
        return session_rows(connection, kind, rows, policy, details)

    queries = session_queries(
        files,
        rows_of,
        lambda: smtp_log.smtp_columns(f"SELECT * FROM {STAGED[Kind.SMTP]}"),
        lambda query: _columns_of(connection, query, details),
    )
    create_table(connection, details=details)
    for query in queries:
        names = ", ".join(_columns_of(connection, query, details))
        connection.execute(f"INSERT INTO sessions BY NAME SELECT {names} FROM ({query})")
    number_rows(connection, "sessions", "session_id")
    return count(connection, "SELECT count(*) FROM sessions")


def sensor_sql(several_sources: bool) -> str:
    """SQL of the name of a record's sensor."""
    return "concat_ws(' ', source, node)" if several_sources else "node"


def session_rows(
    connection: duckdb.DuckDBPyConnection, kind: Kind, rows: str, policy: Policy, details: bool
) -> str:
    """SQL that gives a kind's records, `rows`, the columns of table `sessions`.

    Makes the table of normal labels for a gateway's. Raises TooManyNamesError.
    """
    if kind is Kind.SESSIONS:
        return session_columns(lists_of_sets(rows) if details else rows)
    if kind is Kind.CONNECTIONS:
        tcp = f"SELECT * FROM ({rows}) WHERE proto IS NULL OR proto = 'tcp'"
        return connection_columns(tcp, policy)
    names = f"SELECT app AS name, provenance AS evidence FROM ({rows})"
    stage_normal_labels(connection, names, ENGINE_OF_GATEWAY, "the gateway's export", policy)
    return gateway_columns(rows, NORMAL_LABELS, policy)


def _each_once(kind: Kind, files: dict[Kind, int], sensor: str) -> str:
    """SQL of a kind's records, each with its sensor.

    Zeek's current and rotated logs may have the same records.
    """
    if kind is Kind.GATEWAY or files[kind] < 2:
        return f"SELECT *, {sensor} AS sensor FROM {STAGED[kind]}"
    return (
        f"SELECT DISTINCT ON (uid, {', '.join(REQUIRED)}) *, {sensor} AS sensor FROM {STAGED[kind]}"
    )


def _columns_of(connection: duckdb.DuckDBPyConnection, query: str, details: bool) -> list[str]:
    """The columns of `sessions` that `query` has."""
    known = {str(row[0]) for row in connection.execute(f"DESCRIBE {query}").fetchall()}
    return [name for name in columns(details=details) if name in known]
