"""MailTap from Python: see the package's own documentation, `help(mailtap)`.

The commands are shells over these functions.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import starmap
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import duckdb

from mailtap.capture.embedded import EngineOptions, Progress, analyze_captures
from mailtap.capture.nfstream_labels import NfstreamLabels
from mailtap.correlation.engines import DuckDBEngine, QueryEngine
from mailtap.errors import MissingPackageError, QueryError, first_line
from mailtap.files import STANDARD, StandardInput, WriteError, check_standard_input, written
from mailtap.labels import LabelFile
from mailtap.labels.label import Label
from mailtap.labels.load import load as load_labels
from mailtap.labels.table import NORMAL_FORM
from mailtap.policy import Policy, load_policy
from mailtap.printable import printable
from mailtap.records.database import lock, open_database
from mailtap.records.parquet import write_parquet
from mailtap.records.record_file import PARQUET_SUFFIX
from mailtap.report.against import Earlier, compared, read_earlier
from mailtap.report.build import build_report
from mailtap.report.html import to_html
from mailtap.report.json import document
from mailtap.report.listing import listing
from mailtap.report.model import Report as Figures
from mailtap.report.schema import schema
from mailtap.report.server_logs import Truth, parse_truth, read_truth
from mailtap.sessions.live_store import LIVE_TABLES, load_live_store
from mailtap.sessions.load import load as load_sessions
from mailtap.sessions.session import Session
from mailtap.spark.engine import LOCAL, open_spark
from mailtap.spark.load import load_on_spark
from mailtap.zeek.run import write_logs

if TYPE_CHECKING:
    import pyarrow

#: Rows that are handed over at once.
_BATCH = 4_096

_FilePath = str | os.PathLike[str]
_TruthFile = tuple[Path, str | None]
_Record = TypeVar("_Record", Session, Label)


class Report:
    """What a run found out, with the sessions behind it.

    `figures` has every figure as typed Python; `to_dict` is the same as the JSON document that
    `--json` prints. The sessions stay in a database until `close`, or until nothing refers to the
    report any more; it can be used with `with`.
    """

    def __init__(
        self, figures: Figures, engine: QueryEngine, policy: Policy, resources: ExitStack
    ) -> None:
        self.figures = figures
        self._engine = engine
        self._policy = policy
        self._close = weakref.finalize(self, resources.close)

    def to_dict(self) -> dict[str, Any]:
        """The report as dictionaries and lists, keys as in the JSON document."""
        return document(self.figures)

    @staticmethod
    def schema() -> dict[str, Any]:
        """The JSON Schema of `to_dict` and of the document that `--json` prints."""
        return schema()

    def to_html(self) -> str:
        """The report as one self-contained page."""
        return to_html(self.figures)

    def sessions(self) -> pyarrow.Table:
        """The sessions as an Arrow table, which pandas, polars and DuckDB take: the fields of
        the session record, and `app`, `label_provenance`, `verdict` and `cause` with labels.

        What the policy redacts is `***`. Raises MissingPackageError.
        """
        try:
            import pyarrow  # noqa: F401  # what the engine hands over
        except ImportError:
            raise MissingPackageError(
                "sessions as Arrow need pyarrow: pip install 'mailtap[arrow]'"
            ) from None
        with _one_line_errors():
            return self._engine.arrow(self._listing())

    def write_sessions(self, path: _FilePath) -> None:
        """Writes the sessions to a file: Parquet if it is named so (`.parquet`), else one JSON
        object a line; `-` is standard output.
        """
        with _one_line_errors(), written(Path(path)) as file:
            if Path(path).suffix == PARQUET_SUFFIX:
                self._engine.write_parquet(self._listing(), file)
            else:
                self._engine.write_json_lines(self._listing(), file)

    def close(self) -> None:
        """Drops the sessions. The figures stay."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listing(self) -> str:
        return listing(
            self._policy.redact,
            judged=self.figures.consistency is not None,
            with_live=self.figures.live is not None,
            with_truth=self.figures.has_truth,
        )


