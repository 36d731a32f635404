"""Another run's JSON document, to compare with."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mailtap.errors import MailTapError
from mailtap.printable import printable
from mailtap.report.model import MixCell, Report
from mailtap.report.statistics import drift


class AgainstError(MailTapError):
    """The other document can't be compared with; the message is one line that says why."""


@dataclass(frozen=True)
class Earlier:
    """The mix of another run, and the name of its document."""

    named: str
    mix: tuple[MixCell, ...]


def read_earlier(path: Path) -> Earlier:
    """The document of another run in a file. Raises AgainstError."""
    named = printable(str(path))
    return Earlier(named, _mix(path, named))


def compared(report: Report, earlier: Earlier) -> Report:
    """The report with its drift against another run. Raises AgainstError."""
    if report.consistency is None or not report.consistency.matched:
        raise AgainstError(f"nothing to compare with {earlier.named}: no session has a label")
    moved = drift(earlier.mix, report.consistency.mix)
    return replace(report, consistency=replace(report.consistency, drift=moved))


def _mix(path: Path, named: str) -> tuple[MixCell, ...]:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise AgainstError(f"{named}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise AgainstError(f"{named}: is no JSON document") from None
    try:
        cells = tuple(_cell(cell) for cell in document["consistency"]["mix"])
    except (KeyError, TypeError):
        raise AgainstError(f"{named}: is no report with labels, as --json writes it") from None
    if not any(cell.matched for cell in cells):
        raise AgainstError(f"{named}: no session has a label")
    return cells


def _cell(value: dict[str, Any]) -> MixCell:
    """Raises KeyError or TypeError for what isn't a cell."""
    cell = MixCell(**value)
    counts = cell.matched, cell.consistent
    if not (
        all(type(count) is int for count in counts)
        and 0 <= cell.consistent <= cell.matched
        and isinstance(cell.port, int | None)
        and isinstance(cell.direction, str | None)
        and isinstance(cell.app, str)
    ):
        raise TypeError
    return cell
