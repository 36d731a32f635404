"""Intervals, bootstrap and drift."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtap.report.model import MixCell, Rate
from mailtap.report.statistics import ServerKind, bootstrap, difference, drift, rate, wilson


@pytest.mark.parametrize(
    ("n", "low", "high"),
    [
        (58_298, 57.992, 58.603),
        (41_687, 41.382, 41.993),
        (3, 0.0010, 0.0088),
        (12, 0.0069, 0.0210),
    ],
)
def test_wilson_intervals_of_the_field_s_shares(n: int, low: float, high: float) -> None:
    found = [100 * bound for bound in wilson(n, 100_000)]
    digits = 4 if n < 100 else 3
    assert [round(bound, digits) for bound in found] == [low, high]


def test_wilson_of_a_textbook_example() -> None:
    """Newcombe (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20 and 1 of 29."""
    for n, base, interval in (
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0000, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ):
        assert wilson(n, base) == pytest.approx(interval, abs=5e-5)


def test_difference_of_a_textbook_example() -> None:
    """Newcombe (1998), interval estimation for the difference, method 10: 56/70 - 48/80."""
    assert difference(48, 80, 56, 70) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda base: st.tuples(st.integers(0, base), st.just(base))))
def test_an_interval_holds_its_share_and_lies_between_none_and_all(counts: tuple[int, int]) -> None:
    low, high = wilson(*counts)
    assert 0 <= low <= counts[0] / counts[1] <= high <= 1


def test_nothing_has_no_share() -> None:
    assert rate(0, 0) == Rate(0, None, None)


def test_the_bootstrap_is_wider_where_servers_differ() -> None:
    alike = bootstrap([ServerKind(servers=100, matched=100, consistent=50, compatible=10)])
    apart = bootstrap(
        [
            ServerKind(servers=50, matched=100, consistent=100, compatible=0),
            ServerKind(servers=50, matched=100, consistent=0, compatible=20),
        ]
    )
    assert alike is not None
    assert apart is not None
    assert alike.consistent == (0.5, 0.5)
    assert alike.agreeing == (0.6, 0.6)
    low, high = apart.consistent
    # The standard error of a share over 100 servers that are all or nothing is 5 %.
    assert 0.38 < low < 0.42
    assert 0.58 < high < 0.62


def test_the_bootstrap_says_the_same_in_every_run_and_nothing_of_one_server() -> None:
    kinds = [ServerKind(3, 10, 7, 0), ServerKind(2, 4, 1, 1)]
    assert bootstrap(kinds) == bootstrap(kinds)
    assert bootstrap([ServerKind(1, 10, 7, 0)]) is None
    assert bootstrap([]) is None


def cell(port: int, matched: int, consistent: int) -> MixCell:
    return MixCell(port, "c2s", "smtp", matched, consistent)


def test_a_changed_mix_with_the_same_agreement_is_composition_alone() -> None:
    moved = drift([cell(25, 80, 80), cell(110, 20, 0)], [cell(25, 40, 40), cell(110, 60, 0)])
    assert moved.before == 0.8
    assert moved.after == 0.4
    assert moved.composition == pytest.approx(-0.4)
    assert moved.conditional == pytest.approx(0)
    assert moved.composition_distance == pytest.approx(0.4)
    assert moved.changed == ()


def test_changed_agreement_in_the_same_mix_is_conditional_alone() -> None:
    moved = drift([cell(25, 500, 450), cell(110, 500, 400)], [cell(25, 50, 25), cell(110, 50, 40)])
    assert moved.composition == pytest.approx(0)
    assert moved.conditional == pytest.approx(-0.2)
    assert [change.port for change in moved.changed] == [25]
    assert moved.ci95[1] < 0


cells = st.lists(
    st.integers(1, 500).flatmap(
        lambda matched: st.builds(
            cell, st.sampled_from([25, 110, 143]), st.just(matched), st.integers(0, matched)
        )
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one.port or 0,
)


@given(cells, cells)
def test_composition_and_agreement_add_up_to_the_difference(
    before: list[MixCell], after: list[MixCell]
) -> None:
    moved = drift(before, after)
    assert math.isclose(moved.composition + moved.conditional, moved.difference, abs_tol=1e-12)
    assert moved.ci95[0] <= moved.difference <= moved.ci95[1]