def analyze(
    captures: Sequence[_FilePath] | _FilePath,
    *,
    labels: Sequence[_FilePath | LabelFile] = (),
    truth: Sequence[_FilePath] | _FilePath = (),
    policy: _FilePath | Policy | None = None,
    engine: Literal["embedded", "zeek"] = "embedded",
    dpi: Literal["ndpi"] | None = None,
    verify_checksums: bool = False,
    keep_sessions: bool = True,
    progress: Progress | None = None,
) -> Report:
    """Analyses captures (pcap or pcapng, gzipped or not) as one, in the order given.

    - `labels`: label files of a DPI engine, `FILE`, `FILE:FORMAT` or `NAME=FILE[:FORMAT]`.
    - `truth`: logs of the mail servers themselves, `FILE` or `FILE:FORMAT`.
    - `policy`: a YAML file laid over the shipped policy.
    - Of all these files one may be `-`, standard input.
    - `engine`: the decoder, MailTap's own or an installed Zeek with MailTap's package.
    - `dpi`: a DPI engine to label the captures with.
    - `verify_checksums`: leave out packets with bad checksums.
    - `keep_sessions`: whether `Report.sessions` is going to be asked for, and examples on the page.
    - `progress`: called now and then with the bytes read and the bytes there are.

    Raises MailTapError.
    """
    paths = _paths(captures)
    files = _label_files(labels)
    servers = _truth_files(truth)
    check_standard_input([*paths, *_named(files, servers, policy)])
    site = _policy(policy)
    with _one_line_errors(), ExitStack() as stack, _scratch() as folder:
        paths = [Path("/dev/stdin") if path == STANDARD else path for path in paths]
        stdin = StandardInput(folder)
        files = _with_standard_input(files, stdin)
        logs = _truth(servers, stdin)
        labeller = None
        if dpi == "ndpi":  # started first: it works while the decoder does
            ndpi = LabelFile(folder / "ndpi.csv", "nfstream")
            labeller = stack.enter_context(NfstreamLabels(paths, ndpi.path))
            files.append(ndpi)
        options = _engine_options(site, verify_checksums)
        source = folder / "sessions.jsonl"
        if engine == "zeek":
            source = folder / "zeek"
            source.mkdir()
            warnings = write_logs(paths, options, source).warnings
        else:
            with source.open("wb") as sink:
                warnings = analyze_captures(paths, options, sink, progress).warnings
        connection = stack.enter_context(open_database())
        loaded = load_sessions(
            connection, [source], site, details=keep_sessions or logs is not None
        )
        if labeller is not None:
            labeller.wait()
        labelled = load_labels(connection, files, site)
        lock(connection)
        return _report(
            DuckDBEngine(connection),
            site,
            stack,
            engine_name=engine,
            warnings=(*warnings, *loaded.warnings, *labelled.warnings),
            with_labels=bool(files),
            keep_sessions=keep_sessions,
            truth=logs,
        )


def report(
    sources: Sequence[_FilePath] | _FilePath,
    *,
    labels: Sequence[_FilePath | LabelFile] = (),
    truth: Sequence[_FilePath] | _FilePath = (),
    policy: _FilePath | Policy | None = None,
    engine: str = "duckdb",
    against: _FilePath | None = None,
    store: _FilePath | None = None,
    keep_sessions: bool = True,
) -> Report:
    """Reports on sessions that exist already: folders of Zeek logs or single ones, a gateway's
    export, or session lines, each also as Parquet.

    - `labels`, `truth`, `policy`, `keep_sessions`: as in `analyze`.
    - `engine`: where the queries run, `duckdb`, `spark`, or `spark:MASTER`.
    - `against`: the JSON document of another run, to say what has moved.
    - `store`: the store of live mode, to say what it missed.

    Raises MailTapError.
    """
    paths = _paths(sources)
    files = _label_files(labels)
    servers = _truth_files(truth)
    other = None if against is None else Path(against)
    check_standard_input([*paths, other, *_named(files, servers, policy)])
    site = _policy(policy)
    earlier = None if other is None else read_earlier(other)
    name, _, master = engine.partition(":")
    with _one_line_errors(), ExitStack() as stack, _scratch() as folder:
        stdin = StandardInput(folder)
        paths = [stdin.file(path) for path in paths]
        files = _with_standard_input(files, stdin)
        logs = _truth(servers, stdin)
        connection = stack.enter_context(open_database())
        if store is not None:
            load_live_store(connection, Path(store))
        details = keep_sessions or logs is not None
        queries: QueryEngine
        warnings: tuple[str, ...]
        if name == "spark":
            spark = stack.enter_context(open_spark(master or LOCAL))
            spark.hand_over(connection, LIVE_TABLES if store is not None else ())
            warnings = load_on_spark(spark, paths, files, site, details=details)
            queries = spark
        else:
            loaded = load_sessions(connection, paths, site, details=details)
            labelled = load_labels(connection, files, site)
            warnings = (*loaded.warnings, *labelled.warnings)
            queries = DuckDBEngine(connection)
        lock(connection)
        return _report(
            queries,
            site,
            stack,
            engine_name=queries.name,
            warnings=warnings,
            with_labels=bool(files),
            keep_sessions=keep_sessions,
            truth=logs,
            with_live=store is not None,
            earlier=earlier,
        )


def sessions(source: _FilePath, *, policy: _FilePath | Policy | None = None) -> Iterator[Session]:
    """The sessions of a source, one after the other. Raises MailTapError."""
    with _one_line_errors(), _scratch() as folder, open_database() as connection:
        path = StandardInput(folder).file(Path(source))
        load_sessions(connection, [path], _policy(policy), details=True)
        yield from _records(connection, "sessions", Session)


def labels(
    file: _FilePath | LabelFile, *, policy: _FilePath | Policy | None = None
) -> Iterator[Label]:
    """The labels of a file in normal form: `FILE`, `FILE:FORMAT` or `NAME=FILE[:FORMAT]`.

    Raises MailTapError.
    """
    with _one_line_errors(), _scratch() as folder, open_database() as connection:
        files = _with_standard_input(_label_files([file]), StandardInput(folder))
        load_labels(connection, files, _policy(policy))
        yield from _records(connection, "labels", Label)


