"""The report: every figure that a run has to say, and nothing about how it looks.

Built by `mailtap.report.build`, rendered by `json`, `text` and `html` of this package. The names
are those of the JSON document. Shares lie between 0 and 1.
docs/explanation/verdicts.md says what each figure counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mailtap.accuracy.actions import Action
from mailtap.accuracy.funnel import Step
from mailtap.correlation.clock import ClockOffset
from mailtap.report.tls_model import Tls

#: Counts by a name of a fixed vocabulary, in the vocabulary's order, zeros included.
Counts = Mapping[str, int]


@dataclass(frozen=True)
class Sides:
    """Sessions by the side that the tap saw, in mail roles."""

    c2s: int = 0
    s2c: int = 0
    bidirectional: int = 0


@dataclass(frozen=True)
class EffectiveSessions:
    """Sessions with enough packets and payload to be decoded at all."""

    sessions: int
    direction: Sides


@dataclass(frozen=True)
class Mail:
    """Effective sessions with a mail service. None: the source of sessions doesn't say."""

    sessions: int
    service: Counts
    starttls: int | None  # requested, accepted or seen as TLS
    mail_from_cmd: int | None
    mail_from: int | None
    mail_to_cmd: int | None
    mail_to: int | None
    no_mail_field: int | None  # neither such a STARTTLS nor any of the four address fields
    empty_cause: Counts  # why a mail session has none of the four


@dataclass(frozen=True)
class Rate:
    """`n` of a base as a share, with its 95 % interval; share and interval are None on an empty
    base. The interval is Wilson's, and of figures that servers are known of it allows for them.
    """

    n: int
    share: float | None
    ci95: tuple[float, float] | None


@dataclass(frozen=True)
class MatrixCell:
    app: str
    provenance: str
    decode_as: str
    n: int


@dataclass(frozen=True)
class PortCell:
    port: int | None
    app: str
    decode_as: str
    n: int


@dataclass(frozen=True)
class DirectionCell:
    direction: str | None
    decode_as: str
    n: int


@dataclass(frozen=True)
class Agreement:
    """Verdicts of a group of matched sessions."""

    matched: int
    consistent: int
    compatible: int
    inconsistent: int


@dataclass(frozen=True)
class SensorAgreement:
    sensor: str | None
    agreement: Agreement


@dataclass(frozen=True)
class EngineAgreement:
    """Of one label engine alone: each session with that engine's own best label."""

    engine: str
    agreement: Agreement


@dataclass(frozen=True)
class WindowAgreement:
    """Sessions that start in [start, start + width), in epoch seconds."""

    start: float
    width: float
    agreement: Agreement


@dataclass(frozen=True)
class MixCell:
    """Sessions of one kind, by which two runs are compared: server port, side seen and label."""

    port: int | None
    direction: str | None
    app: str
    matched: int
    consistent: int


@dataclass(frozen=True)
class Drift:
    """How the consistent share moved against an earlier run, split into what the mix and what the
    agreement did.

    `composition` + `conditional` = `difference`. `composition_distance` is the total variation
    distance of the two mixes.
    """

    before: float
    after: float
    difference: float
    ci95: tuple[float, float]
    composition: float
    conditional: float
    composition_distance: float
    changed: tuple[MixChange, ...]


@dataclass(frozen=True)
class MixChange:
    """A kind of session whose agreement differs by more than chance; `ci95` of the difference."""

    port: int | None
    direction: str | None
    app: str
    before: float
    after: float
    ci95: tuple[float, float]


@dataclass(frozen=True)
class Consistency:
    """How far decode_as agrees with the labels. The base of every share is `matched`."""

    labelled: int  # label records that make a statement
    matched: int  # sessions scored against one label
    unmatched: int  # label records without a session
    ambiguous: int  # sessions whose best labels contradict each other
    several: int  # sessions with several label records
    unlabelled: int  # sessions without a label record
    out_of_scope: int  # sessions neither mail, nor labelled mail, nor on a mail port
    no_statement: int  # label records such as `incomplete` or `Unknown`
    consistent: Rate
    compatible: Rate
    inconsistent: Rate
    unexplained: Rate
    both_decoded: BothDecoded
    causes: Counts  # first cause of each inconsistent session
    all_causes: Counts  # every cause that holds, of each inconsistent session
    causes_of_agreeing: Counts  # what form of mail agreeing sessions have that aren't plain MAIL
    matrix: tuple[MatrixCell, ...]
    by_port: tuple[PortCell, ...]
    by_direction: tuple[DirectionCell, ...]
    by_sensor: tuple[SensorAgreement, ...]
    by_window: tuple[WindowAgreement, ...]
    servers: int  # by which the intervals allow for sessions that are not independent
    design_effect: (
        float | None
    )  # of the consistent share: by what clustering multiplies its variance
    by_engine: tuple[EngineAgreement, ...]
    clock_offsets: tuple[ClockOffset, ...]
    mix: tuple[MixCell, ...]
    drift: Drift | None = None


