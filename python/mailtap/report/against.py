"""Another run's JSON document, to compare with."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mailtap.errors import MailTapError
from mailtap.files import open_to_read
from mailtap.printable import printable
from mailtap.report.model import MixCell, Report
from mailtap.report.statistics import drift


class AgainstError(MailTapError):
    """The other document can't be compared with; the message is one line that says why."""


@dataclass(frozen=True)
class Earlier:
    """The mix of another run, the design effect of its servers, and the name of its document."""

    named: str
    mix: tuple[MixCell, ...]
    design_effect: float


def read_earlier(path: Path) -> Earlier:
    """The document of another run in a file; `-` is standard input. Raises AgainstError."""
    named = printable(str(path))
    try:
        with open_to_read(path) as stream:
            document = json.loads(stream.read())
    except OSError as error:
        raise AgainstError(f"{named}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise AgainstError(f"{named}: is no JSON document") from None
    try:
        consistency = document["consistency"]
        cells = tuple(_cell(cell) for cell in consistency["mix"])
        effect = _design_effect(consistency.get("design_effect"))
    except (KeyError, TypeError, AttributeError):
        raise AgainstError(f"{named}: is no report with labels, as --json writes it") from None
    if not any(cell.matched for cell in cells):
        raise AgainstError(f"{named}: no session has a label")
    return Earlier(named, cells, effect)


def compared(report: Report, earlier: Earlier) -> Report:
    """The report with its drift against another run. Raises AgainstError."""
    if report.consistency is None or not report.consistency.matched:
        raise AgainstError(f"nothing to compare with {earlier.named}: no session has a label")
    effect = _design_effect(report.consistency.design_effect)
    moved = drift(earlier.mix, report.consistency.mix, (earlier.design_effect, effect))
    return replace(report, consistency=replace(report.consistency, drift=moved))


def _design_effect(value: object) -> float:
    """1, as of independent sessions, where it isn't known. Raises TypeError."""
    if value is None:
        return 1.0
    if not isinstance(value, int | float) or not 1 <= value < math.inf:
        raise TypeError
    return float(value)


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
