"""The report as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from mailtap.printable import printable
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
from mailtap.report.templates import NOT_KNOWN, moment

#: Rows of a table whose length depends on the data; the JSON document has them all.
MAXIMUM_ROWS = 30

_UNKNOWN = "-"


def render(report: Report, console: Console) -> None:
    """Prints the report."""
    for part in _parts(report):
        console.print(part)
        console.print()


def _parts(report: Report) -> Iterator[RenderableType]:
    yield _sessions(report)
    if any(report.mail.empty_cause.values()):
        yield _empty_causes(report.mail.empty_cause)
    yield _counts("decode_as", report.decode_as, report.sessions, "of sessions")
    if report.consistency is not None:
        yield from _consistency(report.consistency)
        if _sides_known(report):
            yield _by_direction(report.consistency)
    yield from _tls(report)
    if report.live is not None:
        yield from _missed(report.live)


def _sessions(report: Report) -> Table:
    mail, effective = report.mail, report.effective.sessions
    if not _sides_known(report):
        return _table("Sessions", ("", "number"), [("sessions", f"{report.sessions:,}")])
    rows = [
        ("TCP sessions: c2s / s2c / both sides", _sides(report.sessions, report.direction)),
        ("effective sessions", _sides(effective, report.effective.direction)),
        (
            "decoded as mail",
            f"{mail.sessions:,} ({_percent(mail.sessions, effective)} of effective)",
        ),
        ("  " + " / ".join(name.upper() for name in mail.service), _slashed(mail.service.values())),
        ("STARTTLS among mail", _number(mail.starttls)),
        ("envelope sender / header sender", _slashed((mail.mail_from_cmd, mail.mail_from))),
        ("envelope recipient / header recipient", _slashed((mail.mail_to_cmd, mail.mail_to))),
        ("mail with none of these", _number(mail.no_mail_field)),
    ]
    if report.stitched:
        rows.insert(1, ("  put together from two sensors", f"{report.stitched:,}"))
    return _table("Sessions", ("", "number"), rows)


def _tls(report: Report) -> Iterator[Table]:
    servers = [
        (
            f"{one.server or _UNKNOWN} {one.port or ''}",
            *(f"{n:,}" for n in (one.sessions, one.offered, one.used, one.refused, one.never)),
            f"{one.vanished:,}" + (f" ({_interval(one.ci95)})" if one.ci95 else ""),
        )
        for one in report.tls.starttls
    ]
    if servers:
        headings = ("server", "sessions", "offered", "used", "refused", "never", "vanished")
        yield _table("STARTTLS by server", headings, servers)
    found = {name: n for name, n in report.findings.items() if n}
    if found:
        yield _counts("Findings", found, report.sessions, "of sessions")


def _sides_known(report: Report) -> bool:
    """Whether the sources of sessions have directions; a gateway's export has not."""
    known = report.direction.c2s + report.direction.s2c + report.direction.bidirectional
    return known > 0 or report.sessions == 0


def _empty_causes(causes: Counts) -> Table:
    without = sum(causes.values())
    title = f"Why {without:,} mail sessions have no address"
    return _counts(title, {cause: n for cause, n in causes.items() if n}, without, "share")


def _consistency(consistency: Consistency) -> Iterator[RenderableType]:
    yield _agreement(consistency)
    if any(consistency.causes.values()):
        causes = {cause: n for cause, n in consistency.causes.items() if n}
        inconsistent = consistency.inconsistent.n
        yield _counts("Why decode_as disagrees", causes, inconsistent, "of inconsistent")
    if consistency.causes_of_agreeing:
        forms = consistency.causes_of_agreeing
        yield _counts("Agrees, but is not plain mail", forms, consistency.matched, "of matched")
    yield _matrix(consistency)
    yield _by_port(consistency)
    if len(consistency.by_sensor) > 1:
        sensors = [(cell.sensor or _UNKNOWN, cell.agreement) for cell in consistency.by_sensor]
        yield _agreements("By sensor", sensors)
    if len(consistency.by_engine) > 1:
        engines = [(one.engine, one.agreement) for one in consistency.by_engine]
        yield _agreements("By label engine", engines)
    if consistency.drift is not None:
        yield _drift(consistency.drift)


