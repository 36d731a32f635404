"""Raters of known accuracy: sessions in clusters, ratings drawn from given probabilities."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from mailtap.accuracy.against_truth import Accuracy
from mailtap.accuracy.clusters import Figure
from mailtap.accuracy.ratings import MISSING, Ratings

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """What is drawn from.

    `alike`: how alike the sessions of a server are (the intraclass correlation) in being mail and
    in being rated rightly. `uneven`: how much the sizes of servers differ (sigma of a lognormal).
    `prevalence` has one value for each population.
    Raters named in `together` depend on each other, in one of two ways or both. `shared`: in this
    share of the sessions the luck of the first decides for all of them. `hard`: on this share of
    the servers each of them recognises only half of the mail that it recognises elsewhere.
    """

    sensitivity: tuple[float, ...]
    specificity: tuple[float, ...]
    prevalence: tuple[float, ...] = (0.5,)
    sessions: int = 20_000
    servers: int = 200
    alike: float = 0.02
    uneven: float = 0.5
    missing: float = 0.0
    shared: float = 0.0
    hard: float = 0.0
    together: tuple[int, ...] = field(default=())

    @property
    def raters(self) -> tuple[str, ...]:
        return tuple(f"rater{n}" for n in range(len(self.sensitivity)))

    @property
    def dependent(self) -> bool:
        return bool(self.together)


def true_figures(world: World) -> dict[str, float]:
    """What each figure would be with endless sessions, by the names of `named_figures`."""
    mail = float(np.mean(world.prevalence))
    figures = {"prevalence": mail}
    for n, rater in enumerate(world.raters):
        ease = 1 - world.hard / 2 if n in world.together else 1.0
        right_yes, right_no = world.sensitivity[n] * ease, world.specificity[n]
        called_mail = mail * right_yes + (1 - mail) * (1 - right_no)
        figures[f"{rater} sensitivity"] = right_yes
        figures[f"{rater} specificity"] = right_no
        figures[f"{rater} ppv"] = mail * right_yes / called_mail
        figures[f"{rater} npv"] = (1 - mail) * right_no / (1 - called_mail)
    return figures


def named_figures(accuracy: Accuracy) -> dict[str, Figure]:
    """All figures of an accuracy by name."""
    figures = {"prevalence": accuracy.prevalence}
    for rater in accuracy.raters:
        for name in ("sensitivity", "specificity", "ppv", "npv"):
            figures[f"{rater.rater} {name}"] = getattr(rater, name)
    return figures


def true_agreements(world: World) -> dict[str, float]:
    """Kappa and AC1 of each pair with endless sessions, where raters err independently."""
    mail = float(np.mean(world.prevalence))
    found = {}
    for a, b in combinations(range(len(world.raters)), 2):
        both = world.sensitivity, world.specificity
        yes_a, yes_b = (
            mail * both[0][rater] + (1 - mail) * (1 - both[1][rater]) for rater in (a, b)
        )
        agreeing = sum(
            share * (right[a] * right[b] + (1 - right[a]) * (1 - right[b]))
            for share, right in zip((mail, 1 - mail), both, strict=True)
        )
        chance = yes_a * yes_b + (1 - yes_a) * (1 - yes_b)
        mean = (yes_a + yes_b) / 2
        pair = f"{world.raters[a]} {world.raters[b]}"
        found[f"{pair} kappa"] = (agreeing - chance) / (1 - chance)
        found[f"{pair} ac1"] = (agreeing - 2 * mean * (1 - mean)) / (1 - 2 * mean * (1 - mean))
    return found


def simulate(world: World, seed: int) -> Ratings:
    """One draw of the world, with its truth."""
    rng = np.random.default_rng(seed)
    size = rng.lognormal(0, world.uneven, world.servers)
    server = rng.choice(world.servers, world.sessions, p=size / size.sum())
    populations = len(world.prevalence)
    population = rng.integers(populations, size=world.servers)
    prevalence = _around(np.array(world.prevalence)[population], world.alike, rng)
    truth = rng.random(world.sessions) < prevalence[server]
    raters = len(world.sensitivity)
    rating = np.empty((world.sessions, raters), np.int64)
    luck = rng.random((world.sessions, raters))
    if world.together:
        hard = rng.random(world.sessions) < world.shared
        first = world.together[0]
        for rater in world.together[1:]:
            luck[hard, rater] = luck[hard, first]
    every = np.ones(world.servers)
    hard_server = rng.random(world.servers) < world.hard
    for rater in range(raters):
        ease = np.where(hard_server, 0.5, 1.0) if rater in world.together else every
        sensitivity = ease * _around(every * world.sensitivity[rater], world.alike, rng)
        specificity = _around(every * world.specificity[rater], world.alike, rng)
        right = np.where(truth, sensitivity[server], specificity[server])
        rating[:, rater] = np.where(luck[:, rater] < right, truth, ~truth)
    rating[rng.random(rating.shape) < world.missing] = MISSING
    columns = np.column_stack([server, population[server], truth, rating])
    rows, count = np.unique(columns, axis=0, return_counts=True)
    return Ratings.of_columns(
        world.raters, rows[:, 0], rows[:, 3:], count, truth=rows[:, 2], population=rows[:, 1]
    )


def _around(mean: Floats, alike: float, rng: np.random.Generator) -> Floats:
    """Shares by server around their means, drawn from beta distributions."""
    if alike == 0:
        return mean
    weight = 1 / alike - 1
    return rng.beta(mean * weight, (1 - mean) * weight)
