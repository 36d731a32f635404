"""Which label a session gets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtap.correlation import hot_keys
from mailtap.correlation.engines import DuckDBEngine
from mailtap.correlation.pipeline import correlate
from mailtap.policy import load_policy
from mailtap.report.counting import JoinCounts, count_judged, counts_of_join
from tables import Row, database, label, session

POLICY = load_policy()
SLACK = POLICY.join.slack


def joined(sessions: list[Row], labels: list[Row]) -> tuple[JoinCounts, dict[int, str]]:
    """The counts, and the name of the label that each session got."""
    engine = DuckDBEngine(database(sessions, labels))
    correlate(engine, POLICY)
    count_judged(engine, window="0")
    return counts_of_join(engine), {
        row["session_id"]: row["app"] for row in engine.rows("SELECT * FROM verdicts")
    }


def test_same_endpoints_and_time_match_whichever_side_the_engine_calls_the_source() -> None:
    swapped = label(src_ip="192.0.2.25", src_port=25, dst_ip="198.51.100.7", dst_port=40_000)
    for one in (label(), swapped):
        counts, pairs = joined([session()], [one])
        assert pairs == {1: "smtp"}
        assert (counts.labelled, counts.unmatched, counts.unlabelled) == (1, 0, 0)


@pytest.mark.parametrize(
    ("start", "end", "matches"),
    [
        (1000, 1010, True),
        (1014.9, 1020, True),
        (1015.1, 1020, False),
        (980, 995.1, True),
        (980, 994.9, False),
        (0, 9000, True),
    ],
)
def test_times_must_overlap_give_or_take_the_slack(start: float, end: float, matches: bool) -> None:
    counts, pairs = joined([session()], [label(start=start, end=end)])
    assert bool(pairs) is matches
    assert counts.unmatched == (0 if matches else 1)
    assert counts.unlabelled == (0 if matches else 1)


def test_a_label_without_an_end_is_a_moment() -> None:
    assert joined([session()], [label(start=1005, end=None)])[1] == {1: "smtp"}


def test_the_label_that_overlaps_most_wins() -> None:
    labels = [
        label(1, app="old", start=900, end=1002),
        label(2, app="right", start=1000.2, end=1010),
        label(3, app="next", start=1009, end=1100),
    ]
    counts, pairs = joined([session()], labels)
    assert pairs == {1: "right"}
    assert (counts.several, counts.ambiguous, counts.unmatched) == (1, 0, 0)


def test_of_equal_overlaps_the_nearer_start_wins() -> None:
    labels = [label(1, app="merged", start=0, end=5000), label(2, app="own")]
    assert joined([session()], labels)[1] == {1: "own"}


def test_rounded_times_of_a_label_do_not_lose_to_a_record_that_merges_many_flows() -> None:
    one = session(ts=1000.0004, duration=10.0004)
    labels = [label(1, app="merged", start=0, end=5000), label(2, app="own", start=1000.001)]
    assert joined([one], labels)[1] == {1: "own"}


def test_equally_good_labels_that_say_different_things_are_ambiguous() -> None:
    counts, pairs = joined([session()], [label(1), label(2, app="imap", protocol="imap")])
    assert pairs == {}
    assert (counts.several, counts.ambiguous, counts.unlabelled) == (1, 1, 0)


def test_a_label_that_comes_twice_is_not_ambiguous() -> None:
    counts, pairs = joined([session()], [label(1), label(2, source="again.csv")])
    assert pairs == {1: "smtp"}
    assert (counts.several, counts.ambiguous) == (1, 0)


def test_a_reused_tuple_gives_each_session_its_own_label() -> None:
    sessions = [session(1), session(2, ts=2000.0)]
    labels = [label(1, app="first"), label(2, app="second", start=2000, end=2010)]
    assert joined(sessions, labels)[1] == {1: "first", 2: "second"}


def test_a_record_that_makes_no_statement_is_no_label() -> None:
    counts, pairs = joined([session()], [label(is_label=False, app="incomplete")])
    assert pairs == {}
    assert (counts.labelled, counts.no_statement, counts.unlabelled) == (0, 1, 1)


def test_a_label_without_addresses_matches_by_community_id() -> None:
    bare = {"src_ip": None, "src_port": None, "dst_ip": None, "dst_port": None}
    sessions = [session(1, community_id="1:one="), session(2, client_p=2, community_id="1:two=")]
    counts, pairs = joined(sessions, [label(community_id="1:two=", **bare)])
    assert pairs == {2: "smtp"}
    assert counts.unlabelled == 1


def test_an_exact_label_is_taken_before_one_of_several_merged_flows() -> None:
    exact = label(1, app="exact", start=1000.1, end=1010.0)
    merged = label(2, app="merged", start=700.0, end=1600.0)
    assert joined([session(ts=1000.0, duration=10.0)], [exact, merged])[1] == {1: "exact"}


def test_of_flows_without_length_the_nearest_is_taken() -> None:
    near, far = (
        label(n, app=app, start=t, end=t) for n, app, t in ((1, "far", 1004.0), (2, "near", 1000.1))
    )
    assert joined([session(ts=1000.0, duration=0.0)], [near, far])[1] == {1: "near"}


def test_a_millisecond_of_a_clock_decides_nothing() -> None:
    labels = [
        label(1, app="x", start=1000.001, end=1000.05),
        label(2, app="x", start=1000.0, end=1000.051),
    ]
    counts, pairs = joined([session(ts=1000.0, duration=0.05)], labels)
    assert pairs == {1: "x"}
    assert counts.ambiguous == 0


@pytest.mark.parametrize("length", [-1e18, 1e18, 1e300])
def test_times_that_no_clock_has_match_nothing_and_overflow_nothing(length: float) -> None:
    counts, _ = joined([session(duration=length)], [label(start=1000.0, end=1000.0 + length)])
    assert counts.labelled == 1


def test_a_label_from_before_address_translation_matches_by_the_translated_endpoints() -> None:
    inside = label(
        src_ip="10.0.0.9",
        nat_ip_a="192.0.2.25",
        nat_port_a=25,
        nat_ip_b="198.51.100.7",
        nat_port_b=40_000,
    )
    assert joined([session()], [inside])[1] == {1: "smtp"}


def test_a_udp_flow_with_the_same_endpoints_is_another_flow() -> None:
    assert joined([session()], [label(l4="udp")])[1] == {}


@pytest.mark.parametrize("late", [0.0, 3600.0])
def test_a_key_used_over_and_over_joins_each_session_with_the_labels_of_its_time(
    late: float,
) -> None:
    times = [1000.0 + 20 * number for number in range(2 * hot_keys.MOST_LABELS)]
    sessions = [session(number, ts=time) for number, time in enumerate(times)]
    labels = [
        label(number, app=f"app{number}", start=time + late, end=time + late + 10)
        for number, time in enumerate(times)
    ]
    # Flows by which the clock's offset is found.
    sessions += [session(1000 + n, client_p=n, ts=500.0 * n) for n in range(1, 9)]
    labels += [
        label(1000 + n, src_port=n, start=500.0 * n + late, end=500.0 * n + late + 10)
        for n in range(1, 9)
    ]
    pairs = joined(sessions, labels)[1]
    assert {n: app for n, app in pairs.items() if n < 1000} == {
        number: f"app{number}" for number in range(len(times))
    }


times = st.integers(0, 40)
spans = st.tuples(times, st.sampled_from([0, 1, 2, 5, 9, 15, 16, 17, 120, 300, 70_000]))


@settings(max_examples=120, deadline=None)
@given(
    dense=st.sampled_from([hot_keys.DENSE, 0]),
    most_labels=st.sampled_from([hot_keys.MOST_LABELS, 1]),
    sessions=st.lists(st.tuples(st.integers(1, 2), spans), max_size=6),
    labels=st.lists(st.tuples(st.integers(1, 2), spans, st.sampled_from("xyz")), max_size=8),
)
def test_the_query_gives_what_the_rule_says_whether_or_not_keys_are_hot(
    dense: int, most_labels: int, sessions: list[Any], labels: list[Any]
) -> None:
    session_rows = [
        session(number, client_p=port, ts=float(start), duration=float(length))
        for number, (port, (start, length)) in enumerate(sessions)
    ]
    label_rows = [
        label(number, src_port=port, start=float(start), end=float(start + length), app=app)
        for number, (port, (start, length), app) in enumerate(labels)
    ]
    expected = {}
    ambiguous = several = 0
    matched = set()
    for number, (port, (start, length)) in enumerate(sessions):
        fitting = []
        for other, (label_port, (label_start, label_length), app) in enumerate(labels):
            overlap = min(start + length, label_start + label_length) - max(start, label_start)
            together = max(start + length, label_start + label_length) - min(start, label_start)
            if port == label_port and overlap >= -SLACK:
                likeness = (100 * overlap + 1) / (100 * together + 1) if overlap >= 0 else 0.0
                fitting.append((-likeness, abs(start - label_start), app))
                matched.add(other)
        several += len(fitting) > 1
        top = min(fitting)[:2] if fitting else None
        best = {app for likeness, distance, app in fitting if (likeness, distance) == top}
        if len(best) > 1:
            ambiguous += 1
        elif best:
            expected[number] = best.pop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hot_keys, "MOST_LABELS", most_labels)
        patch.setattr(hot_keys, "DENSE", dense)
        counts, pairs = joined(session_rows, label_rows)
    assert pairs == expected
    assert counts.several == several
    assert counts.ambiguous == ambiguous
    assert counts.unmatched == len(labels) - len(matched)
    assert counts.unlabelled == len(sessions) - len(expected) - ambiguous
