"""Which session of the tap is which of the server's log."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtap.accuracy.clusters import wilson
from mailtap.truth import TruthSession
from mailtap.truth.alignment import certain_pairs
from mailtap.truth.compare import losses, recalls, services
from mailtap.truth.evidence import TapSession, agreement
from mailtap.truth.lag import usual_lag
from mailtap.truth.match import Certainty, Matching, match


def truth(
    start: float, length: float = 1.0, port: int | None = None, **more: object
) -> TruthSession:
    session = TruthSession(
        "postfix", "smtp", float(int(start)), float(int(start + length)), 1.0, True
    )
    return replace(session, order=int(start * 10), client_h="192.0.2.1", client_p=port, **more)


def tap(start: float, length: float = 1.0, port: int = 1, **more: object) -> TapSession:
    session = TapSession(start, start + length, "192.0.2.1", port, "192.0.2.10", 25, "smtp")
    return replace(session, **more)


def pairs(matching: Matching) -> list[tuple[int, int]]:
    return [(found.truth, found.tap) for found in matching.matches]


def test_address_port_and_time_decide() -> None:
    found = match([truth(10, port=7)], [tap(10.4, port=7), tap(10.4, port=8)])
    assert pairs(found) == [(0, 0)]
    assert found.matches[0].certainty is Certainty.PORT
    assert found.matches[0].lag == pytest.approx(-0.4)
    assert found.unlogged == (1,)


def test_a_port_that_is_used_again_hours_later_is_another_session() -> None:
    found = match(
        [truth(10, port=7), truth(9_000, port=7)], [tap(9_000.2, port=7), tap(10.1, port=7)]
    )
    assert pairs(found) == [(0, 1), (1, 0)]


def test_a_port_that_is_used_again_at_once_is_ambiguous() -> None:
    found = match([truth(10, port=7)], [tap(10.1, port=7), tap(11.5, port=7)])
    assert (found.matches, found.ambiguous) == ((), (0,))


def test_two_whole_sessions_can_not_be_one() -> None:
    found = match([truth(10, port=7), truth(11, port=7)], [tap(10.1, 2, port=7)])
    assert (found.matches, found.ambiguous) == ((), (0, 1))


def test_parts_of_a_session_are_all_of_it() -> None:
    parts = [truth(10, 0, port=7, part=True, whole=False), truth(12, 0, port=7, part=True)]
    assert pairs(match(parts, [tap(9.8, 5, port=7)])) == [(0, 0), (1, 0)]


def test_what_the_tap_did_not_see_is_lost_and_what_was_before_and_after_is_not() -> None:
    logged = [truth(100, port=7), truth(1, port=8), truth(900, port=9), truth(10, port=1)]
    found = match(logged, [tap(10.1, port=1), tap(200, port=2)])
    assert (found.unseen, found.outside) == ((0,), (1, 2))


def test_the_clocks_offset_is_allowed_for() -> None:
    found = match([truth(3_610, port=7)], [tap(10.2, port=7)], offset=3_600)
    assert pairs(found) == [(0, 0)]


def test_without_ports_the_only_sessions_of_a_client_are_one() -> None:
    found = match([truth(10)], [tap(10.3), tap(500.3)])
    assert pairs(found) == [(0, 0)]
    assert found.matches[0].certainty is Certainty.ALONE


def test_without_ports_the_order_of_sessions_alike_decides() -> None:
    starts = [10.0, 11.3, 12.6, 13.9]
    found = match([truth(s) for s in starts], [tap(s, port=n) for n, s in enumerate(starts)])
    assert pairs(found) == [(n, n) for n in range(4)]
    assert {one.certainty for one in found.matches} == {Certainty.ORDER}


def test_where_one_of_several_alike_was_lost_nobody_can_tell_which() -> None:
    starts = [10.0, 11.3, 12.6, 13.9]
    found = match([truth(s) for s in starts], [tap(s, port=n) for n, s in enumerate(starts[1:])])
    assert found.matches == ()
    assert found.ambiguous == (0, 1, 2, 3)


def test_where_one_was_lost_evidence_identifies_the_others() -> None:
    starts = [10.0, 11.3, 12.6]
    senders = [(f"{n}@example.org",) for n in range(3)]
    logged = [truth(s, mailfrom=m) for s, m in zip(starts, senders, strict=True)]
    seen = [tap(s, mailfrom=m) for s, m in list(zip(starts, senders, strict=True))[1:]]
    found = match(logged, seen)
    assert pairs(found) == [(1, 0), (2, 1)]
    assert 0 not in {one.truth for one in found.matches}


def test_where_one_of_several_alike_was_lost_the_usual_lag_shows_which() -> None:
    starts = [10.0 + n * 0.6 for n in range(15)]
    logged = [
        replace(truth(0), order=n, start=s + 0.002, end=s + 0.5, resolution=1e-6)
        for n, s in enumerate(starts)
    ]
    senders = [(f"{n}@example.org",) if n < 12 else () for n in range(15)]
    logged = [replace(one, mailfrom=m) for one, m in zip(logged, senders, strict=True)]
    seen = [tap(s, 0.5, port=n, mailfrom=senders[n]) for n, s in enumerate(starts) if n != 12]
    assert pairs(match(logged, seen)) == [(n, n if n < 12 else n - 1) for n in range(15) if n != 12]


def test_too_few_pairs_show_no_usual_lag() -> None:
    assert usual_lag([0.1] * 9, 1e-6) is None


def test_mistaken_pairs_do_not_widen_the_usual_lag() -> None:
    usual = usual_lag([0.001 * n for n in range(18)] + [-3.0, 4.0], 1e-6)
    assert usual is not None
    assert -0.1 < usual.first < 0 < 0.017 < usual.last < 0.1


def test_a_handshake_that_failed_is_no_contradiction() -> None:
    failed = truth(10, tls=False, outcome="tls_failed")
    assert agreement(failed, tap(10, tls=True)) == agreement(failed, tap(10))
    assert agreement(truth(10, tls=False, outcome="quit"), tap(10, tls=True)) < 0


def test_that_neither_side_has_envelopes_is_no_evidence() -> None:
    logged = truth(10, tls=False, commands=(("quit", 1, 1),))
    assert agreement(logged, tap(10, mailfrom_count=0, rcptto_count=0)) == agreement(
        logged, tap(10)
    )


def test_sessions_at_the_same_time_and_alike_are_ambiguous() -> None:
    found = match([truth(10.0, 9), truth(10.1, 9)], [tap(10.0, 9, port=1), tap(10.05, 9, port=2)])
    assert (found.matches, found.ambiguous) == ((), (0, 1))


def test_evidence_counts_more_than_the_order() -> None:
    one, other = ("a@example.org",), ("b@example.org",)
    found = match(
        [truth(10.0, 9, mailfrom=one), truth(10.1, 9, mailfrom=other)],
        [tap(10.0, 9, port=1, mailfrom=other), tap(10.05, 9, port=2, mailfrom=one)],
    )
    # The two cross, so the alignment can keep one of them, and the evidence finds both.
    assert set(pairs(found)) <= {(0, 1), (1, 0)}


def test_parts_without_ports_need_evidence() -> None:
    part = truth(10, 0, part=True, whole=False, mailfrom=("a@example.org",))
    silent = truth(10, 0, part=True, whole=False)
    seen = [tap(9.5, 3, port=1, mailfrom=("a@example.org",)), tap(9.6, 3, port=2)]
    assert pairs(match([part], seen)) == [(0, 0)]
    assert match([silent], seen).ambiguous == (0,)


def test_what_speaks_against_it_outweighs_little_agreement() -> None:
    logged = truth(10, helo="a.example", tls=False, commands=(("mail", 1, 1), ("rcpt", 2, 2)))
    assert agreement(logged, tap(10, helo="A.EXAMPLE")) > 0
    assert agreement(logged, tap(10, helo="b.example")) < 0
    assert agreement(logged, tap(10, mailfrom_count=3)) < 0
    # A decoder may have missed commands; that tells nothing.
    assert agreement(logged, tap(10, mailfrom_count=0)) == agreement(logged, tap(10))


def test_no_wrong_match_where_the_tap_lost_sessions_and_the_log_has_no_ports() -> None:
    generator = random.Random(1)
    wrong = right = 0
    for _ in range(40):
        at, logged, seen, numbers = 0.0, [], [], []
        for number in range(30):
            at += generator.uniform(0.05, 3)
            length = generator.uniform(0.02, 1)
            sender = (f"{generator.randrange(4)}@example.org",)
            logged.append(replace(truth(at, length, mailfrom=sender), order=number))
            if generator.random() > 0.05:
                seen.append(tap(at, length, port=number, mailfrom=sender))
                numbers.append(number)
        for found in match(logged, seen).matches:
            right += numbers[found.tap] == found.truth
            wrong += numbers[found.tap] != found.truth
    assert right > 600
    assert wrong == 0


def test_rows_in_parts_are_aligned_as_one() -> None:
    rows = list(range(2_500))
    points = {(n, m): 3 for n in rows for m in range(max(0, n - 2), min(2_500, n + 3))}
    assert certain_pairs(rows, rows, points, 2) == [(n, n) for n in rows]


@given(
    st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 4)), st.integers(1, 6), max_size=12)
)
def test_certain_pairs_are_those_that_every_good_alignment_has(
    points: dict[tuple[int, int], int],
) -> None:
    def alignments(row: int, column: int) -> list[frozenset[tuple[int, int]]]:
        """All sets of pairs that keep the order, from a row and a column on."""
        if row > 4:
            return [frozenset()]
        found = alignments(row + 1, column)
        for at in range(column, 5):
            if (row, at) in points:
                found = found + [one | {(row, at)} for one in alignments(row + 1, at + 1)]
        return found

    worth = {one: sum(points[pair] for pair in one) for one in set(alignments(0, 0))}
    most = max(worth.values())
    best = next(one for one, value in worth.items() if value == most)
    expected = sorted(
        (row, column)
        for row, column in best
        if all((row, column) in one for one, value in worth.items() if value > most - 2)
    )
    assert certain_pairs(range(5), range(5), points, 2) == expected


def test_losses_of_the_mirror_are_apart_from_those_of_the_decoder() -> None:
    logged = [truth(10.0 * n, port=n) for n in range(1, 6)]
    seen = [
        tap(10, port=1),
        tap(20, port=2, service=None),
        tap(30, port=3, service="pop3"),
        tap(50, port=5),
    ]
    found = losses(logged, seen, match(logged, seen))
    assert (found.unseen, found.unrecognised, found.other_protocol) == (1, 1, 1)
    assert (found.recognised, found.ambiguous) == (2, 0)


def test_a_session_that_the_log_of_its_server_does_not_know_is_no_mail() -> None:
    logged = [truth(10, port=1), truth(50, port=2)]
    seen = [
        tap(10, port=1),
        tap(30, port=9),  # between the two: the log would have it
        tap(50, port=2),
        tap(90, port=9),  # after them: nobody knows
        tap(30, port=9, server_h="198.51.100.1"),  # another server
    ]
    assert services(logged, seen, match(logged, seen)) == ["smtp", "other", "smtp", None, None]


def test_recall_of_the_envelope_counts_values_and_leaves_tls_out() -> None:
    logged = [
        truth(10, port=1, mailfrom=("A@example.org",), rcptto=("b@x", "c@x"), tls=False),
        truth(20, port=2, mailfrom=("a@example.org",), rcptto=("d@x",), tls=False),
        truth(30, port=3, mailfrom=("z@example.org",), tls=True),
    ]
    seen = [
        tap(10, port=1, mailfrom=("a@example.org",), rcptto=("b@x",)),
        tap(20, port=2, mailfrom=("a@example.org",), rcptto=("d@x", "e@x"), server_h="192.0.2.11"),
        tap(30, port=3),
    ]
    matching = match(logged, seen)
    found = {recall.field: recall.figure for recall in recalls(logged, seen, matching.matches)}
    assert (found["mailfrom"].share, found["mailfrom"].n) == (1.0, 2)
    assert found["rcptto"].share == pytest.approx(2 / 3)
    assert found["rcptto"].ci95 is not None
    assert found["rcptto"].ci95[0] < wilson(2 / 3, 3)[0]
    assert found["helo"].share is None
