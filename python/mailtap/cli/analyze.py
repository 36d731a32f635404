"""`mailtap analyze`: captures to a report."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from mailtap import labels as label_files
from mailtap import sources
from mailtap.capture.embedded import CaptureSummary, EngineOptions, analyze_captures
from mailtap.capture.errors import CaptureError
from mailtap.capture.nfstream_labels import LabellingError, NfstreamLabels
from mailtap.cli.options import report_options
from mailtap.cli.output import put_out, warn, writing
from mailtap.cli.progress import reading_progress
from mailtap.cli.redaction import redact_lines
from mailtap.correlation.engines import DuckDBEngine
from mailtap.labels import LabelError, LabelFile
from mailtap.policy import Policy, PolicyError, load_policy
from mailtap.report.build import build_report
from mailtap.report.model import Report
from mailtap.sources import SourceError


@click.command()
@click.argument(
    "capture", nargs=-1, required=True, metavar="CAPTURE...", type=click.Path(path_type=Path)
)
@report_options
@click.option(
    "--engine",
    type=click.Choice(["embedded"]),
    default="embedded",
    show_default=True,
    help="Who decodes.",
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
    policy: Path | None,
    as_json: bool,
    html: Path | None,
    sessions: Path | None,
    engine: str,
    dpi: str,
    checksums: bool,
) -> None:
    """Report the mail sessions of captures: pcap or pcapng, gzipped or not.

    Several captures are one analysis; name them in the order in which they were taken.
    """
    try:
        site = load_policy(policy)
        files = [LabelFile.parse(text) for text in labels]
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="mailtap-")))
            labeller = None
            if dpi == "ndpi":  # started first: it works while the decoder does
                made = LabelFile(folder / "ndpi.csv", "nfstream")
                labeller = stack.enter_context(NfstreamLabels(capture, made.path))
                files.append(made)
            lines = folder / "sessions.jsonl"
            summary = _decode(capture, lines, _options(site, checksums))
            if sessions is not None:
                with writing(sessions):
                    redact_lines(lines, sessions, site.redact)
            if labeller is not None:
                labeller.wait()
            found = _report(lines, files, site, summary, engine, with_examples=html is not None)
    except (CaptureError, LabellingError, SourceError, LabelError, PolicyError) as error:
        raise click.ClickException(str(error)) from None
    warn(found.warnings)
    put_out(found, as_json=as_json, html=html)


def _options(policy: Policy, checksums: bool) -> EngineOptions:
    return EngineOptions(
        effective_packets=policy.effective.packets,
        effective_bytes=policy.effective.payload_bytes,
        community_id_seed=policy.join.community_id_seed,
        verify_checksums=checksums,
        smtp_ports=policy.mail_ports["smtp"],
        pop3_ports=policy.mail_ports["pop3"],
        imap_ports=policy.mail_ports["imap"],
    )


def _decode(captures: Sequence[Path], lines: Path, options: EngineOptions) -> CaptureSummary:
    with writing(lines), lines.open("wb") as sink, reading_progress() as progress:
        return analyze_captures(captures, options, sink, progress)


def _report(
    lines: Path,
    files: Sequence[LabelFile],
    policy: Policy,
    summary: CaptureSummary,
    engine: str,
    *,
    with_examples: bool,
) -> Report:
    with sources.open_database() as connection:
        loaded = sources.load(connection, [lines], policy)
        labelled = label_files.load(connection, files, policy)
        warnings = (*summary.warnings, *loaded.warnings, *labelled.warnings)
        return build_report(
            DuckDBEngine(connection),
            policy,
            engine_name=engine,
            complete=not warnings,
            with_labels=bool(files),
            with_examples=with_examples,
            warnings=warnings,
        )
