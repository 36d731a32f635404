"""Sensitivity, specificity and predictive values where the truth is known."""

from __future__ import annotations

import pytest

from mailtap.accuracy import Ratings, RatingsError, against_truth

# A server's address, what raters A and B say, the truth, and how many sessions are so.
ROWS = [
    ("192.0.2.1", (1, 1), 1, 80),
    ("192.0.2.1", (0, 1), 1, 10),
    ("192.0.2.2", (1, None), 1, 10),
    ("192.0.2.2", (1, 0), 0, 5),
    ("192.0.2.3", (0, 0), 0, 45),
    ("192.0.2.3", (0, None), None, 1_000),
]


def test_the_shares_are_those_of_the_four_cells() -> None:
    accuracy = against_truth(Ratings.of_rows(("A", "B"), ROWS))
    a = accuracy.raters[0]
    assert a.sensitivity.share == pytest.approx(90 / 100)
    assert a.specificity.share == pytest.approx(45 / 50)
    assert a.ppv.share == pytest.approx(90 / 95)
    assert a.npv.share == pytest.approx(45 / 55)
    assert accuracy.prevalence.share == pytest.approx(100 / 150)


def test_a_missing_rating_is_in_no_base_and_neither_is_an_unknown_truth() -> None:
    a, b = against_truth(Ratings.of_rows(("A", "B"), ROWS)).raters
    assert (a.sensitivity.n, b.sensitivity.n) == (100, 90)
    assert (a.npv.n, b.npv.n) == (55, 50)


def test_a_rater_that_never_says_yes_has_no_predictive_value_of_yes() -> None:
    (rater,) = against_truth(Ratings.of_rows(("A",), [("x", (0,), 1, 3), ("y", (0,), 0, 4)])).raters
    assert rater.ppv.share is None
    assert rater.sensitivity.share == 0.0


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("x", (2,), 1, 1)], "none of 1, 0 and missing"),
        ([("x", (1,), 5, 1)], "none of 1, 0 and missing"),
        ([("x", (1,), 1, -1)], "below zero"),
    ],
)
def test_what_is_no_rating_is_refused(
    rows: list[tuple[str, tuple[int], int, int]], reason: str
) -> None:
    with pytest.raises(RatingsError, match=reason):
        Ratings.of_rows(("A",), rows)


def test_two_raters_of_one_name_are_refused() -> None:
    with pytest.raises(RatingsError, match="same name"):
        Ratings.of_rows(("A", "A"), [("x", (1, 1), 1, 1)])


def test_no_sessions_give_no_figures() -> None:
    accuracy = against_truth(Ratings.of_rows(("A",), []))
    assert accuracy.prevalence.share is None
