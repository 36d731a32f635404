"""The embedded engine: captures to session lines, without Zeek."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mailtap._engine import Engine
from mailtap.capture.errors import CaptureError, shown
from mailtap.capture.reader import Capture, check_readable

if TYPE_CHECKING:
    from mailtap._engine import Statistics

PACKETS_BETWEEN_WRITES = 4096

Progress = Callable[[int, int], None]
"""Called now and then with the bytes read and the bytes there are (0: not known, a pipe)."""


@dataclass(frozen=True)
class EngineOptions:
    """What a user may set; the defaults are the field's."""

    effective_packets: int = 3
    effective_bytes: int = 5
    community_id_seed: int = 0
    verify_checksums: bool = False
    smtp_ports: tuple[int, ...] | None = None
    pop3_ports: tuple[int, ...] | None = None
    imap_ports: tuple[int, ...] | None = None


@dataclass(frozen=True)
class CaptureSummary:
    """What became of the captures."""

    complete: bool
    warnings: tuple[str, ...]
    statistics: Statistics = field(repr=False)


def analyze_captures(
    paths: Sequence[Path],
    options: EngineOptions,
    sink: BinaryIO,
    progress: Progress | None = None,
) -> CaptureSummary:
    """Write the session lines of several captures, taken as one, in the order given.

    A damaged capture counts as far as it can be read.

    Raises:
        CaptureError: one of them can't be read at all.
    """
    total = sum(check_readable(path) for path in paths)
    done = 0
    warnings = []
    engine = Engine(
        effective_packets=options.effective_packets,
        effective_bytes=options.effective_bytes,
        community_id_seed=options.community_id_seed,
        verify_checksums=options.verify_checksums,
        smtp_ports=options.smtp_ports,
        pop3_ports=options.pop3_ports,
        imap_ports=options.imap_ports,
    )
    for path in paths:
        with Capture(path) as capture:
            _set_link_type(engine, capture)
            count = 0
            for count, (header, data) in enumerate(capture, 1):
                engine.packet(header.ts, data, header.len)
                if count % PACKETS_BETWEEN_WRITES == 0:
                    sink.write(engine.take())
                    if progress is not None:
                        progress(done + capture.position(), total)
        done += capture.size
        if capture.broken:
            warnings.append(f"{shown(path)}: broke off after {count} packets: {capture.broken}")
    engine.finish()
    sink.write(engine.take())
    if progress is not None:
        progress(done, total)
    return CaptureSummary(not warnings, tuple(warnings), engine.statistics())


def _set_link_type(engine: Engine, capture: Capture) -> None:
    try:
        engine.set_link_type(capture.link_type)
    except ValueError:
        raise CaptureError(
            f"{shown(capture.path)}: link type {capture.link_type} isn't supported; "
            "capture on an Ethernet, cooked, raw IP, loopback or PPP interface"
        ) from None
