"""Cohen's kappa and Gwet's AC1 of pairs of raters."""

from __future__ import annotations

import pytest

from mailtap.accuracy import Agreement, Ratings, agreements


def agreement(both: int, only_a: int, only_b: int, neither: int, servers: int = 50) -> Agreement:
    """Of this many sessions on each of so many servers."""
    rows = [
        (server, answers, None, count)
        for server in range(servers)
        for answers, count in (
            ((1, 1), both),
            ((1, 0), only_a),
            ((0, 1), only_b),
            ((0, 0), neither),
        )
    ]
    (found,) = agreements(Ratings.of_rows(("a", "b"), rows))
    return found


def test_values_of_the_textbook() -> None:
    found = agreement(20, 5, 10, 15)  # observed 0.7; by chance 0.5, and 0.495 for AC1
    assert found.agreeing == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)
    assert found.ac1 == pytest.approx((0.7 - 0.495) / 0.505)


def test_where_nearly_all_is_mail_kappa_falls_to_nothing_and_ac1_does_not() -> None:
    found = agreement(980, 10, 10, 0)
    assert found.kappa == pytest.approx(-0.0101, abs=1e-4)
    assert found.ac1 is not None
    assert found.ac1 > 0.97


def test_kappa_is_undefined_where_both_say_the_same_about_everything() -> None:
    found = agreement(100, 0, 0, 0)
    assert found.kappa is None
    assert found.kappa_ci95 is None
    assert found.ac1 == 1.0


def test_raters_that_never_disagree_have_an_interval_below_one() -> None:
    found = agreement(50, 0, 0, 50, servers=30)
    assert found.kappa == 1.0
    assert found.kappa_ci95 is not None
    assert 0.5 < found.kappa_ci95[0] < 0.9
    assert found.kappa_ci95[1] == 1.0


def test_one_server_has_no_interval() -> None:
    found = agreement(20, 5, 10, 15, servers=1)
    assert found.kappa == pytest.approx(0.4)
    assert found.kappa_ci95 is None
    assert found.ac1_ci95 is None


def test_only_sessions_that_both_rated_count() -> None:
    rows = [(n, (1, 1), None, 1) for n in range(5)] + [(9, (1, None), None, 7)]
    (found,) = agreements(Ratings.of_rows(("a", "b"), rows))
    assert found.n == 5


def test_raters_without_a_session_in_common_have_no_figures() -> None:
    (found,) = agreements(Ratings.of_rows(("a", "b"), [(1, (1, None), None, 2)]))
    assert (found.n, found.kappa, found.ac1) == (0, None, None)


def test_every_pair_is_there_once() -> None:
    rows = [(n, (n % 2, 1, n % 3 == 0), None, 1) for n in range(20)]
    found = agreements(Ratings.of_rows(("a", "b", "c"), rows))
    assert [(pair.a, pair.b) for pair in found] == [("a", "b"), ("a", "c"), ("b", "c")]
