"""What live mode keeps, how long, and that dropping it changes no verdict."""

from __future__ import annotations

from live_core import Live, Record
from records import client, label, session


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
