"""A snapshot as metrics for Prometheus.

What a later record can change (verdicts, causes) is a gauge: a counter must not fall. Shares are
left to whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import version

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mailtap.live.state import AnswerState, Snapshot, StoreState
from mailtap.printable import printable
from mailtap.report.model import Agreement

#: Servers that have metrics of their own: those with most findings.
MAXIMUM_SERVERS = 100

#: Values of a metric's labels, and what it is for them; None: not known, and left out.
Rows = Iterable[tuple[tuple[str, ...], float | None]]


def exposition(snapshot: Snapshot) -> bytes:
    """The text that Prometheus reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(snapshot))
    return generate_latest(registry)


class _Collector(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        yield from _overall(self._snapshot)
        yield from _agreement(self._snapshot)
        yield from _sensors(self._snapshot)
        yield from _nodes(self._snapshot)
        yield from _label_sources(self._snapshot)
        if self._snapshot.store:
            yield from _store(self._snapshot.store)
        if self._snapshot.answers:
            yield from _answers(self._snapshot.answers)


def _gauge(name: str, text: str, rows: Rows, *labels: str) -> Metric:
    family = GaugeMetricFamily(f"mailtap_{name}", text, labels=labels)
    for values, value in _distinct(rows):
        family.add_metric(values, value)
    return family


def _counter(name: str, text: str, rows: Rows, *labels: str) -> Metric:
    family = CounterMetricFamily(f"mailtap_{name}", text, labels=labels)
    for values, value in _distinct(rows):
        family.add_metric(values, value)
    return family


def _distinct(rows: Rows) -> Iterable[tuple[tuple[str, ...], float]]:
    """Names that come out the same are one: Prometheus refuses a page that has any twice."""
    sums: dict[tuple[str, ...], float] = {}
    for values, value in rows:
        if value is not None:
            names = tuple(map(printable, values))
            sums[names] = sums.get(names, 0) + value
    return sums.items()


def _one(value: float) -> Rows:
    return (((), value),)


def _overall(now: Snapshot) -> Iterator[Metric]:
    yield _gauge("build_info", "The version.", [((version("mailtap"),), 1)], "version")
    yield _gauge("start_time_seconds", "When counting began, epoch.", _one(now.since))
    yield _counter("sessions", "Session records taken in.", _one(now.sessions))
    yield _counter("labels", "Labels taken in.", _one(now.labels))
    without = {
        "waiting": now.waiting,
        "unlabelled": now.unlabelled,
        "ambiguous": now.ambiguous,
        "out_of_scope": now.out_of_scope,
    }
    yield _gauge(
        "sessions_without_verdict",
        "Sessions by why they have no verdict.",
        (((reason,), n) for reason, n in without.items()),
        "reason",
    )
    yield _gauge("labels_unmatched", "Labels without a session.", _one(now.unmatched))
    yield _counter(
        "findings",
        "Sessions by what is wrong with their encryption.",
        (((finding,), n) for finding, n in now.findings.items()),
        "finding",
    )
    servers = () if now.tls is None else now.tls.findings[:MAXIMUM_SERVERS]
    yield _gauge(
        "server_findings",
        "Sessions by server and finding, also what its history shows, over the last 24 hours.",
        (
            ((one.server or "", str(one.port or ""), finding), n)
            for one in servers
            for finding, n in one.findings.items()
        ),
        *("server", "port", "finding"),
    )
    if now.delay:
        yield _gauge(
            "verdict_delay_seconds",
            "From a record's arrival to the verdict it made possible, lately.",
            ((("0.5",), now.delay.median), (("0.99",), now.delay.p99)),
            "quantile",
        )


def _agreement(now: Snapshot) -> Iterator[Metric]:
    overall = Agreement(now.matched, now.consistent.n, now.compatible.n, now.inconsistent.n)
    yield _gauge("verdicts", "Sessions by verdict.", _verdicts(overall), "verdict")
    yield _gauge(
        "causes",
        "Inconsistent sessions by their first cause.",
        (((cause,), n) for cause, n in now.causes.items()),
        "cause",
    )
    yield _gauge(
        "node_verdicts",
        "Sessions by the node that saw them, and verdict.",
        (
            ((one.sensor or "", *verdict), n)
            for one in now.by_sensor
            for verdict, n in _verdicts(one.agreement)
        ),
        "node",
        "verdict",
    )

    yield _gauge(
        "engine_verdicts",
        "Sessions by label engine, each by that engine's own label, and verdict.",
        (
            ((one.engine, *verdict), n)
            for one in now.by_engine
            for verdict, n in _verdicts(one.agreement)
        ),
        "engine",
        "verdict",
    )


def _verdicts(agreement: Agreement) -> Rows:
    yield ("consistent",), agreement.consistent
    yield ("compatible",), agreement.compatible
    yield ("inconsistent",), agreement.inconsistent


def _sensors(now: Snapshot) -> Iterator[Metric]:
    for metric, name, text, field in (
        (_gauge, "connected", "Whether the sensor is connected.", "connected"),
        (_gauge, "lag_seconds", "From a session's last packet to its record, lately.", "lag"),
        (_counter, "connections", "Connections made.", "connections"),
        (_counter, "records", "Records received.", "received"),
        (_counter, "malformed", "Messages that are no record.", "malformed"),
        (_counter, "discarded", "Records that came faster than can be taken in.", "discarded"),
    ):
        rows = (((one.url,), getattr(one, field)) for one in now.sensors)
        yield metric(f"sensor_{name}", text, rows, "sensor")


def _nodes(now: Snapshot) -> Iterator[Metric]:
    nodes = [(sensor.url, node) for sensor in now.sensors for node in sensor.nodes]
    for name, text in (
        ("received", "Records received."),
        ("lost", "Records that never came, by their numbers."),
        ("duplicates", "Records that came again."),
        ("restarts", "Times that the numbers began anew."),
    ):
        rows = (((url, node.node), getattr(node, name)) for url, node in nodes)
        yield _counter(f"node_{name}", text, rows, "sensor", "node")


def _label_sources(now: Snapshot) -> Iterator[Metric]:
    for metric, name, text, field in (
        (_gauge, "connected", "Whether the labels are there to be read.", "connected"),
        (_counter, "labels", "Labels of TCP flows.", "received"),
        (_counter, "other", "Records about anything else.", "other"),
        (_counter, "malformed", "Lines that are no record.", "malformed"),
    ):
        rows = (((one.name,), getattr(one, field)) for one in now.label_sources)
        yield metric(f"label_source_{name}", text, rows, "source")


def _store(store: StoreState) -> Iterator[Metric]:
    yield _gauge(
        "store_failing", "Whether the last batch could not be written.", _one(bool(store.error))
    )
    yield _counter("store_sessions", "Sessions stored.", _one(store.stored))
    yield _counter(
        "store_discarded", "Sessions and labels lost to a failing store.", _one(store.discarded)
    )


def _answers(answers: AnswerState) -> Iterator[Metric]:
    yield _counter("answers_sent", "Verdicts sent back to sensors.", _one(answers.sent))
    yield _counter(
        "answers_withheld", "Verdicts not sent: too many, or nowhere.", _one(answers.withheld)
    )
