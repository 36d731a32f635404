"""How files of sessions and of labels become rows of their tables, on an executor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from mailtap.labels.formats import LabelFormat
from mailtap.labels.load import label_rows, stage_labels
from mailtap.labels.table import COLUMNS as LABEL_COLUMNS
from mailtap.policy import Policy
from mailtap.records.containers import Container
from mailtap.records.malformed import Malformed
from mailtap.records.record_file import RecordFile
from mailtap.sessions import smtp_log
from mailtap.sessions.detect import Kind, Recognised
from mailtap.sessions.load import STAGED, sensor_sql, session_rows, stage_records
from mailtap.sessions.schema import columns
from mailtap.spark.executor import TALLY

#: What an engine's several statements on a flow are ranked by.
STATEMENT = {"rank": "INTEGER", "moment": "DOUBLE"}


@dataclass(frozen=True)
class SessionLoader:
    """Of a source's files of one kind: rows of table `sessions`, of smtp.log its own fields."""

    recognised: Recognised
    source: str
    policy: Policy
    details: bool
    several_sources: bool

    def stage(self, connection: duckdb.DuckDBPyConnection, file: RecordFile) -> Malformed:
        """See Loader."""
        return stage_records(
            connection, self.recognised, file, self.source, self.policy, self.details
        )

    def rows(self, connection: duckdb.DuckDBPyConnection) -> str:
        """See Loader."""
        kind = self.recognised.kind
        staged = f"SELECT *, {sensor_sql(self.several_sources)} AS sensor FROM {STAGED[kind]}"
        if kind is Kind.SMTP:
            return _with_columns(connection, f"SELECT * FROM {STAGED[kind]}", SMTP_COLUMNS)
        rows = session_rows(connection, kind, staged, self.policy, self.details)
        return _with_columns(connection, rows, session_columns(details=self.details))


@dataclass(frozen=True)
class LabelLoader:
    """Of a label file: rows of table `labels`, with the rank of a statement where there is one."""

    form: LabelFormat
    container: Container
    source: str
    policy: Policy
    engine: str | None

    def stage(self, connection: duckdb.DuckDBPyConnection, file: RecordFile) -> Malformed:
        """See Loader."""
        return stage_labels(connection, file, self.form, self.container)

    def rows(self, connection: duckdb.DuckDBPyConnection) -> str:
        """See Loader."""
        rows = label_rows(connection, self.form, self.policy, self.source, self.engine)
        return _with_columns(connection, rows, label_columns())


def session_columns(*, details: bool) -> dict[str, str]:
    """The columns of a session on its way into table `sessions`, with their types in SQL."""
    return _without(columns(details=details), "session_id") | {TALLY: "VARCHAR"}


def label_columns() -> dict[str, str]:
    """The columns of a label on its way into table `labels`."""
    return _without(LABEL_COLUMNS, "label_id") | STATEMENT | {TALLY: "VARCHAR"}


#: Those of smtp.log, a row for each message.
SMTP_COLUMNS = {name: "BOOLEAN" if name == "tls" else "VARCHAR" for name in smtp_log.FIELDS} | {
    TALLY: "VARCHAR"
}


def _without(given: Mapping[str, str], name: str) -> dict[str, str]:
    return {column: kind for column, kind in given.items() if column != name}


def _with_columns(
    connection: duckdb.DuckDBPyConnection, rows: str, wanted: Mapping[str, str]
) -> str:
    """SQL of rows with the wanted columns, in that order; what the rows lack is NULL."""
    there = {str(row[0]) for row in connection.execute(f"DESCRIBE {rows}").fetchall()}
    selected = ", ".join(
        f'CAST("{name}" AS {kind}) AS "{name}"' if name in there else f'NULL::{kind} AS "{name}"'
        for name, kind in wanted.items()
    )
    return f"SELECT {selected} FROM ({rows})"
