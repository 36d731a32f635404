"""Whatever the order in which records come, live mode's verdicts are those of the report."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from mailtap.correlation.engines import DuckDBEngine
from mailtap.labels import LabelFile
from mailtap.labels.load import load as load_labels
from mailtap.live.batches.sessions import SessionReader
from mailtap.live.core import window
from mailtap.live.core.tally import VERDICTS, Tally
from mailtap.live.core.window import Window
from mailtap.live.labels.reader import reader_of
from mailtap.policy import load_policy
from mailtap.records.database import open_database
from mailtap.report.build import build_report
from mailtap.report.model import Report
from mailtap.sessions.load import load as load_sessions
from records import SERVER, client, label, session

POLICY = load_policy(None)

Record = dict[str, Any]


class Verdict(NamedTuple):
    verdict: str
    causes: int
    app: str
    funnel_step: str | None
    funnel_loss: str | None


def verdict_of(row: Record) -> Verdict:
    return Verdict(*(row[name] for name in Verdict._fields))


class Live:
    """The correlator's core, fed by hand."""

    def __init__(self, seconds: float = 600.0, maximum: int = 100_000) -> None:
        self.window = Window(POLICY, seconds, maximum)
        self.tally = Tally()
        self.unlabelled = self.unmatched = 0
        self._read = SessionReader()
        self._sessions, self._labels = itertools.count(), itertools.count()
        self._uids: dict[int, str] = {}
        self._verdicts: dict[int, Verdict] = {}

    def add(
        self,
        sessions: list[Record],
        labels: list[Record],
        now: float = 0.0,
        others: list[Record] | None = None,
        other_engine: str | None = None,
    ) -> None:
        """`others` are labels of another engine than `labels`: of their format, unless named."""
        table = None
        if sessions:
            numbers = list(itertools.islice(self._sessions, len(sessions)))
            self._uids |= dict(zip(numbers, (s["uid"] for s in sessions), strict=True))
            table = self._read([json.dumps(record) for record in sessions]).fields
            table = table.append_column("session_id", pa.array(numbers, pa.int64()))
            table = table.append_column("source", pa.array(["ws://zeek"] * len(sessions)))
            table = table.append_column("bucket", pa.array([0] * len(sessions), pa.int64()))
        tables = [self._table(labels)] if labels else []
        if others:
            tables.append(self._table(others, other_engine))
        change = self.window.add(table, tables, now)
        for cell, bucket, n in change.cells:
            self.tally.add(cell, bucket, n)
        for server_cell, n in change.servers:
            self.tally.add_servers(server_cell, n)
        for engine, verdict, n in change.by_engine:
            self.tally.add_by_engine(engine, verdict, n)
        self.unlabelled += change.unlabelled
        self.unmatched += change.unmatched
        self._note(change.judgements)

    def compare_clocks(self) -> None:
        change = self.window.compare_clocks()
        for cell, bucket, n in change.cells:
            self.tally.add(cell, bucket, n)
        for server_cell, n in change.servers:
            self.tally.add_servers(server_cell, n)
        for engine, verdict, n in change.by_engine:
            self.tally.add_by_engine(engine, verdict, n)
        self._note(change.judgements)

    @property
    def verdicts(self) -> dict[str, Verdict]:
        return {
            self._uids[number]: said
            for number, said in self._verdicts.items()
            if said.verdict in VERDICTS
        }

    def _note(self, judgements: pa.Table | None) -> None:
        for row in [] if judgements is None else judgements.to_pylist():
            self._verdicts[row["session_id"]] = verdict_of(row)

    def _table(self, labels: list[Record], engine: str | None = None) -> pa.Table:
        lines = [json.dumps(one).encode() for one in labels]
        reader, _ = reader_of("labels", lines, None, POLICY)
        flows = reader(lines).flows
        numbers = list(itertools.islice(self._labels, len(flows)))
        return (
            flows.append_column("label_id", pa.array(numbers, pa.int64()))
            .append_column("source", pa.array([reader.form.name] * len(flows)))
            .append_column("engine", pa.array([engine or reader.form.name] * len(flows)))
            .append_column("bucket", pa.array([0] * len(flows), pa.int64()))
        )


