"""`mailtap analyze`: captures to a report."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from mailtap import labels as label_files
from mailtap import sessions as sources
from mailtap.capture.embedded import EngineOptions, analyze_captures
from mailtap.capture.errors import CaptureError
from mailtap.capture.nfstream_labels import LabellingError, NfstreamLabels
from mailtap.cli.options import report_options
from mailtap.cli.output import print_report, warn, writing
from mailtap.cli.progress import reading_progress
from mailtap.correlation.engines import DuckDBEngine
from mailtap.labels import LabelError, LabelFile
from mailtap.policy import Policy, PolicyError, load_policy
from mailtap.report.build import build_report
from mailtap.report.listing import write_sessions
from mailtap.sessions import SourceError
from mailtap.zeek.installation import ZeekError
from mailtap.zeek.run import write_logs

_ERRORS = (CaptureError, LabellingError, LabelError, PolicyError, SourceError, ZeekError)


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
    help="Who decodes: MailTap alone, or the Zeek that is installed, with MailTap's package.",
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
            options = _options(site, checksums)
            decode = _by_zeek if engine == "zeek" else _embedded
            listing = sessions is not None
            decoded = decode(capture, folder, options)
            connection = stack.enter_context(sources.open_database())
            loaded = sources.load(connection, [decoded.source], site, details=listing)
            if labeller is not None:
                labeller.wait()
            labelled = label_files.load(connection, files, site)
            warnings = (*decoded.warnings, *loaded.warnings, *labelled.warnings)
            queries = DuckDBEngine(connection)
            found = build_report(
                queries,
                site,
                engine_name=engine,
                complete=not warnings,
                with_labels=bool(files),
                with_examples=html is not None,
                listing=listing,
                warnings=warnings,
            )
            if sessions is not None:
                with writing(sessions):
                    write_sessions(
                        queries, sessions, site.redact, judged=found.consistency is not None
                    )
    except _ERRORS as error:
        raise click.ClickException(str(error)) from None
    warn(found.warnings)
    print_report(found, as_json=as_json, html=html)


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


@dataclass(frozen=True)
class Decoded:
    """A source of sessions, and what went wrong on the way to it."""

    source: Path
    warnings: tuple[str, ...]


def _embedded(captures: Sequence[Path], folder: Path, options: EngineOptions) -> Decoded:
    """The captures' session lines."""
    lines = folder / "sessions.jsonl"
    with writing(lines), lines.open("wb") as sink, reading_progress() as progress:
        summary = analyze_captures(captures, options, sink, progress)
    return Decoded(lines, summary.warnings)


def _by_zeek(captures: Sequence[Path], folder: Path, options: EngineOptions) -> Decoded:
    """Zeek's logs of the captures."""
    logs = folder / "zeek"
    logs.mkdir()
    return Decoded(logs, write_logs(captures, options, logs).warnings)
