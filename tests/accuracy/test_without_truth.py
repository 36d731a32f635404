"""The latent class model: figures without truth, and why there are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mailtap.accuracy import LatentAccuracy, Ratings, Refusal, without_truth
from mailtap.accuracy.latent import Parameters
from simulated import World, named_figures, simulate, true_figures

FOUR = World((0.95, 0.90, 0.85, 0.80), (0.98, 0.95, 0.90, 0.97))
THREE = World((0.95, 0.90, 0.85), (0.98, 0.95, 0.90))


def figures(ratings: Ratings, **options: tuple[str, ...]) -> LatentAccuracy:
    found = without_truth(ratings, **options)
    assert isinstance(found, LatentAccuracy), found
    return found


def reason(ratings: Ratings, **options: tuple[str, ...]) -> str:
    found = without_truth(ratings, **options)
    assert isinstance(found, Refusal), found
    assert found.reason.endswith(".")
    assert found.reason.count(". ") == 0, "one sentence"
    return found.reason


def test_the_accuracies_are_found_without_the_truth() -> None:
    found = named_figures(figures(simulate(FOUR, 3)).accuracy)
    for name, true in true_figures(FOUR).items():
        assert found[name].share == pytest.approx(true, abs=0.03), name


def test_the_truth_plays_no_part() -> None:
    ratings = simulate(FOUR, 3)
    hidden = replace(ratings, truth=np.zeros_like(ratings.truth))
    assert figures(ratings).accuracy == figures(hidden).accuracy


def test_the_figures_are_the_same_in_every_run() -> None:
    assert without_truth(simulate(FOUR, 4)) == without_truth(simulate(FOUR, 4))


def test_three_raters_and_two_populations_are_enough() -> None:
    world = replace(THREE, prevalence=(0.2, 0.7))
    found = named_figures(figures(simulate(world, 1)).accuracy)
    assert found["rater2 sensitivity"].share == pytest.approx(0.85, abs=0.04)


def test_a_rater_that_is_worse_than_chance_is_shown_as_such() -> None:
    world = World((0.95, 0.90, 0.85, 0.20), (0.98, 0.95, 0.90, 0.30))
    found = named_figures(figures(simulate(world, 1)).accuracy)
    assert found["rater3 sensitivity"].share == pytest.approx(0.2, abs=0.03)


def test_missing_ratings_are_no_ratings_of_no() -> None:
    found = named_figures(figures(simulate(replace(FOUR, missing=0.4), 1)).accuracy)
    assert found["rater0 sensitivity"].share == pytest.approx(0.95, abs=0.03)


def test_ten_times_the_sessions_of_each_server_change_no_share() -> None:
    ratings = simulate(FOUR, 3)
    once = named_figures(figures(ratings).accuracy)
    often = named_figures(figures(replace(ratings, count=ratings.count * 10)).accuracy)
    for name, figure in once.items():
        assert often[name].share == pytest.approx(figure.share, abs=1e-3)
        assert often[name].ci95 == pytest.approx(figure.ci95, abs=5e-3)


def test_raters_that_guess_by_port_are_left_out() -> None:
    world = World((*FOUR.sensitivity, 0.9), (*FOUR.specificity, 0.9))
    found = figures(simulate(world, 1), guessers=("rater4",))
    assert found.left_out == (("rater4", "guesses by port or address"),)
    assert [rater.rater for rater in found.accuracy.raters] == list(FOUR.raters)


def test_two_raters_are_too_few() -> None:
    refusal = reason(simulate(THREE, 1), guessers=("rater1",))
    assert "takes three raters" in refusal
    assert "rater1 guesses by port or address" in refusal


def test_a_rater_that_says_the_same_about_everything_is_none() -> None:
    ratings = simulate(THREE, 1)
    rating = ratings.rating.copy()
    rating[:, 0] = 1
    refusal = reason(replace(ratings, rating=rating))
    assert "rater0 says the same about every session" in refusal


def test_no_raters_and_no_sessions() -> None:
    assert "none can be used" in reason(Ratings.of_rows(("a", "b", "c"), []))


def test_three_raters_over_one_population_can_not_be_tested() -> None:
    assert "add a rater, or name populations" in reason(simulate(THREE, 1))


def test_three_raters_over_populations_alike_can_not_be_tested() -> None:
    world = replace(THREE, prevalence=(0.5, 0.5))
    assert "nearly the same share of mail" in reason(simulate(world, 3))


def test_few_servers_are_too_few() -> None:
    assert "are of 5 servers" in reason(simulate(replace(FOUR, servers=5), 1))


def test_a_class_that_hardly_occurs_is_too_rare() -> None:
    world = World((0.99,) * 4, (0.99,) * 4, prevalence=(0.995,), sessions=2_000, servers=50)
    assert "too few to judge by" in reason(simulate(world, 1))


def test_raters_that_know_nothing_are_not_distinguished_from_chance() -> None:
    world = World((0.5, 0.5, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5))
    assert isinstance(without_truth(simulate(world, 1)), Refusal)


@pytest.mark.parametrize("together", [(0, 1), (0, 1, 2), (0, 1, 2, 3)])
def test_raters_that_err_together_are_found_out(together: tuple[int, ...]) -> None:
    refusal = reason(simulate(replace(FOUR, shared=0.9, together=together), 1))
    assert "don't err independently" in refusal


def test_raters_that_fail_on_the_same_servers_are_found_out() -> None:
    refusal = reason(simulate(replace(FOUR, hard=0.3, together=(0, 1)), 1))
    assert "don't err independently" in refusal


def test_classes_are_named_so_that_most_raters_are_right() -> None:
    upside_down = Parameters(
        np.array([[0.3]]), np.array([[0.1, 0.2, 0.1]]), np.array([[0.2, 0.1, 0.1]])
    )
    turned = upside_down.turned()
    assert turned.prevalence[0, 0] == pytest.approx(0.7)
    assert turned.sensitivity[0] == pytest.approx([0.8, 0.9, 0.9])
    assert turned.specificity[0] == pytest.approx([0.9, 0.8, 0.9])
