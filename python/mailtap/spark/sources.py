"""Sources that Spark reads itself, into the tables `sessions` and `labels`.

The driver looks at the beginning of each file, and says what it is; executors load it. Only their
tallies come back: how many lines of each part were malformed, and where the first one is.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from mailtap.labels.detect import LabelError, LabelFile
from mailtap.labels.detect import recognise as recognise_labels
from mailtap.labels.formats import ENDPOINTS, NORMAL_LABEL
from mailtap.policy import Policy
from mailtap.printable import printable
from mailtap.records.containers import Csv, Separated
from mailtap.records.database import open_database
from mailtap.records.malformed import Malformed
from mailtap.records.record_file import PARQUET_SUFFIX, RecordFile, UnreadableFileError
from mailtap.sessions import smtp_log
from mailtap.sessions.completion import session_queries
from mailtap.sessions.detect import Kind, Recognised, SourceError, recognise
from mailtap.sessions.load import check_kinds, has_no_source, source_of
from mailtap.sessions.session_records import REQUIRED
from mailtap.sessions.zeek import LOG_NAME
from mailtap.spark.engine import SparkEngine
from mailtap.spark.executor import (
    TALLY,
    Loader,
    Tally,
    load_columns,
    load_lines,
    load_whole,
    query,
)
from mailtap.spark.loaders import (
    SMTP_COLUMNS,
    LabelLoader,
    SessionLoader,
    label_columns,
    session_columns,
)
from mailtap.spark.storage import Storage, StoredFile
from mailtap.spark.types import arrow_schema, spark_schema, spark_types

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

#: A file of lines above is divided among tasks, a smaller one is a task's whole.
DIVIDED_ABOVE = 32 << 20

#: A compressed file above can't be handed to a task as a whole.
LARGEST_WHOLE = (1 << 31) - 1

Columns = Mapping[str, str]


@dataclass(frozen=True)
class Input:
    """A file, how it is read, and what loads it."""

    stored: StoredFile
    file: RecordFile
    container: object
    loader: Loader


def load_sessions(
    engine: SparkEngine, paths: Sequence[Path], policy: Policy, *, details: bool
) -> tuple[str, ...]:
    """Makes table `sessions` of sources as `mailtap.sessions.load` does; the warnings about them.

    Raises SourceError.
    """
    try:
        found = _recognised(engine.storage, paths, policy)
        several = len({source for _, _, source in found}) > 1
        inputs: dict[Kind, list[Input]] = defaultdict(list)
        for stored, recognised, source in found:
            shipped = replace(recognised, file=_shipped(recognised.file))
            loader = SessionLoader(shipped, source, policy, details, several)
            inputs[recognised.kind].append(
                Input(stored, shipped.file, recognised.container, loader)
            )
        check_kinds({kind: len(inputs[kind]) for kind in Kind})
        warnings = []
        for kind in (kind for kind in Kind if inputs[kind]):
            columns = SMTP_COLUMNS if kind is Kind.SMTP else session_columns(details=details)
            warnings += _keep(engine, _staged(kind), inputs[kind], columns)
    except UnreadableFileError as error:
        raise SourceError(str(error)) from None
    names = [name for name in session_columns(details=details) if name != TALLY]
    files = {kind: len(inputs[kind]) for kind in Kind}
    queries = list(
        session_queries(
            files,
            lambda kind: _each_once(kind, files),
            lambda: _smtp_connections(engine),
            lambda _: names,
        )
    )
    listed = ", ".join(names)
    all_rows = " UNION ALL ".join(f"SELECT {listed} FROM ({rows})" for rows in queries)
    if not queries:
        types = spark_schema(session_columns(details=details))
        engine.fill("no_sessions", types, [])
        all_rows = f"SELECT {listed} FROM no_sessions"
    engine.table(
        "sessions", f"SELECT monotonically_increasing_id() AS session_id, * FROM ({all_rows})"
    )
    return tuple(warnings)


def load_labels(engine: SparkEngine, files: Sequence[LabelFile], policy: Policy) -> tuple[str, ...]:
    """Makes table `labels` of label files as `mailtap.labels.load` does; the warnings about them.

    Raises LabelError.
    """
    inputs: list[Input] = []
    try:
        with open_database() as connection:
            for label_file in files:
                source = printable(str(label_file.path))
                stored_files, _ = engine.storage.find(label_file.path)
                if not stored_files:
                    raise LabelError(f"{source}: has no files")
                for stored in stored_files:
                    file = engine.storage.open(connection, stored)
                    form, container = recognise_labels(file, label_file.form, policy)
                    loader = LabelLoader(form, container, source, policy, label_file.engine)
                    inputs.append(Input(stored, _shipped(file), container, loader))
        columns = label_columns()
        warnings = _keep(engine, "staged_labels", inputs, columns)
    except UnreadableFileError as error:
        raise LabelError(str(error)) from None
    names = ", ".join(f'"{name}"' for name in columns if name not in ("rank", "moment", TALLY))
    engine.table(
        "labels",
        f"SELECT monotonically_increasing_id() AS label_id, {names} FROM ("
        f"SELECT {names} FROM staged_labels WHERE {TALLY} IS NULL AND rank IS NULL UNION ALL "
        f"SELECT {names} FROM ({_last_statements()}))",
    )
    return tuple(warnings)


def _recognised(
    storage: Storage, paths: Sequence[Path], policy: Policy
) -> list[tuple[StoredFile, Recognised, str]]:
    """Each file once, what it is, and the source that its sensors are named after."""
    found: dict[str, tuple[StoredFile, Recognised, str]] = {}
    with open_database() as connection:
        for path in paths:
            files, is_folder = storage.find(path)
            if is_folder:
                files = [file for file in files if _is_source(file.path)]
                if not files:
                    raise has_no_source(path)
            for stored in files:
                recognised = recognise(storage.open(connection, stored), policy)
                if recognised is not None:
                    found.setdefault(stored.url, (stored, recognised, source_of(path)))
    return list(found.values())


def _is_source(path: Path) -> bool:
    return LOG_NAME.fullmatch(path.name) is not None or path.suffix == PARQUET_SUFFIX


def _shipped(file: RecordFile) -> RecordFile:
    """As an executor gets it: types of the query engine can't be sent, and aren't needed there."""
    return replace(file, schema=None if file.schema is None else ())


def _staged(kind: Kind) -> str:
    return f"staged_{kind.name.lower()}"


def _keep(engine: SparkEngine, table: str, inputs: Sequence[Input], columns: Columns) -> list[str]:
    """Has executors load files into a table; the warnings about them. Raises what they found."""
    frames = list(_frames(engine, inputs, columns))
    if not frames:
        engine.fill(table, spark_schema(columns), [])
        return []
    engine.keep(table, reduce(lambda one, other: one.unionAll(other), frames))
    rows = engine.rows(f"SELECT {TALLY} FROM {table} WHERE {TALLY} IS NOT NULL")
    tallies: dict[str, list[Tally]] = defaultdict(list)
    for row in rows:
        tally = Tally(**json.loads(row[TALLY]))
        tallies[tally.named].append(tally)
    order = list(dict.fromkeys(given.file.named for given in inputs))
    return [warning for named in order for warning in _warnings(tallies[named])]


def _warnings(parts: Sequence[Tally]) -> Iterator[str]:
    """What the parts of one file have to say, as of a file that is read in one go."""
    malformed = first = before = 0
    for part in sorted(parts, key=lambda part: part.offset):
        if part.error is not None:
            raise UnreadableFileError(part.error)
        if part.damage is not None:
            yield f"{part.named}: {part.damage}"
        if part.malformed and not malformed:
            first = before + part.first
        malformed += part.malformed
        before += part.lines
    if malformed:
        part = parts[0]
        yield Malformed(malformed, first).warning(part.named, part.unit)


def _frames(engine: SparkEngine, inputs: Sequence[Input], columns: Columns) -> Iterator[DataFrame]:
    schema, types = arrow_schema(columns), spark_types(columns)
    whole = {}
    for given in inputs:
        task: Callable[..., object]
        if given.file.schema is not None:
            named = engine.storage.parquet(given.stored)
            frame = named.toDF(*(f"c{n}" for n in range(len(named.columns))))  # without dots
            task = load_columns(given.file, named.columns, given.loader, schema)
        elif given.file.compression == "uncompressed" and given.stored.bytes > DIVIDED_ABOVE:
            frame = engine.storage.lines(given.stored)
            task = load_lines(given.file, _header(given), given.loader, schema)
        else:
            if given.stored.bytes > LARGEST_WHOLE:
                raise UnreadableFileError(
                    f"{given.file.named}: a compressed file of more than 2 GiB can't be divided; "
                    "unpack it, or write Parquet"
                )
            whole[given.stored.url] = given
            continue
        yield frame.mapInArrow(task, types)
    if whole:
        loaders = {url: (given.file, given.loader) for url, given in whole.items()}
        frame = engine.storage.contents([given.stored for given in whole.values()])
        yield frame.mapInArrow(load_whole(loaders, schema), types)


def _header(given: Input) -> tuple[str, ...]:
    """The lines at a file's beginning without which the others can't be read."""
    if isinstance(given.container, Csv):
        return given.file.head[:1]
    if isinstance(given.container, Separated):
        lines = enumerate(given.file.head)
        return given.file.head[: next((n for n, line in lines if not line.startswith("#")), 0)]
    return ()


def _each_once(kind: Kind, files: Mapping[Kind, int]) -> str:
    """SQL of a kind's records: Zeek's current and rotated logs may have the same."""
    rows = f"SELECT * FROM {_staged(kind)} WHERE {TALLY} IS NULL"
    if kind is Kind.GATEWAY or files[kind] < 2:
        return rows
    key = ", ".join(("uid", *REQUIRED))
    return (
        f"SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY uid) AS copy "
        f"FROM ({rows})) WHERE copy = 1"
    )


def _smtp_connections(engine: SparkEngine) -> str:
    """SQL of smtp.log's messages, put together by connection on executors as on one machine."""
    of_smtp = session_columns(details=True)
    columns = {name: of_smtp[name] for name in ("uid", "starttls", *smtp_log.COMPLETED)}
    rows = engine.frame(f"SELECT * FROM {_staged(Kind.SMTP)} WHERE {TALLY} IS NULL")
    sql = f"SELECT {', '.join(columns)} FROM ({smtp_log.smtp_columns('SELECT * FROM input')})"
    task = query(sql, arrow_schema(columns))
    engine.keep("smtp_sessions", rows.repartition("uid").mapInArrow(task, spark_types(columns)))
    return "SELECT * FROM smtp_sessions"


def _last_statements() -> str:
    """SQL of one row for each flow on which an engine made statements: the best, then the latest.

    As `mailtap.labels.load` does it for one file.
    """
    key = (*ENDPOINTS, "l4", '"start"', "source", "engine")
    chosen = ", ".join(f"'{name}', {name}" for name in ("name", *NORMAL_LABEL))
    rest = [
        name
        for name in label_columns()
        if name not in (*ENDPOINTS, "l4", "start", "source", "engine", "end", "packets", "name")
        and name not in (*NORMAL_LABEL, "rank", "moment", TALLY)
    ]
    others = ", ".join(f"any_value({name}, true) AS {name}" for name in rest)
    best = ", ".join(f"best.{name} AS {name}" for name in ("name", *NORMAL_LABEL))
    return (
        f"SELECT *, {best} FROM (SELECT {', '.join(key)}, "
        f'max("end") AS "end", max(packets) AS packets, {others}, '
        f"max_by(named_struct({chosen}), struct(rank, coalesce(moment, 0))) AS best "
        f"FROM staged_labels WHERE {TALLY} IS NULL AND rank IS NOT NULL "
        f"GROUP BY {', '.join(key)}, CASE WHEN src_ip IS NULL THEN community_id END)"
    )
