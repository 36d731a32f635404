"""What a report on a terminal begins with: agreement, why sessions are BASE, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from mailtap.accuracy.actions import GUESS, Action
from mailtap.accuracy.funnel import Step
from mailtap.printable import printable
from mailtap.report.glossary import explained_losses, glossary
from mailtap.report.headline import headline, headline_of_base, other_actions, remark
from mailtap.report.model import Base, Report
from mailtap.report.tables import percent, table


def render_losses(report: Report) -> Iterator[RenderableType]:
    """Nothing where nothing is labelled as mail."""
    if report.consistency is not None and report.consistency.matched:
        yield Text(headline(report.consistency.both_decoded), style="bold")
        if not_compared := remark(report.consistency.both_decoded):
            yield Text(not_compared)
    if report.base is not None and report.base.sessions:
        yield _base(report.base, report.actions)
    if report.funnel:
        yield _funnel(report.funnel)
    if others := _other_actions(report):
        yield others


def render_in_short(report: Report) -> Iterator[Text]:
    """What a report ends with on a terminal, whose screen no longer shows how it began."""
    if report.consistency is not None and report.consistency.matched:
        yield Text(headline(report.consistency.both_decoded), style="bold")
    if report.base is not None and report.base.sessions:
        causes = ", ".join(f"{one.cause} {one.n:,}" for one in report.base.causes)
        yield Text(f"{headline_of_base(report.base)}, is at the top ({causes})")


def _base(base: Base, actions: Iterable[Action]) -> Table:
    made = _advice(headline_of_base(base))
    for one in base.causes:
        texts = [explained_losses().get(one.cause, ""), one.text or ""]
        _row(made, one.cause, one.n, percent(one.n, base.sessions), " ".join(filter(None, texts)))
    for guess in actions:
        if guess["cause"] == GUESS:
            share = percent(guess["n"], base.sessions)
            _row(made, f"of all: {GUESS}", guess["n"], share, guess["text"])
    return made


def _other_actions(report: Report) -> Table | None:
    rest = other_actions(report)
    if not rest:
        return None
    made = _advice("What else to do")
    labelled = report.funnel[0]["n"]
    for one in rest:
        _row(made, one["cause"], one["n"], percent(one["n"], labelled), one["text"])
    return made


def _advice(title: str) -> Table:
    made = Table(title=title, title_justify="left", show_edge=False, show_lines=True)
    made.add_column("why", overflow="fold")
    made.add_column("sessions", justify="right", no_wrap=True)
    made.add_column("share", justify="right", no_wrap=True)
    made.add_column("what it means, and what to do", overflow="fold")
    return made


def _row(made: Table, cause: str, n: int, share: str, text: str) -> None:
    made.add_row(Text(printable(cause)), f"{n:,}", share, Text(printable(text)))


def _funnel(steps: tuple[Step, ...]) -> Table:
    labelled = steps[0]["n"]
    rows = []
    for step in steps:
        n = step["n"]
        rows.append((glossary()["steps"][step["step"]], f"{n:,}", percent(n, labelled)))
        for loss in step["lost"]:
            lost = loss["n"]
            rows.append((f"  - {loss['cause']}", f"-{lost:,}", percent(lost, labelled)))
    return table("From label to addresses", ("", "sessions", "of labelled"), rows)