def write_sessions(
    source: _FilePath, path: _FilePath, *, policy: _FilePath | Policy | None = None
) -> None:
    """Writes the sessions of a source to a Parquet file, which is a source itself.

    Columns are the fields of the session record; what the policy redacts is `***`. Raises
    MailTapError.
    """
    site = _policy(policy)
    with _one_line_errors(), _scratch() as folder, open_database() as connection:
        load_sessions(connection, [StandardInput(folder).file(Path(source))], site, details=True)
        with written(Path(path)) as file:
            query = listing(site.redact, judged=False, table="sessions")
            write_parquet(connection, query, file)


def write_labels(
    file: _FilePath | LabelFile, path: _FilePath, *, policy: _FilePath | Policy | None = None
) -> None:
    """Writes the labels of a file in normal form to a Parquet file, which is a label file itself.

    Columns are the fields of `Label`. Raises MailTapError.
    """
    with _one_line_errors(), _scratch() as folder, open_database() as connection:
        files = _with_standard_input(_label_files([file]), StandardInput(folder))
        load_labels(connection, files, _policy(policy))
        with written(Path(path)) as target:
            write_parquet(connection, NORMAL_FORM, target)


def _report(
    engine: QueryEngine,
    policy: Policy,
    stack: ExitStack,
    *,
    engine_name: str,
    warnings: tuple[str, ...],
    with_labels: bool,
    keep_sessions: bool,
    with_live: bool = False,
    truth: Truth | None = None,
    earlier: Earlier | None = None,
) -> Report:
    if truth is not None:
        warnings = (*warnings, *truth.warnings)
    figures = build_report(
        engine,
        policy,
        engine_name=engine_name,
        complete=not warnings,
        with_labels=with_labels,
        listing=keep_sessions,
        with_live=with_live,
        truth=truth,
        warnings=warnings,
    )
    if earlier is not None:
        figures = compared(figures, earlier)
    return Report(figures, engine, policy, stack.pop_all())


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Turns what goes wrong below into one line: the query engine, or a full disk.

    Raises QueryError, or WriteError.
    """
    try:
        yield
    except duckdb.Error as error:
        raise QueryError(f"the query engine failed: {first_line(error)}") from None
    except OSError as error:
        named = printable(str(error.filename or "temporary files"))
        raise WriteError(f"{named}: {error.strerror or first_line(error)}") from None


@contextmanager
def _scratch() -> Iterator[Path]:
    with TemporaryDirectory(prefix="mailtap-") as folder:
        yield Path(folder)


def _with_standard_input(files: list[LabelFile], stdin: StandardInput) -> list[LabelFile]:
    return [replace(file, path=stdin.file(file.path)) for file in files]


def _paths(paths: Sequence[_FilePath] | _FilePath) -> list[Path]:
    if isinstance(paths, str | os.PathLike):
        return [Path(paths)]
    return [Path(path) for path in paths]


def _policy(policy: _FilePath | Policy | None) -> Policy:
    if isinstance(policy, Policy):
        return policy
    return load_policy(None if policy is None else Path(policy))


def _label_files(labels: Sequence[_FilePath | LabelFile]) -> list[LabelFile]:
    return [
        label if isinstance(label, LabelFile) else LabelFile.parse(os.fspath(label))
        for label in labels
    ]


def _truth_files(truth: Sequence[_FilePath] | _FilePath) -> list[_TruthFile]:
    files = [truth] if isinstance(truth, str | os.PathLike) else truth
    return [parse_truth(os.fspath(file)) for file in files]


def _truth(files: Sequence[_TruthFile], stdin: StandardInput) -> Truth | None:
    return read_truth([(stdin.file(path), form) for path, form in files]) if files else None


def _named(
    labels: Sequence[LabelFile],
    truth: Sequence[_TruthFile],
    policy: _FilePath | Policy | None,
) -> list[Path]:
    """The files that these options name."""
    policies = [] if policy is None or isinstance(policy, Policy) else [Path(policy)]
    return [*(file.path for file in labels), *(path for path, _ in truth), *policies]


def _engine_options(policy: Policy, verify_checksums: bool) -> EngineOptions:
    return EngineOptions(
        effective_packets=policy.effective.packets,
        effective_bytes=policy.effective.payload_bytes,
        community_id_seed=policy.join.community_id_seed,
        verify_checksums=verify_checksums,
        smtp_ports=policy.mail_ports["smtp"],
        pop3_ports=policy.mail_ports["pop3"],
        imap_ports=policy.mail_ports["imap"],
    )


def _records(
    connection: duckdb.DuckDBPyConnection, table: str, kind: Callable[..., _Record]
) -> Iterator[_Record]:
    names = list(kind.__dataclass_fields__)  # type: ignore[attr-defined]
    number = "session_id" if table == "sessions" else "label_id"
    columns = ", ".join(f'"{name}"' for name in names)
    result = connection.execute(f"SELECT {columns} FROM {table} ORDER BY {number}")
    while rows := result.fetchmany(_BATCH):
        yield from starmap(kind, (tuple(map(_frozen, row)) for row in rows))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
