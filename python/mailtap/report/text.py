"""The report as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.table import Table

from mailtap.report.model import (
    Agreement,
    Consistency,
    Counts,
    Drift,
    MissedByLive,
    Rate,
    Report,
    Sides,
)
from mailtap.report.tables import UNKNOWN, counts_table, interval, percent, table
from mailtap.report.templates import NOT_KNOWN, moment
from mailtap.report.text_accuracy import render_accuracy
from mailtap.report.text_losses import render_in_short, render_losses
from mailtap.report.text_tls import render_tls


def render(report: Report, console: Console) -> None:
    """Prints the report."""
    for part in _parts(report):
        console.print(part)
        console.print()
    if console.is_terminal:
        for sentence in render_in_short(report):
            console.print(sentence)


def _parts(report: Report) -> Iterator[RenderableType]:
    yield from render_losses(report)
    yield from render_accuracy(report)
    yield _sessions(report)
    if any(report.mail.empty_cause.values()):
        yield _empty_causes(report.mail.empty_cause)
    yield counts_table("decode_as", report.decode_as, report.sessions, "of sessions")
    if report.consistency is not None:
        yield from _consistency(report.consistency)
        if _sides_known(report):
            yield _by_direction(report.consistency)
    yield from render_tls(report)
    if report.live is not None:
        yield from _missed(report.live)


def _sessions(report: Report) -> Table:
    mail, effective = report.mail, report.effective.sessions
    if not _sides_known(report):
        return table("Sessions", ("", "number"), [("sessions", f"{report.sessions:,}")])
    rows = [
        ("TCP sessions: c2s / s2c / both sides", _sides(report.sessions, report.direction)),
        ("effective sessions", _sides(effective, report.effective.direction)),
        (
            "decoded as mail",
            f"{mail.sessions:,} ({percent(mail.sessions, effective)} of effective)",
        ),
        ("  " + " / ".join(name.upper() for name in mail.service), _slashed(mail.service.values())),
        ("STARTTLS among mail", _number(mail.starttls)),
        ("envelope sender / header sender", _slashed((mail.mail_from_cmd, mail.mail_from))),
        ("envelope recipient / header recipient", _slashed((mail.mail_to_cmd, mail.mail_to))),
        ("mail with none of these", _number(mail.no_mail_field)),
    ]
    if report.stitched:
        rows.insert(1, ("  put together from two sensors", f"{report.stitched:,}"))
    return table("Sessions", ("", "number"), rows)


def _sides_known(report: Report) -> bool:
    """Whether the sources of sessions have directions; a gateway's export has not."""
    known = report.direction.c2s + report.direction.s2c + report.direction.bidirectional
    return known > 0 or report.sessions == 0


def _empty_causes(causes: Counts) -> Table:
    without = sum(causes.values())
    title = f"Why {without:,} mail sessions have no address"
    return counts_table(title, {cause: n for cause, n in causes.items() if n}, without, "share")


def _consistency(consistency: Consistency) -> Iterator[RenderableType]:
    yield _agreement(consistency)
    if any(consistency.causes.values()):
        causes = {cause: n for cause, n in consistency.causes.items() if n}
        inconsistent = consistency.inconsistent.n
        yield counts_table("Why decode_as disagrees", causes, inconsistent, "of inconsistent")
    if consistency.causes_of_agreeing:
        forms = consistency.causes_of_agreeing
        yield counts_table(
            "Agrees, but is not plain mail", forms, consistency.matched, "of matched"
        )
    yield _matrix(consistency)
    yield _by_port(consistency)
    if len(consistency.by_sensor) > 1:
        sensors = [(cell.sensor or UNKNOWN, cell.agreement) for cell in consistency.by_sensor]
        yield _agreements("By sensor", sensors)
    if len(consistency.by_engine) > 1:
        engines = [(one.engine, one.agreement) for one in consistency.by_engine]
        yield _agreements("By label engine", engines)
    if consistency.drift is not None:
        yield _drift(consistency.drift)


