"""Whatever the order in which records come, live mode's verdicts are those of the report."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from live_core import Live, Record, by_report, drawn, shuffled
from mailtap.live.batches import records
from mailtap.live.core import chunks, window
from records import SERVER, client, label, session


@pytest.mark.parametrize(("seed", "few"), [(0, window.FEW), (1, 60), (2, 0)])
def test_verdicts_are_those_of_the_report_in_whatever_order_records_come(
    seed: int, few: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In lists and one by one, in Arrow and by queries, and now in one way, now in the other."""
    for module in (records, chunks, window):
        monkeypatch.setattr(module, "FEW", few)
    generator, sessions, labels = shuffled(seed)
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


def ndpid_event(
    flow: int, event: str, name: str, confidence: str, moment: int, start: int = 0
) -> Record:
    """An event of nDPId about a flow: there are several while it lasts."""
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
        "ndpi": {"proto": name, "confidence": {confidence: "name"}},
    }


def label_of_an_engine(generator: random.Random, start: float) -> tuple[str, Record]:
    """A label of one of two engines, and which."""
    flow = generator.randrange(40)
    if generator.random() < 0.5:
        event, name, confidence = generator.choice(
            [("guessed", "SMTP", "1"), ("detected", "TLS", "6"), ("detected", "SMTP", "6")]
        )
        begun = int(generator.choice([0, 30]) * 1e6)
        return "ndpid", ndpid_event(
            flow, event, name, confidence, generator.randrange(9) * 10**6, begun
        )
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
        arrivals.append(label_of_an_engine(generator, start + generator.choice([0, 0.5, 60])))
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


def test_a_later_and_better_statement_of_the_engine_replaces_the_verdict() -> None:
    live = Live()
    live.add([session(1, decode_as="SSL", service=None, mailfrom=None)], [])
    live.add([], [ndpid_event(1, "guessed", "SMTP", "1", 10)])
    assert live.verdicts["C1"].app == "smtp"
    live.add([], [ndpid_event(1, "detected", "TLS", "6", 20)])
    assert live.verdicts["C1"].verdict == "consistent"
    assert live.verdicts["C1"].app == "tls"
    live.add([], [ndpid_event(1, "guessed", "SMTP", "1", 30)])
    assert live.verdicts["C1"].verdict == "consistent"
    assert live.verdicts["C1"].app == "tls"
    assert live.tally.figures().matched == 1
