"""Intervals and drift."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtap.report.model import MixCell, Rate
from mailtap.report.statistics import (
    Clusters,
    clustered_rate,
    design_effect,
    difference,
    drift,
    rate,
    wilson,
)


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


def test_one_server_or_servers_alike_leave_wilson_s_interval() -> None:
    assert clustered_rate([Clusters(1, 100, 40)]) == rate(40, 100)
    alike = clustered_rate([Clusters(1000, 10, 5)])
    assert alike.ci95 == pytest.approx(wilson(5_000, 10_000), abs=1e-3)
    assert design_effect([Clusters(1000, 10, 5)]) == 1.0


def test_servers_that_are_all_or_nothing_count_as_one_session_each() -> None:
    apart = [Clusters(50, 100, 100), Clusters(50, 100, 0)]
    assert design_effect(apart) == pytest.approx(100, rel=0.02)
    interval = clustered_rate(apart).ci95
    assert interval is not None
    assert interval == pytest.approx(wilson(50, 100), abs=0.01)


def test_agreement_of_all_sessions_is_as_sure_as_there_are_servers() -> None:
    interval = clustered_rate([Clusters(40, 1_000, 1_000)]).ci95
    assert interval is not None
    assert interval == pytest.approx(wilson(40, 40), abs=0.01)


@given(
    st.lists(
        st.integers(1, 50).flatmap(
            lambda size: st.builds(Clusters, st.integers(1, 9), st.just(size), st.integers(0, size))
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_clustered_interval_holds_its_share_and_is_no_narrower_than_wilson_s(
    clusters: list[Clusters],
) -> None:
    found = clustered_rate(clusters)
    base = sum(cluster.count * cluster.size for cluster in clusters)
    assert found.share is not None
    assert found.ci95 is not None
    low, high = found.ci95
    assert 0 <= low <= found.share <= high <= 1
    plain = wilson(found.n, base)
    assert high - low >= plain[1] - plain[0] - 1e-9


def binomial(generator: random.Random, size: int, share: float) -> int:
    """So many of `size` draws; by the normal distribution where there are many."""
    if size * share * (1 - share) < 10:
        return sum(generator.random() < share for _ in range(size))
    drawn = generator.gauss(size * share, math.sqrt(size * share * (1 - share)))
    return min(size, max(0, round(drawn)))


def drawn(generator: random.Random, servers: int, share: float, alike: float) -> list[Clusters]:
    """Servers of very different sizes, each with an agreement of its own around the share; `alike`
    is the correlation of two sessions of one server.
    """
    spread = 1 / alike - 1
    clusters = []
    for _ in range(servers):
        own = generator.betavariate(share * spread, (1 - share) * spread)
        size = 1 + int(generator.lognormvariate(3, 1))
        n = binomial(generator, size, own)
        clusters.append(Clusters(1, size, n))
    return clusters


@pytest.mark.parametrize("servers", [2, 3, 5, 10, 30])
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_intervals_cover_the_true_share_nineteen_times_of_twenty(
    servers: int, share: float
) -> None:
    """In a simulation with servers that differ. It may be a little less where they are few."""
    generator = random.Random(f"{servers} {share}")
    runs = 300
    covered = plainly = 0
    for _ in range(runs):
        clusters = drawn(generator, servers, share, alike=0.3)
        found = clustered_rate(clusters)
        assert found.ci95 is not None
        covered += found.ci95[0] <= share <= found.ci95[1]
        low, high = wilson(found.n, sum(cluster.size for cluster in clusters))
        plainly += low <= share <= high
    assert covered / runs >= 0.91
    assert plainly / runs < 0.7  # what it would be if sessions were taken as independent


def test_few_of_many_unchanged_kinds_are_listed_as_changed() -> None:
    generator = random.Random(1)

    def run() -> list[MixCell]:
        return [cell(port, 200, binomial(generator, 200, 0.7)) for port in range(1, 501)]

    before = run()
    assert len(drift(before, run()).changed) <= 1
    after = [cell(one.port or 0, 200, 60) if one.port == 7 else one for one in run()]
    assert [change.port for change in drift(before, after).changed] == [7]


def test_a_drift_between_runs_with_other_servers_covers_none_and_lists_none() -> None:
    """Both runs have the same agreement, by servers that differ: nineteen times of twenty the
    interval holds zero; with sessions taken for independent it does so far less often.
    """
    generator = random.Random(3)
    covered = plainly = listed = 0
    for _ in range(200):
        runs = [drawn(generator, 25, 0.7, alike=0.2) for _ in range(2)]
        mixes = [
            [cell(25, sum(one.size for one in run), sum(one.n for one in run))] for run in runs
        ]
        effects = design_effect(runs[0]), design_effect(runs[1])
        moved = drift(*mixes, effects)
        covered += moved.ci95[0] <= 0 <= moved.ci95[1]
        listed += len(moved.changed)
        independent = drift(*mixes).ci95
        plainly += independent[0] <= 0 <= independent[1]
    assert covered / 200 >= 0.91
    assert listed / 200 <= 0.09
    assert plainly / 200 < 0.7


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