def by_report(
    folder: Path,
    sessions: list[Record],
    labels: list[Record],
    others: list[Record] | None = None,
) -> tuple[dict[str, Verdict], Report]:
    """The report's verdicts by uid (of two halves: the first to have come), and its figures.
    `others` are labels of the engine `other`.
    """
    session_file, label_file = folder / "sessions.jsonl", folder / "labels.jsonl"
    other_file = folder / "others.jsonl"
    for path, records in ((session_file, sessions), (label_file, labels), (other_file, others)):
        path.write_text("".join(json.dumps(record) + "\n" for record in records or ()))
    files = [LabelFile(label_file), *([LabelFile(other_file, None, "other")] if others else ())]
    with open_database() as connection:
        load_sessions(connection, [session_file], POLICY)
        load_labels(connection, files, POLICY)
        engine = DuckDBEngine(connection)
        report = build_report(engine, POLICY, engine_name="duckdb", with_labels=True)
        rows = engine.rows(
            "SELECT s.uid AS uid, verdict, causes, v.app AS app, funnel_step, funnel_loss "
            "FROM verdicts v JOIN whole_sessions s USING (session_id)"
        )
    order = {record["uid"]: n for n, record in enumerate(sessions)}
    return {min(row["uid"].split(), key=order.__getitem__): verdict_of(row) for row in rows}, report


def drawn(generator: random.Random) -> tuple[list[Record], list[Record]]:
    """Sessions of two sensors and labels of few flows: much meets, misses and is doubtful."""
    sessions, labels = [], []
    for number in range(1, 301):
        flow, start = generator.randrange(60), generator.random() * 400
        kind = generator.choice(
            [
                {},
                {"decode_as": "BASE", "service": None, "mailfrom": None},
                {"decode_as": "SSL", "service": None, "implicit_tls": True},
                {"starttls": "tls", "mailfrom": None, "empty_cause": "starttls"},
                {"decode_as": "HTTP", "tunnel": "http"},
                {"service": "imap", "midstream": True},
                {"effective": False, "client_bytes": 0, "server_bytes": 0},
            ]
        )
        half = generator.choice([{}, {"direction": "c2s"}, {"direction": "s2c", "node": "south"}])
        port = generator.choice([25, 25, 143, 2_525, 8_080])
        sessions.append(
            session(
                number,
                **{
                    **kind,
                    **half,
                    "ts": 1000 + start,
                    "duration": generator.random() * 20,
                    **{f"{end}_h": client(flow) for end in ("id.orig", "client")},
                    **{f"{end}_p": port for end in ("id.resp", "server")},
                },
            )
        )
        if half == {"direction": "c2s"} and generator.random() < 0.2:
            other = {"uid": f"S{number}", "direction": "s2c", "node": "south"}
            sessions.append(sessions[-1] | other | {"ts": 1000 + start + generator.random()})
        for _ in range(generator.choice([0, 1, 1, 2])):
            begun = 1000 + start + generator.gauss(0, 4)
            labels.append(
                label(
                    flow,
                    app=generator.choice(["smtp", "smtp", "imap", "tls", "http.imap", "unknown"]),
                    provenance=generator.choice(["payload", "port"]),
                    dst_port=port,
                    start=begun,
                    end=begun + generator.random() * 10,
                )
            )
            if generator.random() < 0.1:
                labels.append(labels[-1] | {"app": "ftp"})
    return sessions, labels


@pytest.mark.parametrize(("seed", "few"), [(0, window.FEW), (1, window.FEW), (2, 0)])
def test_verdicts_are_those_of_the_report_in_whatever_order_records_come(
    seed: int, few: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "FEW", few)
    generator = random.Random(seed)
    sessions, labels = drawn(generator)
    generator.shuffle(sessions)
    generator.shuffle(labels)
    expected, report = by_report(tmp_path, sessions, labels)
    consistency = report.consistency
    assert consistency is not None
    assert min(report.stitched, consistency.matched, consistency.ambiguous) > 0
    live = Live()
    first_session = first_label = 0
    while first_session < len(sessions) or first_label < len(labels):
        next_session = first_session + generator.randrange(80)
        next_label = first_label + generator.randrange(120)
        live.add(sessions[first_session:next_session], labels[first_label:next_label])
        first_session, first_label = next_session, next_label
    assert live.verdicts == expected
    figures = live.tally.figures()
    assert figures.consistent == consistency.consistent
    assert figures.compatible == consistency.compatible
    assert figures.inconsistent == consistency.inconsistent
    assert figures.unexplained == consistency.unexplained
    assert figures.causes == consistency.causes
    assert figures.both_decoded == consistency.both_decoded
    assert figures.ambiguous == consistency.ambiguous
    assert figures.out_of_scope == consistency.out_of_scope
    assert {(c.app, c.provenance, c.decode_as): c.n for c in figures.matrix} == {
        (c.app, c.provenance, c.decode_as): c.n for c in consistency.matrix
    }


