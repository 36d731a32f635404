"""`mailtap report`: sessions and labels that exist already, to a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import duckdb

from mailtap import labels as label_files
from mailtap import sessions as sources
from mailtap.cli.options import report_options
from mailtap.cli.output import print_report, warn, writing
from mailtap.correlation.engines import DuckDBEngine, QueryEngine
from mailtap.correlation.spark import LOCAL, SparkError, open_spark
from mailtap.labels import LabelError, LabelFile
from mailtap.policy import Policy, PolicyError, load_policy
from mailtap.report.against import AgainstError, compared
from mailtap.report.build import build_report
from mailtap.report.listing import write_sessions
from mailtap.report.model import Report
from mailtap.sessions import SourceError
from mailtap.sessions.live_store import LIVE_TABLES


def _engine_name(_: click.Context, __: click.Parameter, value: str) -> tuple[str, str]:
    """The engine, and the URL of the master where it is Spark."""
    engine, colon, master = value.partition(":")
    if value == "duckdb" or (engine == "spark" and bool(colon) == bool(master)):
        return engine, master or LOCAL
    raise click.BadParameter("give duckdb, spark, or spark:MASTER")


@click.command()
@click.argument(
    "source", nargs=-1, required=True, metavar="SOURCE...", type=click.Path(path_type=Path)
)
@report_options
@click.option(
    "--engine",
    callback=_engine_name,
    default="duckdb",
    metavar="duckdb|spark[:MASTER]",
    help="Where the queries run; Spark on this machine unless a cluster's master is named.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="OTHER.json",
    help="The JSON document of another run: what has moved, and by what.",
)
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The store of live mode: what it missed of these sessions and labels.",
)
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Exit with status 1 if a smaller share (0 to 1) of the sessions is consistent.",
)
def report(
    source: tuple[Path, ...],
    labels: tuple[str, ...],
    policy: Path | None,
    as_json: bool,
    html: Path | None,
    sessions: Path | None,
    engine: tuple[str, str],
    against: Path | None,
    store: Path | None,
    fail_under: float | None,
) -> None:
    """Report how sessions were decoded, and how far that agrees with labels.

    SOURCE is a folder of Zeek logs or one of its files, a gateway's export of sessions, or the
    session lines of `mailtap analyze`.
    """
    try:
        site = load_policy(policy)
        files = [LabelFile.parse(text) for text in labels]
        with sources.open_database() as connection:
            warnings = _load(connection, source, files, site, details=sessions is not None)
            if store is not None:
                sources.load_live_store(connection, store)
            with _engine(connection, *engine, LIVE_TABLES if store else ()) as queries:
                found = build_report(
                    queries,
                    site,
                    engine_name=queries.name,
                    complete=not warnings,
                    with_labels=bool(files),
                    with_examples=html is not None,
                    listing=sessions is not None,
                    with_live=store is not None,
                    warnings=warnings,
                )
                warn(found.warnings)
                if sessions is not None:
                    with writing(sessions):
                        write_sessions(
                            queries,
                            sessions,
                            site.redact,
                            judged=found.consistency is not None,
                            with_live=store is not None,
                        )
        if against is not None:
            found = compared(found, against)
    except (SourceError, LabelError, PolicyError, SparkError, AgainstError) as error:
        raise click.ClickException(str(error)) from None
    print_report(found, as_json=as_json, html=html)
    if fail_under is not None:
        _fail_under(found, fail_under)


def _load(
    connection: duckdb.DuckDBPyConnection,
    paths: tuple[Path, ...],
    files: list[LabelFile],
    policy: Policy,
    *,
    details: bool,
) -> tuple[str, ...]:
    """Fills the tables `sessions` and `labels`, and returns what could not be read."""
    loaded = sources.load(connection, paths, policy, details=details)
    labelled = label_files.load(connection, files, policy)
    return (*loaded.warnings, *labelled.warnings)


@contextmanager
def _engine(
    connection: duckdb.DuckDBPyConnection, name: str, master: str, more: Iterable[str]
) -> Iterator[QueryEngine]:
    if name == "spark":
        with open_spark(connection, master, more) as engine:
            yield engine
    else:
        yield DuckDBEngine(connection)


def _fail_under(report: Report, least: float) -> None:
    consistency = report.consistency
    if consistency is None or consistency.consistent.share is None:
        raise click.ClickException("--fail-under: no session has a label to agree with")
    share = consistency.consistent.share
    if share < least:
        raise click.ClickException(f"{share:.2%} of the sessions are consistent, below {least:.2%}")
