"""The state of live mode on a terminal, and as one line for a log."""

from __future__ import annotations

import time

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mailtap.live.state import LabelSourceState, SensorState, Snapshot
from mailtap.printable import printable
from mailtap.report.model import EngineAgreement, Rate
from mailtap.report.tls_model import ServerFindings

#: Causes and disagreements that fit a terminal.
SHOWN_CAUSES = 8
SHOWN_DISAGREEMENTS = 5

#: Servers with findings that fit it.
SHOWN_SERVERS = 5


def line(state: Snapshot) -> str:
    """One line, such as a journal keeps."""
    connected = sum(sensor.connected for sensor in state.sensors)
    parts = [
        f"sensors {connected}/{len(state.sensors)}",
        f"sessions {state.sessions}",
        f"labels {state.labels}",
        f"matched {state.matched}",
        f"consistent {_share(state.consistent)}",
        f"compatible {_share(state.compatible)}",
        f"inconsistent {_share(state.inconsistent)}",
        f"unexplained {_share(state.unexplained)}",
        f"waiting {state.waiting}",
        f"lost {sum(sensor.lost for sensor in state.sensors)}",
    ]
    if state.delay is not None:
        parts.append(f"delay p99 {state.delay.p99:.3f} s")
    return printable("; ".join([", ".join(parts), *troubles(state)]))


def troubles(state: Snapshot) -> list[str]:
    """The errors of sensors, label sources and the store, with their names."""
    found = [f"{s.url}: {s.error}" for s in state.sensors if s.error]
    found += [f"{s.name}: {s.error}" for s in state.label_sources if s.error]
    if state.store is not None and state.store.error:
        found.append(f"{state.store.path}: {state.store.error}")
    return found


def screen(state: Snapshot) -> Group:
    """What a terminal shows."""
    parts: list[RenderableType] = [
        _headline(state),
        _sensors(state.sensors),
        _label_sources(state.label_sources),
        _causes(state),
    ]
    if state.tls is not None and state.tls.findings:
        parts.append(_findings(state.tls.findings))
    if len(state.by_engine) > 1:
        parts.append(_by_engine(state.by_engine))
    if state.disagreements:
        parts.append(_disagreements(state))
    if state.store is not None:
        condition = state.store.error or f"{state.store.stored} sessions"
        parts.append(Text(f"Store {printable(state.store.path)}: {printable(condition)}"))
    if state.answers is not None:
        parts.append(Text(f"Answers: {state.answers.sent} sent, {state.answers.withheld} withheld"))
    return Group(*parts)


def _headline(state: Snapshot) -> Table:
    table = Table(title="Agreement", title_justify="left")
    for name in ("matched", "consistent", "compatible", "inconsistent", "unexplained"):
        table.add_column(name, justify="right")
    table.add_column("95 % of consistent", justify="right")
    interval = state.consistent.ci95
    table.add_row(
        str(state.matched),
        *(
            f"{rate.n} ({_share(rate)})"
            for rate in (
                state.consistent,
                state.compatible,
                state.inconsistent,
                state.unexplained,
            )
        ),
        f"{interval[0]:.2%} to {interval[1]:.2%}" if interval else "",
    )
    table.caption = (
        f"{state.sessions} sessions, {state.labels} labels, {state.waiting} waiting, "
        f"{state.unlabelled} without a label, {state.unmatched} labels without a session, "
        f"{state.ambiguous} ambiguous"
    )
    table.caption_justify = "left"
    return table


def _sensors(sensors: tuple[SensorState, ...]) -> Table:
    table = Table(title="Sensors", title_justify="left")
    table.add_column("sensor", overflow="fold")
    for name in ("state", "received", "per s", "lag s", "lost", "restarts", "malformed"):
        table.add_column(name, justify="right")
    for sensor in sensors:
        table.add_row(
            _text(sensor.url),
            _text(_condition(sensor.connected, sensor.since, sensor.error)),
            str(sensor.received),
            f"{sensor.rate:.0f}",
            "" if sensor.lag is None else f"{sensor.lag:.1f}",
            str(sensor.lost),
            str(sensor.restarts),
            str(sensor.malformed),
        )
    return table


def _label_sources(sources: tuple[LabelSourceState, ...]) -> Table:
    table = Table(title="Labels", title_justify="left")
    table.add_column("source", overflow="fold")
    for name in ("state", "format", "labels", "per s", "other", "malformed"):
        table.add_column(name, justify="right")
    for source in sources:
        table.add_row(
            _text(source.name),
            _text(_condition(source.connected, source.since, source.error)),
            source.format or "",
            str(source.received),
            f"{source.rate:.0f}",
            str(source.other),
            str(source.malformed),
        )
    return table


def _causes(state: Snapshot) -> Text:
    causes = sorted((item for item in state.causes.items() if item[1]), key=lambda item: -item[1])
    shown = ", ".join(f"{name} {n}" for name, n in causes[:SHOWN_CAUSES])
    return Text(f"Causes: {shown or 'none'}")


def _findings(servers: tuple[ServerFindings, ...]) -> Text:
    shown = (
        f"{one.server or 'others'} {one.port or ''}: "
        + ", ".join(f"{name} {n}" for name, n in one.findings.items())
        for one in servers[:SHOWN_SERVERS]
    )
    return _text(f"Findings: {'; '.join(shown)}")


def _by_engine(engines: tuple[EngineAgreement, ...]) -> Text:
    shown = (
        f"{one.engine} {one.agreement.consistent / one.agreement.matched:.2%} consistent of "
        f"{one.agreement.matched}"
        for one in engines
        if one.agreement.matched
    )
    return _text(f"By label engine: {', '.join(shown)}")


def _disagreements(state: Snapshot) -> Table:
    table = Table(title="Latest disagreements", title_justify="left")
    for name in ("uid", "server", "decoded as", "label", "cause"):
        table.add_column(name, overflow="fold")
    for example in state.disagreements[:SHOWN_DISAGREEMENTS]:
        shown = (example.uid, example.server, example.decode_as, example.app, example.cause)
        table.add_row(*(_text(value or "") for value in shown))
    return table


def _condition(connected: bool, since: float | None, error: str | None) -> str:
    state = "connected" if connected else "not connected"
    if since is not None:
        state += time.strftime(" since %H:%M:%S", time.localtime(since))
    return f"{state}: {error}" if error else state


def _share(rate: Rate) -> str:
    return "-" if rate.share is None else f"{rate.share:.2%}"


def _text(value: str) -> Text:
    return Text(printable(value))