def _agreement(consistency: Consistency) -> Table:
    table = Table(title="decode_as against the labels", title_justify="left", show_edge=False)
    table.add_column("")
    for heading in ("number", "of matched", "95 % interval"):
        table.add_column(heading, justify="right")
    for name, n in (
        ("labels", consistency.labelled),
        ("sessions matched", consistency.matched),
        ("labels unmatched", consistency.unmatched),
        ("sessions ambiguous", consistency.ambiguous),
        ("sessions without label", consistency.unlabelled),
    ):
        table.add_row(name, f"{n:,}")
    table.add_section()
    for name, rate in (
        ("consistent", consistency.consistent),
        ("compatible", consistency.compatible),
        ("inconsistent", consistency.inconsistent),
        ("  unexplained", consistency.unexplained),
    ):
        table.add_row(name, *_rate(rate))
    reduced = consistency.without_port_guesses
    if reduced.matched != consistency.matched:
        table.add_section()
        table.add_row("matched without port guesses", f"{reduced.matched:,}")
        table.add_row("  consistent", *_rate(reduced.consistent))
        table.add_row("  compatible", *_rate(reduced.compatible))
    if consistency.design_effect is not None and consistency.servers > 1:
        table.caption = (
            f"Intervals allow for sessions of one server being alike: {consistency.servers:,} "
            f"servers, design effect {consistency.design_effect:,.1f}"
        )
    return table


def _matrix(consistency: Consistency) -> Table:
    rows = [
        (
            cell.app,
            cell.provenance,
            cell.decode_as,
            f"{cell.n:,}",
            _percent(cell.n, consistency.matched),
        )
        for cell in consistency.matrix
    ]
    return _table("Labels", ("label", "provenance", "decode_as", "number", "share"), rows, left=3)


def _by_port(consistency: Consistency) -> Table:
    rows = [
        (str(cell.port or _UNKNOWN), cell.app, cell.decode_as, f"{cell.n:,}")
        for cell in consistency.by_port
    ]
    return _table("By server port", ("port", "label", "decode_as", "number"), rows, left=3)


def _by_direction(consistency: Consistency) -> Table:
    rows = [
        (cell.direction or _UNKNOWN, cell.decode_as, f"{cell.n:,}")
        for cell in consistency.by_direction
    ]
    return _table("By direction", ("side seen", "decode_as", "number"), rows, left=2)


def _agreements(title: str, groups: Iterable[tuple[str, Agreement]]) -> Table:
    rows = [
        (
            name,
            f"{group.matched:,}",
            _percent(group.consistent, group.matched),
            _percent(group.compatible, group.matched),
            _percent(group.inconsistent, group.matched),
        )
        for name, group in groups
    ]
    return _table(title, ("", "matched", "consistent", "compatible", "inconsistent"), rows)


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
            f"    {change.app}, port {change.port or _UNKNOWN}, {change.direction or _UNKNOWN}",
            f"{change.before:.2%} -> {change.after:.2%}",
        )
        for change in drift.changed
    ]
    return _table("Against the other run", ("", ""), rows)


def _missed(live: MissedByLive) -> Iterator[Table]:
    rows = [("sessions", f"{live.sessions:,}", f"{live.missed:,}")]
    if live.labels is not None and live.missed_labels is not None:
        rows.append(("labels", f"{live.labels:,}", f"{live.missed_labels:,}"))
    title = f"What live mode missed, {moment(live.first)} to {moment(live.last)} UTC"
    yield _table(title, ("", "here", "missed live"), rows)
    nodes = [
        (
            node.node or _UNKNOWN,
            f"{node.sessions:,}",
            f"{node.missed:,}",
            moment(node.first),
            moment(node.last),
        )
        for node in live.by_node
        if node.missed
    ]
    if nodes:
        yield _table("Missed, by node", ("node", "here", "missed live", "first", "last"), nodes)


def _counts(title: str, counts: Counts, base: int, heading: str) -> Table:
    rows = [(name, f"{n:,}", _percent(n, base)) for name, n in counts.items()]
    return _table(title, ("", "number", heading), rows)


def _table(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1
) -> Table:
    """A table of text that may come from a log, the first columns flush left, the others right."""
    more = len(rows) - MAXIMUM_ROWS
    table = Table(
        title=title,
        title_justify="left",
        min_width=len(title) + 1,
        show_edge=False,
        caption=f"{more:,} smaller rows are not shown" if more > 0 else None,
    )
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number < left else "right", overflow="fold")
    for row in rows[:MAXIMUM_ROWS]:
        table.add_row(*(Text(printable(value)) for value in row))
    return table


def _rate(rate: Rate) -> tuple[str, str, str]:
    if rate.share is None or rate.ci95 is None:
        return f"{rate.n:,}", _UNKNOWN, _UNKNOWN
    return f"{rate.n:,}", f"{rate.share:.2%}", _interval(rate.ci95)


def _interval(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.2%} to {interval[1]:.2%}"


def _percent(n: int, base: int) -> str:
    return f"{n / base:.1%}" if base else _UNKNOWN


def _sides(sessions: int, sides: Sides) -> str:
    return f"{sessions:,}: {_slashed((sides.c2s, sides.s2c, sides.bidirectional))}"


def _slashed(numbers: Iterable[int | None]) -> str:
    return " / ".join(map(_number, numbers))


def _number(n: int | None) -> str:
    return NOT_KNOWN if n is None else f"{n:,}"