@pytest.mark.parametrize("seed", range(2))
def test_verdicts_are_those_of_the_report_though_generations_end_meanwhile(
    seed: int, tmp_path: Path
) -> None:
    """The records of a flow come within the window: they find each other, whenever it ends."""
    window = 600.0
    generator = random.Random(seed)
    sessions, labels = drawn(generator)
    flows = {client(flow): flow for flow in range(60)}
    arrivals = [
        (flows[record[name]] * 50.0 + generator.random() * window / 3, record)
        for records, name in ((sessions, "client_h"), (labels, "src_ip"))
        for record in records
    ]
    arrivals.sort(key=lambda arrival: arrival[0])
    by_arrival = [record for _, record in arrivals]
    came = [record for record in by_arrival if "uid" in record]
    expected, report = by_report(tmp_path, came, labels)
    live = Live(window)
    while arrivals:
        now = arrivals[0][0] + generator.random() * 100
        batch = [record for at, record in arrivals if at <= now]
        arrivals = arrivals[len(batch) :]
        live.add([r for r in batch if "uid" in r], [r for r in batch if "uid" not in r], now)
    assert live.unlabelled + live.unmatched > 0  # generations did end
    assert live.verdicts == expected
    consistency = report.consistency
    assert consistency is not None
    figures = live.tally.figures()
    assert figures.consistent == consistency.consistent
    assert figures.causes == consistency.causes
    assert figures.ambiguous == consistency.ambiguous
    for more in range(1, 5):
        live.add([], [], now + more * window)
    assert live.verdicts == expected
    assert live.tally.decided + live.unlabelled == len(sessions)