def _agreement(consistency: Consistency) -> Table:
    made = Table(title="decode_as against the labels", title_justify="left", show_edge=False)
    made.add_column("")
    for heading in ("number", "of matched", "95 % interval"):
        made.add_column(heading, justify="right")
    for name, n in (
        ("labels", consistency.labelled),
        ("sessions matched", consistency.matched),
        ("labels unmatched", consistency.unmatched),
        ("sessions ambiguous", consistency.ambiguous),
        ("sessions without label", consistency.unlabelled),
    ):
        made.add_row(name, f"{n:,}")
    made.add_section()
    for name, rate in (
        ("consistent", consistency.consistent),
        ("compatible", consistency.compatible),
        ("inconsistent", consistency.inconsistent),
        ("  unexplained", consistency.unexplained),
    ):
        made.add_row(name, *_rate(rate))
    both = consistency.both_decoded
    if both.matched != consistency.matched:
        made.add_section()
        made.add_row("both decoded", f"{both.matched:,}", "of these")
        for name, rate in (
            ("consistent", both.consistent),
            ("compatible", both.compatible),
            ("inconsistent", both.inconsistent),
        ):
            made.add_row(f"  {name}", *_rate(rate))
        made.add_row("the label is a port guess", f"{both.port_guesses:,}")
        made.add_row("too little payload", f"{both.too_little:,}")
    if consistency.design_effect is not None and consistency.servers > 1:
        made.caption = (
            f"Intervals allow for sessions of one server being alike: {consistency.servers:,} "
            f"servers, design effect {consistency.design_effect:,.1f}"
        )
    return made


def _matrix(consistency: Consistency) -> Table:
    rows = [
        (
            cell.app,
            cell.provenance,
            cell.decode_as,
            f"{cell.n:,}",
            percent(cell.n, consistency.matched),
        )
        for cell in consistency.matrix
    ]
    return table("Labels", ("label", "provenance", "decode_as", "number", "share"), rows, left=3)


def _by_port(consistency: Consistency) -> Table:
    rows = [
        (str(cell.port or UNKNOWN), cell.app, cell.decode_as, f"{cell.n:,}")
        for cell in consistency.by_port
    ]
    return table("By server port", ("port", "label", "decode_as", "number"), rows, left=3)


def _by_direction(consistency: Consistency) -> Table:
    rows = [
        (cell.direction or UNKNOWN, cell.decode_as, f"{cell.n:,}")
        for cell in consistency.by_direction
    ]
    return table("By direction", ("side seen", "decode_as", "number"), rows, left=2)


def _agreements(title: str, groups: Iterable[tuple[str, Agreement]]) -> Table:
    rows = [
        (
            name,
            f"{group.matched:,}",
            percent(group.consistent, group.matched),
            percent(group.compatible, group.matched),
            percent(group.inconsistent, group.matched),
        )
        for name, group in groups
    ]
    return table(title, ("", "matched", "consistent", "compatible", "inconsistent"), rows)


def _drift(drift: Drift) -> Table:
    low, high = drift.ci95
    rows = [
        ("consistent before / now", f"{drift.before:.2%} / {drift.after:.2%}"),
        ("difference", f"{drift.difference:+.2%} ({low:+.2%} to {high:+.2%})"),
        ("  by a changed mix of sessions", f"{drift.composition:+.2%}"),
        ("  by changed agreement", f"{drift.conditional:+.2%}"),
    ]
    rows += [
        (
            f"    {change.app}, port {change.port or UNKNOWN}, {change.direction or UNKNOWN}",
            f"{change.before:.2%} -> {change.after:.2%}",
        )
        for change in drift.changed
    ]
    return table("Against the other run", ("", ""), rows)


def _missed(live: MissedByLive) -> Iterator[Table]:
    rows = [("sessions", f"{live.sessions:,}", f"{live.missed:,}")]
    if live.labels is not None and live.missed_labels is not None:
        rows.append(("labels", f"{live.labels:,}", f"{live.missed_labels:,}"))
    title = f"What live mode missed, {moment(live.first)} to {moment(live.last)} UTC"
    yield table(title, ("", "here", "missed live"), rows)
    nodes = [
        (
            node.node or UNKNOWN,
            f"{node.sessions:,}",
            f"{node.missed:,}",
            moment(node.first),
            moment(node.last),
        )
        for node in live.by_node
        if node.missed
    ]
    if nodes:
        yield table("Missed, by node", ("node", "here", "missed live", "first", "last"), nodes)


def _rate(rate: Rate) -> tuple[str, str, str]:
    if rate.share is None or rate.ci95 is None:
        return f"{rate.n:,}", UNKNOWN, UNKNOWN
    return f"{rate.n:,}", f"{rate.share:.2%}", interval(rate.ci95)


def _sides(sessions: int, sides: Sides) -> str:
    return f"{sessions:,}: {_slashed((sides.c2s, sides.s2c, sides.bidirectional))}"


def _slashed(numbers: Iterable[int | None]) -> str:
    return " / ".join(map(_number, numbers))


def _number(n: int | None) -> str:
    return NOT_KNOWN if n is None else f"{n:,}"