@dataclass(frozen=True)
class BothDecoded:
    """The same rates over the sessions that both the decoder and the label's engine had payload of.

    Apart are sessions whose label only repeats what the port or the address says, and of the others
    those with no payload, or below the policy's thresholds. With `matched` they are all sessions.
    """

    matched: int
    port_guesses: int
    too_little: int
    consistent: Rate
    compatible: Rate
    inconsistent: Rate
    unexplained: Rate


@dataclass(frozen=True)
class BaseCause:
    """Sessions for one cause; `action` and `text` say what to do, where the policy has a rule."""

    cause: str
    n: int
    action: str | None
    text: str | None


@dataclass(frozen=True)
class Base:
    """Of `labelled` sessions with a label of mail, those decoded as BASE, by why; most first."""

    labelled: int
    sessions: int
    causes: tuple[BaseCause, ...]


@dataclass(frozen=True)
class Share:
    """A share of `n` with its 95 % interval; None where `n` or the servers are too few."""

    share: float | None
    ci95: tuple[float, float] | None
    n: int


@dataclass(frozen=True)
class RaterFigures:
    """How good a rater is at telling `of` (`mail` or a protocol) from the rest, over sessions of
    one side or (None) all.
    """

    rater: str
    provenance: str | None
    of: str
    direction: str | None
    sensitivity: Share
    specificity: Share
    ppv: Share
    npv: Share


@dataclass(frozen=True)
class FieldRecall:
    """Of `n` values that servers logged of a field, in sessions without TLS, those that the
    decoder has.
    """

    field: str
    found: Rate
    n: int


@dataclass(frozen=True)
class ServerLogs:
    """What became of the sessions that mail servers logged.

    `unseen` were lost before the decoder (the mirror), `unrecognised` and `other_protocol` by it;
    `outside` were before the first or after the last session here.
    """

    sessions: int
    matched: int
    by_certainty: Counts
    ambiguous: int
    unseen: int
    outside: int
    unrecognised: int
    other_protocol: int
    recognised: int
    recall: tuple[FieldRecall, ...]


@dataclass(frozen=True)
class Accuracy:
    """How good each rater is, by the truth of server logs or, without, by a latent class model.

    `refused` is one sentence why there are no figures; `left_out` raters that have none, and why.
    `p_value` is of the test of the model's assumption that raters err independently.
    """

    basis: str
    refused: str | None
    raters: tuple[RaterFigures, ...]
    prevalence: Share | None
    left_out: tuple[tuple[str, str], ...] = ()
    p_value: float | None = None
    server_logs: ServerLogs | None = None


@dataclass(frozen=True)
class PairAgreement:
    """Two raters over the `n` sessions that both rated: Cohen's kappa and Gwet's AC1."""

    a: str
    b: str
    n: int
    agreeing: float | None
    kappa: float | None
    kappa_ci95: tuple[float, float] | None
    ac1: float | None
    ac1_ci95: tuple[float, float] | None


@dataclass(frozen=True)
class MissedOfNode:
    """Of a sensor node's sessions those that live mode has not; when the first and last began."""

    node: str | None
    sessions: int
    missed: int
    first: float | None
    last: float | None


@dataclass(frozen=True)
class MissedByLive:
    """What a store of live mode has not, of the time from its first session to its last.

    Times in epoch seconds. Labels are None where no label files were given.
    """

    first: float
    last: float
    sessions: int
    missed: int
    labels: int | None
    missed_labels: int | None
    by_node: tuple[MissedOfNode, ...]


@dataclass(frozen=True)
class Example:
    """A session to look up, for the page. Fields that the source does not have are None."""

    verdict: str
    cause: str | None
    causes: tuple[str, ...]
    ts: float | None
    uid: str | None
    community_id: str | None
    sensor: str | None
    client: str | None
    server: str | None
    direction: str | None
    decode_as: str | None
    app: str
    provenance: str
    stage: str | None = None
    client_pkts: int | None = None
    client_bytes: int | None = None
    server_pkts: int | None = None
    server_bytes: int | None = None
    last_reply: str | None = None
    wrong: str | None = None  # `label`, `decoder`, `neither`, `both` or `undecided`
    evidence: str = ""  # the rule, what the label rests on, and the first line of each side


@dataclass(frozen=True)
class Report:
    complete: bool
    engine: str
    sessions: int
    stitched: int  # sessions put together from two sensors' halves
    direction: Sides
    effective: EffectiveSessions
    mail: Mail
    decode_as: Counts  # of all sessions
    consistency: Consistency | None
    tls: Tls
    findings: Counts  # sessions by finding
    funnel: tuple[Step, ...] = ()  # empty where nothing is labelled
    base: Base | None = None
    accuracy: Accuracy | None = None
    agreement: tuple[PairAgreement, ...] = ()
    actions: tuple[Action, ...] = ()
    live: MissedByLive | None = None
    warnings: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()

    @property
    def has_truth(self) -> bool:
        """Whether servers' logs say what sessions are."""
        return self.accuracy is not None and self.accuracy.basis == "truth"
