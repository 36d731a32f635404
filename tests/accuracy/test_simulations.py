"""A short run of benchmarks/accuracy.py: intervals hold the truth, dependence is owned up to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluation import evaluate
from simulated import World

FOUR = World((0.95, 0.90, 0.85, 0.80), (0.98, 0.95, 0.90, 0.97))
RUNS = 25


@pytest.mark.parametrize(
    "world",
    [
        FOUR,
        replace(FOUR, prevalence=(0.05,), missing=0.2),
        replace(FOUR, servers=40, alike=0.1),
        World((0.95, 0.90, 0.85), (0.98, 0.95, 0.90), prevalence=(0.2, 0.7)),
    ],
    ids=["plain", "rare and missing", "few servers", "two populations"],
)
def test_intervals_hold_the_true_figure_in_19_of_20_runs(world: World) -> None:
    outcome = evaluate(world, RUNS)
    for coverage in (outcome.truth, outcome.agreement, outcome.latent):
        # So few runs scatter; the benchmark has 500.
        assert 0.90 <= coverage.share <= 0.99
    # By chance one of ten runs is refused, of those with few servers one of five.
    assert outcome.refusals.total() <= RUNS * 0.4


@pytest.mark.parametrize(
    "world",
    [
        replace(FOUR, shared=0.9, together=(0, 1, 2), prevalence=(0.9,)),
        replace(FOUR, hard=0.3, together=(0, 1, 2, 3)),
        World(
            (0.95, 0.90, 0.85),
            (0.98, 0.95, 0.90),
            prevalence=(0.2, 0.7),
            hard=0.3,
            together=(0, 1, 2),
        ),
        replace(FOUR, hard=0.3, together=(0, 1, 2), sessions=2_000, servers=50),
    ],
    ids=["three as one", "servers hard for all", "three raters", "few sessions"],
)
def test_dependent_raters_get_no_figures_where_these_would_be_far_off(world: World) -> None:
    outcome = evaluate(world, RUNS, first_seed=150)
    assert outcome.off > 0, "a world in which the model goes wrong"
    assert outcome.off_unsaid <= 0.05 * outcome.off
