"""Label files into table `labels`: rows stay in the query engine, only their names come out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from mailtap.labels.detect import LabelError, LabelFile, recognise
from mailtap.labels.formats import ENDPOINTS, NAT_ENDPOINTS, NORMAL, LabelFormat
from mailtap.labels.normal import NORMAL_LABELS, TooManyNamesError, stage_normal_labels
from mailtap.labels.projection import projection
from mailtap.labels.table import COLUMNS, RECORDS, create_table
from mailtap.policy import Policy
from mailtap.printable import printable
from mailtap.records.containers import Container
from mailtap.records.key import endpoints_sql
from mailtap.records.malformed import Malformed, count, forget_rejects
from mailtap.records.record_file import (
    RecordFile,
    UnreadableFileError,
    files_within,
    open_file,
    quoted,
    read,
)
from mailtap.records.selection import Reading
from mailtap.records.staging import stage

STAGED = "mailtap_staged_labels"
LATEST = "mailtap_latest_labels"


@dataclass(frozen=True)
class LoadedFile:
    """What came of one file: labels, records not about a TCP flow, and malformed lines."""

    file: str
    form: str
    labels: int
    other: int
    malformed: int


@dataclass(frozen=True)
class LabelsLoaded:
    """What came of all files; every warning is about a part that could not be read."""

    files: tuple[LoadedFile, ...]
    warnings: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every line of every file was read."""
        return not self.warnings


def load(
    connection: duckdb.DuckDBPyConnection, files: Sequence[LabelFile], policy: Policy
) -> LabelsLoaded:
    """Makes `labels` of `files`, or of all files in folders. Raises LabelError."""
    create_table(connection)
    loaded = []
    warnings: list[str] = []
    for file, source in _files(files):
        with tempfile.TemporaryDirectory(prefix="mailtap-") as scratch:
            try:
                loaded.append(_load_file(connection, file, source, policy, Path(scratch), warnings))
            except (UnreadableFileError, TooManyNamesError) as error:
                raise LabelError(str(error)) from None
            finally:
                _forget(connection)
    return LabelsLoaded(tuple(loaded), tuple(warnings))


def _files(files: Sequence[LabelFile]) -> Iterator[tuple[LabelFile, str]]:
    """Each file with what its labels are named after: that of a folder by the folder, such as one
    with a file for each day.
    """
    for file in files:
        source = printable(str(file.path))
        if not file.path.is_dir():
            yield file, source
            continue
        within = files_within(file.path)
        if not within:
            raise LabelError(f"{source}: has no files")
        for path in within:
            yield replace(file, path=path), source


def _load_file(
    connection: duckdb.DuckDBPyConnection,
    label_file: LabelFile,
    source: str,
    policy: Policy,
    scratch: Path,
    warnings: list[str],
) -> LoadedFile:
    file = open_file(connection, label_file.path)
    form, container = recognise(file, label_file.form, policy)
    file, malformed = read(
        file,
        scratch,
        load=lambda whole: stage_labels(connection, whole, form, container),
        forget=lambda: _forget(connection),
    )
    if file.damage is not None:
        warnings.append(f"{file.named}: {file.damage}")
    if malformed.count:
        warnings.append(malformed.warning(file.named, file.unit))
    other = count(connection, f"SELECT count(*) FROM {STAGED} WHERE state = 'other'")
    if form.statements is not None:
        _keep_last_statement(connection)
    labels = _insert(connection, label_rows(connection, form, policy, source, label_file.engine))
    return LoadedFile(file.named, form.name, labels, other, malformed.count)


def _forget(connection: duckdb.DuckDBPyConnection) -> None:
    for table in (STAGED, LATEST, NORMAL_LABELS):
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    forget_rejects(connection)


def stage_labels(
    connection: duckdb.DuckDBPyConnection,
    file: RecordFile,
    form: LabelFormat,
    container: Container,
) -> Malformed:
    """Add the records of a file of that format to the table of staged labels."""

    def rows(reading: Reading) -> str:
        return projection(form, container, file, reading)

    return stage(connection, STAGED, rows, container.first_line)


def _keep_last_statement(connection: duckdb.DuckDBPyConnection) -> None:
    """One row per flow, with the best statement's label, the latest of equally good ones."""
    flow_id = "CASE WHEN src_ip IS NULL THEN community_id END"
    key = f'{", ".join(ENDPOINTS)}, {flow_id}, l4, "start"'
    nat = ", ".join(f"any_value({name}) AS {name}" for name in NAT_ENDPOINTS)
    connection.execute(
        f"CREATE TABLE {LATEST} AS SELECT * EXCLUDE (best), best.name, best.evidence FROM ("
        f'SELECT {", ".join(ENDPOINTS)}, l4, "start", max("end") AS "end", '
        f"max(packets) AS packets, {nat}, any_value(community_id) AS community_id, "
        "any_value(state) AS state, arg_max({'name': name, 'evidence': evidence}, "
        "{'rank': rank, 'moment': coalesce(moment, 0)}"
        f") AS best FROM {STAGED} WHERE state = 'flow' GROUP BY {key})"
    )
    connection.execute(f"DROP TABLE {STAGED}")
    connection.execute(f"ALTER TABLE {LATEST} RENAME TO {STAGED}")


def label_rows(
    connection: duckdb.DuckDBPyConnection,
    form: LabelFormat,
    policy: Policy,
    source: str,
    engine: str | None,
) -> str:
    """SQL of the staged records about flows with the columns of table `labels` but `label_id`.

    `engine` is what the user calls it, if anything. Raises TooManyNamesError.
    """
    flows = f"SELECT * FROM {STAGED} WHERE state = 'flow'"
    if form.name == NORMAL.name:
        own = "NULL" if engine is None else quoted(engine)
        meant = (
            f"SELECT * REPLACE (coalesce(source, {quoted(source)}) AS source, "
            f"coalesce({own}, engine, '{form.name}') AS engine, "
            "coalesce(app, lower(name), '') AS app, "
            "coalesce(encryption, 'unknown') AS encryption, "
            "coalesce(provenance, 'unknown') AS provenance, "
            f"coalesce(is_label, true) AS is_label) FROM ({flows})"
        )
    else:
        names = f"SELECT name, evidence FROM ({flows})"
        stage_normal_labels(connection, names, form.engine, source, policy)
        named = f"{quoted(source)} AS source, {quoted(engine or form.name)} AS engine"
        meant = (
            f"SELECT flows.*, normal.* EXCLUDE (name, evidence), {named} FROM ({flows}) AS flows "
            f"JOIN {NORMAL_LABELS} AS normal ON flows.name IS NOT DISTINCT FROM normal.name "
            "AND flows.evidence IS NOT DISTINCT FROM normal.evidence"
        )
    return (
        f"SELECT *, {endpoints_sql(*ENDPOINTS)}, {endpoints_sql(*NAT_ENDPOINTS, prefix='nat_')} "
        f"FROM ({meant})"
    )


def _insert(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    columns = ", ".join(f'"{name}"' for name in COLUMNS if name != "label_id")
    return count(connection, f"INSERT INTO {RECORDS} ({columns}) SELECT {columns} FROM ({rows})")
