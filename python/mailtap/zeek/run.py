"""Runs Zeek with MailTap's package on captures."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mailtap.capture.embedded import EngineOptions
from mailtap.capture.errors import CaptureError, shown
from mailtap.capture.reader import Capture
from mailtap.printable import printable
from mailtap.zeek.installation import Installation, ZeekError, find_installation
from mailtap.zeek.stream import StreamWriter


@dataclass(frozen=True)
class ZeekSummary:
    """What became of the captures."""

    complete: bool
    warnings: tuple[str, ...]


def write_logs(paths: Sequence[Path], options: EngineOptions, folder: Path) -> ZeekSummary:
    """Have Zeek write its logs of several captures, taken as one, into `folder`, as JSON.

    The folder then is a source like a sensor's: conn.log has every session, mail_session.log what
    MailTap knows of those that say anything. A damaged capture counts as far as it can be read.

    Raises:
        ZeekError: Zeek or its package is missing, or failed.
        CaptureError: a capture can't be read at all, or its link type isn't the first one's.
    """
    installation = find_installation()
    with (folder / "stderr.txt").open("wb") as errors:
        process = subprocess.Popen(
            [str(installation.zeek), *_arguments(installation, options)],
            cwd=folder,
            env=os.environ | installation.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        assert process.stdin is not None  # noqa: S101  # as asked for
        try:
            warnings = _feed(paths, process.stdin)
        except BaseException:
            process.kill()
            raise
        finally:
            status = process.wait()
    if status != 0:
        raise ZeekError(f"{installation.zeek} failed: {_last_line(folder / 'stderr.txt')}")
    return ZeekSummary(not warnings, tuple(warnings))


def _arguments(installation: Installation, options: EngineOptions) -> list[str]:
    arguments = ["-r", "-", installation.scripts]
    if not options.verify_checksums:
        arguments.insert(0, "-C")
    settings = {
        "LogAscii::use_json": "T",
        "MailTap::log_tls": "T",
        "MailTap::effective_packets": str(options.effective_packets),
        "MailTap::effective_bytes": str(options.effective_bytes),
        "MailTap::community_id_seed": str(options.community_id_seed),
    }
    for name, ports in (
        ("smtp", options.smtp_ports),
        ("pop3", options.pop3_ports),
        ("imap", options.imap_ports),
    ):
        if ports is not None:
            settings[f"MailTap::{name}_ports"] = _port_set(ports)
    return arguments + [f"{name}={value}" for name, value in settings.items()]


def _port_set(ports: Iterable[int]) -> str:
    return "set(" + ", ".join(f"{port}/tcp" for port in ports) + ")"


def _feed(paths: Sequence[Path], zeek: IO[bytes]) -> list[str]:
    """Hand the packets to Zeek, which reads one capture only. It may end early."""
    warnings = []
    writer: StreamWriter | None = None
    try:
        with zeek:
            for path in paths:
                with Capture(path) as capture:
                    if writer is None:
                        writer = StreamWriter(zeek, capture.link_type)
                    if capture.link_type != writer.link_type:
                        raise CaptureError(
                            f"{shown(path)}: link type {capture.link_type}, but those before have "
                            f"{writer.link_type}: analyse them apart"
                        )
                    count = 0
                    for header, data in capture:
                        writer.write(header, data)
                        count += 1
                if capture.broken:
                    warnings.append(
                        f"{shown(path)}: broke off after {count} packets: {capture.broken}"
                    )
    except BrokenPipeError:
        pass  # Zeek ended, and says why
    return warnings


def _last_line(errors: Path) -> str:
    lines = errors.read_text(errors="replace").split("\n")
    messages = [line.strip() for line in lines if line.strip()]
    return printable(messages[-1] if messages else "no reason given")
