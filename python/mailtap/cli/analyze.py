"""`mailtap analyze`: captures to a report."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from mailtap import api
from mailtap.cli.options import report_options
from mailtap.cli.output import check_standard_output, one_line_errors, print_report
from mailtap.cli.progress import reading_progress


@click.command()
@click.argument(
    "capture", nargs=-1, required=True, metavar="CAPTURE...", type=click.Path(path_type=Path)
)
@report_options
@click.option(
    "--engine",
    type=click.Choice(["embedded", "zeek"]),
    default="embedded",
    show_default=True,
    help="Decoder to use: MailTap alone, or the Zeek that is installed, with MailTap's package.",
)
@click.option(
    "--dpi",
    type=click.Choice(["ndpi", "none"]),
    default="none",
    show_default=True,
    help="A DPI engine to label the same captures with.",
)
@click.option("--checksums", is_flag=True, help="Leave out packets with bad checksums.")
def analyze(
    capture: tuple[Path, ...],
    labels: tuple[str, ...],
    truth: tuple[str, ...],
    policy: Path | None,
    as_json: bool,
    html: Path | None,
    sessions: Path | None,
    engine: Literal["embedded", "zeek"],
    dpi: str,
    checksums: bool,
) -> None:
    """Report the mail sessions of captures: pcap or pcapng, gzipped or not.

    Several captures are one analysis; name them in the order in which they were taken. `-` is
    standard input.
    """
    check_standard_output(as_json=as_json, html=html, sessions=sessions)
    with one_line_errors():
        with reading_progress() as progress:
            found = api.analyze(
                capture,
                labels=labels,
                truth=truth,
                policy=policy,
                engine=engine,
                dpi="ndpi" if dpi == "ndpi" else None,
                verify_checksums=checksums,
                keep_sessions=html is not None or sessions is not None,
                progress=progress,
            )
        with found:
            print_report(found, as_json=as_json, html=html, sessions=sessions)
