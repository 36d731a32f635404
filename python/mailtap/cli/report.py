"""`mailtap report`: sessions and labels that exist already, to a report."""

from __future__ import annotations

from pathlib import Path

import click

from mailtap import api
from mailtap.cli.options import report_options
from mailtap.cli.output import check_standard_output, one_line_errors, print_report
from mailtap.report.model import Report


def _engine(_: click.Context, __: click.Parameter, value: str) -> str:
    """`duckdb`, `spark`, or `spark:` with the URL of the master."""
    engine, colon, master = value.partition(":")
    if value == "duckdb" or (engine == "spark" and bool(colon) == bool(master)):
        return value
    raise click.BadParameter("give duckdb, spark, or spark:MASTER")


@click.command()
@click.argument(
    "source", nargs=-1, required=True, metavar="SOURCE...", type=click.Path(path_type=Path)
)
@report_options
@click.option(
    "--engine",
    callback=_engine,
    default="duckdb",
    metavar="duckdb|spark[:MASTER]",
    help="Where the queries run; Spark on this machine unless a cluster's master is named.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="OTHER.json",
    help="The JSON document of another run, to say what has moved; - is standard input.",
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
    truth: tuple[str, ...],
    policy: Path | None,
    as_json: bool,
    html: Path | None,
    sessions: Path | None,
    engine: str,
    against: Path | None,
    store: Path | None,
    fail_under: float | None,
) -> None:
    """Report how sessions were decoded, and how far that agrees with labels.

    SOURCE is a folder of Zeek logs or one of its files, a gateway's export of sessions, or the
    session lines of `mailtap analyze`, each also as Parquet; `-` is standard input.
    """
    check_standard_output(as_json=as_json, html=html, sessions=sessions)
    with (
        one_line_errors(),
        api.report(
            source,
            labels=labels,
            truth=truth,
            policy=policy,
            engine=engine,
            against=against,
            store=store,
            keep_sessions=html is not None or sessions is not None,
        ) as found,
    ):
        print_report(found, as_json=as_json, html=html, sessions=sessions)
    if fail_under is not None:
        _fail_under(found.figures, fail_under)


def _fail_under(report: Report, least: float) -> None:
    consistency = report.consistency
    if consistency is None or consistency.consistent.share is None:
        raise click.ClickException("--fail-under: no session has a label to agree with")
    share = consistency.consistent.share
    if share < least:
        raise click.ClickException(f"{share:.2%} of the sessions are consistent, below {least:.2%}")
