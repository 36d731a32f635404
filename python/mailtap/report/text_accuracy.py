"""Who is right, and how far raters agree, as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from mailtap.printable import printable
from mailtap.report.model import Accuracy, PairAgreement, Report, ServerLogs, Share
from mailtap.report.tables import UNKNOWN, percent, table


def render_accuracy(report: Report) -> Iterator[RenderableType]:
    """Nothing where there are neither labels nor truth."""
    if report.accuracy is not None:
        yield from _accuracy(report.accuracy)
    if report.agreement:
        yield _agreement(report.agreement)


def _accuracy(accuracy: Accuracy) -> Iterator[RenderableType]:
    if accuracy.refused is not None:
        yield Text(printable(f"No figures of accuracy: {accuracy.refused}"))
    if accuracy.raters:
        by = "the servers' logs" if accuracy.basis == "truth" else "a latent class model"
        headings = ("rater", "of", "side", "sensitivity", "specificity", "PPV", "NPV")
        rows = [
            (
                one.rater if one.provenance is None else f"{one.rater}/{one.provenance}",
                one.of,
                one.direction or "all",
                *map(_share, (one.sensitivity, one.specificity, one.ppv, one.npv)),
            )
            for one in accuracy.raters
        ]
        yield table(f"Accuracy, by {by}", headings, rows, left=3)
    for rater, reason in accuracy.left_out:
        yield Text(printable(f"{rater} has no figures: it {reason}."))
    if accuracy.server_logs is not None:
        yield from _server_logs(accuracy.server_logs)


def _server_logs(logs: ServerLogs) -> Iterator[Table]:
    rows = [
        ("sessions in the servers' logs", f"{logs.sessions:,}"),
        ("found here", f"{logs.matched:,}"),
        *((f"  by {name}", f"{n:,}") for name, n in logs.by_certainty.items() if n),
        ("ambiguous", f"{logs.ambiguous:,}"),
        ("not seen: lost by the mirror", f"{logs.unseen:,}"),
        ("before or after the sessions here", f"{logs.outside:,}"),
        ("seen, but not recognised", f"{logs.unrecognised:,}"),
        ("taken for another protocol", f"{logs.other_protocol:,}"),
        ("recognised", f"{logs.recognised:,}"),
    ]
    yield table("Against the servers' logs", ("", "sessions"), rows)
    fields = [
        (one.field, f"{one.found.n:,} of {one.n:,}", percent(one.found.n, one.n))
        for one in logs.recall
    ]
    if fields:
        yield table("Values that were logged and found here", ("", "values", "share"), fields)


def _agreement(pairs: Sequence[PairAgreement]) -> Table:
    rows = [
        (
            pair.a,
            pair.b,
            f"{pair.n:,}",
            _figure(pair.agreeing, None),
            _figure(pair.kappa, pair.kappa_ci95),
            _figure(pair.ac1, pair.ac1_ci95),
        )
        for pair in pairs
    ]
    headings = ("rater", "other rater", "both rated", "agree", "kappa", "AC1")
    return table("How far raters agree about what is mail", headings, rows, left=2)


def _share(share: Share) -> str:
    if share.share is None:
        return UNKNOWN
    if share.ci95 is None:
        return f"{share.share:.1%}"
    return f"{share.share:.1%} ({share.ci95[0]:.1%} to {share.ci95[1]:.1%})"


def _figure(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return UNKNOWN
    shown = f"{value:.3f}"
    return shown if interval is None else f"{shown} ({interval[0]:.3f} to {interval[1]:.3f})"