@pytest.mark.parametrize(("seed", "few"), [(0, window.FEW), (1, 0)])
def test_figures_by_label_engine_are_those_of_the_report_in_whatever_order_records_come(
    seed: int, few: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "FEW", few)
    generator = random.Random(seed)
    sessions, labels = drawn(generator)
    generator.shuffle(sessions)
    generator.shuffle(labels)
    own, others = labels[: len(labels) // 2], labels[len(labels) // 2 :]
    _, report = by_report(tmp_path, sessions, own, others)
    assert report.consistency is not None
    live = Live()
    while sessions or own or others:
        sizes = (generator.randrange(80), generator.randrange(60), generator.randrange(60))
        batch = [
            [several.pop() for _ in range(min(size, len(several)))]
            for size, several in zip(sizes, (sessions, own, others), strict=True)
        ]
        live.add(batch[0], batch[1], others=batch[2], other_engine="other")
    by_engine = live.tally.figures().by_engine
    assert by_engine == report.consistency.by_engine
    assert {one.engine for one in by_engine} == {"jsonl", "other"}
    assert min(one.agreement.inconsistent for one in by_engine) > 0


def test_a_verdict_by_engine_stays_when_its_label_is_dropped() -> None:
    live = Live(seconds=10)
    live.add([], [label(1)], now=0, others=[label(1, app="imap")], other_engine="other")
    live.add([session(1)], [], now=9)
    expected = live.tally.figures().by_engine
    assert [one.agreement.matched for one in expected] == [1, 1]
    live.add([session(111)], [], now=20)
    again = {"id.orig_h": client(1), "client_h": client(1)}
    live.add([session(2, ts=1_700_000_900.0, **again)], [], now=31)
    live.add([session(3, ts=1_700_000_900.0, **again)], [], now=42)
    assert live.tally.figures().by_engine == expected


def said(flow: int, event: str, name: str, confidence: str, moment: int, start: int = 0) -> Record:
    """What nDPId says about a flow, several times while it lasts."""
    begun = 1_700_000_001_000_000 + start
    return {
        "flow_event_name": event,
        "flow_id": flow,
        "src_ip": client(flow),
        "src_port": 40_000,
        "dst_ip": SERVER,
        "dst_port": 25,
        "l4_proto": "tcp",
        "flow_first_seen": begun,
        "flow_src_last_pkt_time": begun + moment,
        "flow_dst_last_pkt_time": 0,
        "thread_ts_usec": begun + moment,
        "ndpi": {"proto": name, "confidence": {confidence: "said"}},
    }


def by_engine(generator: random.Random, start: float) -> tuple[str, Record]:
    """A label of one of two engines, and which."""
    flow = generator.randrange(40)
    if generator.random() < 0.5:
        event, name, confidence = generator.choice(
            [("guessed", "SMTP", "1"), ("detected", "TLS", "6"), ("detected", "SMTP", "6")]
        )
        begun = int(generator.choice([0, 30]) * 1e6)
        return "ndpid", said(flow, event, name, confidence, generator.randrange(9) * 10**6, begun)
    app = generator.choice(["smtp", "imap", "tls"])
    return "labels", label(flow, app=app, start=start, end=start + generator.random() * 9)


@pytest.mark.parametrize("seed", range(2))
def test_records_judged_one_by_one_have_the_verdicts_that_the_queries_give(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two engines, one of which speaks of a flow several times; keys that are used again, labels
    that come late, a clock that is off, halves, generations that end, and a flow used too often.
    """
    generator = random.Random(seed)
    arrivals = []
    for number in range(250):
        flow, start = generator.randrange(40), 1_700_000_001.0 + generator.choice([0, 1, 30, 31])
        if number % 25 == 0:
            flow, start = 0, 1_700_000_001.0
        kinds: list[Record] = [{}, {"decode_as": "BASE", "service": None}, {"direction": "c2s"}]
        kind = generator.choice([*kinds, {"direction": "s2c", "node": "south"}])
        ends = {"id.orig_h": client(flow), "client_h": client(flow)}
        arrivals.append(("session", session(number, **kind, **ends, ts=start, duration=2.0)))
        arrivals.append(by_engine(generator, start + generator.choice([0, 0.5, 60])))
    late = [("labels", label(900 + n, start=3600.0, end=3601.0)) for n in range(20)]
    late += [("session", session(900 + n, ts=60.0)) for n in range(20)]
    arrivals += generator.sample(late, len(late))
    batches, now = [], 0.0
    while arrivals:
        now += generator.random() * 6
        size = generator.randrange(1, 90)
        batches.append((now, arrivals[:size]))
        arrivals = arrivals[size:]
    outcomes = []
    for few in (10**9, 0):
        monkeypatch.setattr(window, "FEW", few)
        live = Live(seconds=15)
        for now, batch in batches:
            live.add(
                [record for kind, record in batch if kind == "session"],
                [record for kind, record in batch if kind == "labels"],
                now,
                [record for kind, record in batch if kind == "ndpid"],
            )
        live.compare_clocks()
        for more in (20, 40, 60):
            live.add([], [], now + more)
        figures = live.tally.figures()
        figures = replace(figures, labelled=tuple(sorted(figures.labelled, key=str)))
        outcomes.append((live.verdicts, live.unlabelled, live.unmatched, figures))
        assert live.unlabelled + live.unmatched > 0
        assert {one.verdict for one in live.verdicts.values()} >= {"consistent"}
    assert outcomes[0] == outcomes[1]


def test_a_clock_that_is_off_is_allowed_for_as_in_a_report(tmp_path: Path) -> None:
    sessions = [session(n) for n in range(1, 30)]
    hour = 3600
    labels = [
        label(n, start=label(n)["start"] + hour, end=label(n)["end"] + hour) for n in range(30)
    ]
    expected, _ = by_report(tmp_path, sessions, labels)
    assert len(expected) == 29
    live = Live()
    live.add(sessions, labels)
    assert live.verdicts == {}
    live.compare_clocks()
    assert live.verdicts == expected


def test_a_later_and_better_word_of_the_engine_replaces_the_verdict() -> None:
    live = Live()
    live.add([session(1, decode_as="SSL", service=None, mailfrom=None)], [])
    live.add([], [said(1, "guessed", "SMTP", "1", 10)])
    assert live.verdicts["C1"].app == "smtp"
    live.add([], [said(1, "detected", "TLS", "6", 20)])
    assert live.verdicts["C1"].verdict == "consistent"
    assert live.verdicts["C1"].app == "tls"
    live.add([], [said(1, "guessed", "SMTP", "1", 30)])
    assert live.verdicts["C1"].verdict == "consistent"
    assert live.verdicts["C1"].app == "tls"
    assert live.tally.figures().matched == 1


def test_what_waits_in_vain_is_counted_when_it_is_dropped() -> None:
    live = Live(seconds=10)
    live.add([session(n) for n in range(1, 6)], [label(n) for n in (4, 5, 6)], now=0)
    live.add([], [label(99)], now=11)
    live.add([], [label(98)], now=22)
    assert (live.unlabelled, live.unmatched) == (3, 1)
    assert live.tally.figures().matched == 2


def test_a_record_stays_for_the_window_even_when_a_new_generation_begins() -> None:
    live = Live(seconds=10)
    live.add([session(1)], [], now=0)
    live.add([session(2)], [], now=9.9)
    live.add([session(3)], [], now=10.1)
    live.add([], [label(2)], now=19)
    assert set(live.verdicts) == {"C2"}


def test_a_verdict_stays_when_its_label_is_dropped() -> None:
    live = Live(seconds=10)
    live.add([], [label(1)], now=0)
    live.add([session(1)], [], now=9)
    expected = live.verdicts
    assert set(expected) == {"C1"}
    for now in (11, 22, 33):
        live.add([session(100 + now)], [label(100 + now)], now=now)
    live.add([session(2, **{"id.orig_h": client(1), "client_h": client(1)})], [], now=34)
    live.compare_clocks()
    assert {uid: live.verdicts[uid] for uid in expected} == expected
    assert live.tally.figures().matched == 4


def test_a_verdict_stays_when_only_its_label_is_dropped_to_bound_memory() -> None:
    live = Live(seconds=10, maximum=2)
    live.add([], [label(1)], now=0)
    live.add([], [label(5)], now=0)
    live.add([session(1)], [], now=0)
    for other in (6, 7, 8):
        live.add([], [label(other), label(other + 10), label(other + 20)], now=0)
        live.add([session(50 + other, **{"id.orig_h": client(1), "client_h": client(1)})], [])
    assert live.verdicts["C1"].verdict == "consistent"


def test_an_offset_of_the_clocks_is_applied_until_flows_tell_another_one() -> None:
    hour = 3600

    def late(number: int) -> Record:
        return label(number, start=label(number)["start"] + hour, end=label(number)["end"] + hour)

    live = Live(seconds=10)
    live.add([session(n) for n in range(1, 30)], [late(n) for n in range(1, 30)], now=0)
    live.compare_clocks()
    assert len(live.verdicts) == 29
    for now in (11, 22, 33):  # a quiet hour: too few flows to compare clocks by
        live.add([session(100 + now)], [late(100 + now)], now=now)
        live.compare_clocks()
    assert len(live.verdicts) == 32


def test_a_flow_without_new_records_is_dropped_with_what_was_carried_over() -> None:
    live = Live(seconds=10)
    flow = {"id.orig_h": client(1), "client_h": client(1)}
    live.add([session(1)], [], now=0)
    live.add([session(2, **flow)], [], now=11)
    for now in (22, 33, 44, 55):
        live.add([session(now)], [], now=now)
    assert live.unlabelled == 4  # 1, 2, 22 and 33


def test_memory_is_bounded_by_a_number_of_records() -> None:
    live = Live(maximum=100)
    for first in range(0, 1_000, 50):
        live.add([session(n) for n in range(first, first + 50)], [])
    assert live.unlabelled >= 800


def test_a_flow_that_is_used_over_and_over_again_does_not_join_all_with_all() -> None:
    live = Live()
    for first in range(0, 2_000, 500):
        numbers = range(first, first + 500)
        same = {"id.orig_h": client(0), "client_h": client(0), "ts": 1e9, "duration": 1.0}
        live.add(
            [session(n, **same) for n in numbers],
            [label(0, start=1e9, end=1e9 + 1) for _ in numbers],
        )
    assert len(live.verdicts) >= 128
