"""Another run's JSON document, to compare with."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mailtap.errors import MailTapError
from mailtap.files import open_to_read
from mailtap.printable import printable
from mailtap.report.json import document as to_document
from mailtap.report.model import MixCell, Report
from mailtap.report.statistics import drift
from mailtap.report.tls_drift import tls_drift


class AgainstError(MailTapError):
    """The other document can't be compared with; the message is one line that says why."""


@dataclass(frozen=True)
class Earlier:
    """Another run: the name of its document, the document, and with labels the mix of its sessions
    and the design effect of its servers.
    """

    named: str
    document: Mapping[str, Any]
    mix: tuple[MixCell, ...] | None
    design_effect: float = 1.0


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
        if consistency is None:
            return Earlier(named, document, None)
        cells = tuple(_cell(cell) for cell in consistency["mix"])
        effect = _design_effect(consistency.get("design_effect"))
    except (KeyError, TypeError, AttributeError):
        raise AgainstError(f"{named}: is no report, as --json writes it") from None
    if not any(cell.matched for cell in cells):
        return Earlier(named, document, None)
    return Earlier(named, document, cells, effect)


def compared(report: Report, earlier: Earlier) -> Report:
    """The report with its drift against another run. Raises AgainstError."""
    try:
        moved = tls_drift(earlier.document, to_document(report))
    except (KeyError, TypeError, AttributeError):
        moved = None  # of a version without these figures
    if moved is None and earlier.mix is None:
        raise AgainstError(f"{earlier.named}: is no report, as --json writes it")
    if moved is not None:
        report = replace(report, tls=replace(report.tls, drift=moved))
    consistency = report.consistency
    if earlier.mix is None or consistency is None or not consistency.matched:
        return report
    effect = _design_effect(consistency.design_effect)
    agreement = drift(earlier.mix, consistency.mix, (earlier.design_effect, effect))
    return replace(report, consistency=replace(consistency, drift=agreement))


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
