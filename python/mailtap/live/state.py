"""What live mode knows at one moment: what the page, the metrics and the terminal show.

Rates, matrix cells and examples are those of a report. Times are epoch seconds by this machine's
clock; counts are since `Snapshot.since` unless they say otherwise. Names and texts come from
sensors and logs: whoever shows them makes them harmless.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

from mailtap.accuracy.actions import Action
from mailtap.accuracy.funnel import Step
from mailtap.report.model import (
    Base,
    BothDecoded,
    Counts,
    EngineAgreement,
    Example,
    MatrixCell,
    Rate,
    SensorAgreement,
    WindowAgreement,
)
from mailtap.report.tls_model import Tls


@dataclass(frozen=True)
class Gap:
    """Records of a node that never came: `missed` of them, between two that did."""

    node: str
    after: float  # when the last one before came
    before: float  # when the first one after came
    missed: int


@dataclass(frozen=True)
class NodeState:
    """One Zeek process behind a sensor, by the name in its records."""

    node: str
    received: int
    lost: int  # what its running numbers say is missing
    duplicates: int  # came again and were not counted again
    restarts: int  # its numbers began anew
    latest: float  # when its latest record came


@dataclass(frozen=True)
class SensorState:
    """One `--sensor`."""

    url: str
    connected: bool
    since: float | None  # of the connection, or of its loss; None: was never connected
    error: str | None  # why it is not connected, or what the sensor last complained about
    connections: int  # made so far
    received: int
    rate: float  # records a second, over the last seconds
    lag: float | None  # seconds from a session's last packet to its record's arrival, lately
    lost: int
    duplicates: int
    restarts: int
    malformed: int
    discarded: int  # came, but faster than they could be taken in
    nodes: tuple[NodeState, ...]
    gaps: tuple[Gap, ...]  # the latest


@dataclass(frozen=True)
class LabelSourceState:
    """One `--labels`."""

    name: str
    connected: bool  # there to be read
    since: float | None
    error: str | None
    format: str | None  # None until the first lines show it
    received: int  # labels of TCP flows
    other: int  # records about anything else
    malformed: int
    rate: float


@dataclass(frozen=True)
class StoreState:
    path: str
    stored: int  # sessions
    error: str | None  # why the last batch could not be written; it is tried again
    discarded: int  # sessions and labels that could not be kept until it could


@dataclass(frozen=True)
class AnswerState:
    """Verdicts published to the sensors."""

    sent: int
    withheld: int  # beyond the limit of rate, or with no connection to send on


@dataclass(frozen=True)
class Delay:
    """Seconds from a record's arrival to the verdict it made possible, over the last ones."""

    median: float
    p99: float


@dataclass(frozen=True)
class Snapshot:
    """The base of the shares is `matched`; docs/explanation/verdicts.md says what each
    figure counts.

    `waiting` sessions may still get their label. A verdict that a later record changes is counted
    as it is now.
    """

    at: float
    since: float
    window: float  # seconds for which a session and its label wait for each other, at least
    sessions: int
    labels: int
    matched: int
    ambiguous: int
    out_of_scope: int
    waiting: int
    unlabelled: int  # sessions that waited in vain
    unmatched: int  # labels that waited in vain
    findings: Counts  # sessions by what is wrong with their encryption, since this run began
    tls: Tls | None  # of the last hours (core/encryption.py); None before the first session
    consistent: Rate
    compatible: Rate
    inconsistent: Rate
    unexplained: Rate
    both_decoded: BothDecoded
    funnel: tuple[Step, ...]
    base: Base | None
    actions: tuple[Action, ...]
    causes: Counts
    matrix: tuple[MatrixCell, ...]
    by_sensor: tuple[SensorAgreement, ...]
    by_engine: tuple[EngineAgreement, ...]  # each label engine alone, as in a report
    timeline: tuple[WindowAgreement, ...]  # by arrival of the session
    disagreements: tuple[Example, ...]  # the latest, newest first
    delay: Delay | None  # None before the first verdict
    sensors: tuple[SensorState, ...]
    label_sources: tuple[LabelSourceState, ...]
    store: StoreState | None
    answers: AnswerState | None


@dataclass(frozen=True)
class Search:
    """What must be true of a record in the store; None: anything. Times are epoch seconds."""

    uid: str | None = None
    address: str | None = None
    port: int | None = None
    since: float | None = None
    until: float | None = None
    verdict: str | None = None
    cause: str | None = None


Record = dict[str, Any]


class Live(Protocol):
    """What the page and the metrics ask of a running live mode, in its event loop."""

    def snapshot(self) -> Snapshot:
        """The state now; cheap."""

    def subscribe(self) -> AsyncIterator[Snapshot]:
        """A snapshot now and after changes, a few a second at most; one who is slow skips some.

        Ends when live mode ends.
        """

    async def stored(self, what: str, search: Search, most: int) -> list[Record] | None:
        """At most so many `sessions` or `labels` of the store; None: there is no store to read."""
