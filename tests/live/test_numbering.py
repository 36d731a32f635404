"""What running numbers tell."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailtap.live.sensors.numbering import (
    GREATEST_COUNT,
    GREATEST_NUMBER,
    Arrival,
    Numbering,
)
from mailtap.live.state import Gap


def take(numbering: Numbering, *numbers: int, run: str = "a", started: float | None = None) -> None:
    for number in numbers:
        numbering.take(number, f"{run}{number}", started, float(number))


def test_the_first_number_that_is_seen_is_where_counting_begins() -> None:
    numbering = Numbering("zeek")
    take(numbering, 500, 501)
    assert (numbering.received, numbering.lost) == (2, 0)


def test_a_gap_is_counted_with_the_times_around_it() -> None:
    numbering = Numbering("zeek")
    take(numbering, 1, 2)
    assert numbering.take(6, "a6", None, 9.5) == (Arrival.NEW, Gap("zeek", 2.0, 9.5, 3))
    assert numbering.lost == 3


def test_a_record_that_comes_late_is_not_lost_any_more() -> None:
    numbering = Numbering("zeek")
    take(numbering, 1, 5, 3, 2, 4)
    assert (numbering.received, numbering.lost, numbering.restarts) == (5, 0, 0)


def test_the_first_records_may_come_in_another_order() -> None:
    numbering = Numbering("zeek")
    take(numbering, 5, 2, 7, 4, started=1.0)
    assert (numbering.received, numbering.lost, numbering.duplicates) == (4, 2, 0)
    take(numbering, 3, 6, started=1.0)
    assert (numbering.received, numbering.lost, numbering.restarts) == (6, 0, 0)


def test_a_record_that_comes_again_is_counted_once() -> None:
    numbering = Numbering("zeek")
    take(numbering, 1, 2, 3)
    assert numbering.take(2, "a2", None, 4.0) == (Arrival.DUPLICATE, None)
    assert (numbering.received, numbering.duplicates, numbering.restarts) == (3, 1, 0)


def test_a_number_used_for_another_session_is_a_restart_and_no_loss() -> None:
    numbering = Numbering("zeek")
    take(numbering, 1, 2, 3)
    take(numbering, 1, 2, 3, 4, run="b")
    assert (numbering.restarts, numbering.received, numbering.lost) == (1, 7, 0)


def test_what_is_missing_at_the_beginning_of_a_new_run_is_lost() -> None:
    numbering = Numbering("zeek")
    take(numbering, 1, 2, 3)
    take(numbering, 3, run="b")
    assert (numbering.restarts, numbering.lost) == (1, 2)


def test_a_new_run_that_counted_beyond_the_old_number_shows_by_when_it_started() -> None:
    numbering = Numbering("zeek")
    take(numbering, 1, 2, 3, started=100.0)
    take(numbering, 11, 12, started=200.0)
    assert (numbering.restarts, numbering.lost) == (1, 10)


@given(st.lists(st.integers(1, 400), unique=True, min_size=2))
def test_whatever_the_order_what_came_and_what_is_lost_make_the_whole(numbers: list[int]) -> None:
    first = min(numbers)
    numbering = Numbering("zeek")
    take(numbering, first, *(number for number in numbers if number != first))
    assert numbering.received == len(numbers)
    assert numbering.received + numbering.lost == max(numbers) - first + 1
    assert numbering.restarts == 0


NUMBERS = st.lists(st.tuples(st.integers(1, 9), st.sampled_from([None, 1.0, 2.0])), max_size=12)


@given(st.lists(NUMBERS.filter(bool), max_size=4))
def test_records_that_come_together_are_taken_as_if_one_by_one(
    batches: list[list[tuple[int, float | None]]],
) -> None:
    alone, together = Numbering("zeek"), Numbering("zeek")
    for now, batch in enumerate(batches):
        taken = [alone.take(n, f"C{n}", started, now) for n, started in batch]
        numbers, uids, starts = zip(*((n, f"C{n}", started) for n, started in batch), strict=True)
        arrivals, gaps = together.take_all(list(numbers), list(uids), list(starts), now)
        assert list(arrivals) == [arrival for arrival, _ in taken]
        assert gaps == [gap for _, gap in taken if gap is not None]
    assert together == alone


def test_hostile_numbers_stop_where_the_store_can_still_hold_their_count() -> None:
    numbering = Numbering("zeek")
    for run in range(20):
        take(numbering, GREATEST_NUMBER, run=str(run), started=float(run))
    assert numbering.lost < 1 << 63
    assert numbering.expected is not None and numbering.expected < 1 << 63
    for run in range(20, 2_000):
        take(numbering, GREATEST_NUMBER, run=str(run), started=float(run))
    assert numbering.lost == min(1_999 * (GREATEST_NUMBER - 1), GREATEST_COUNT)
