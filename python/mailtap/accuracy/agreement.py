"""How far two raters agree beyond chance: Cohen's kappa and Gwet's AC1, with intervals.

Kappa (Cohen, Educational and Psychological Measurement 20, 1960) takes the chance agreement from
each rater's own share of yes, and falls to nothing where nearly all sessions are mail, whatever the
raters do. AC1 (Gwet, British Journal of Mathematical and Statistical Psychology 61, 2008) doesn't.
Neither says who is right.

The intervals come from the estimates' linearised variance between clusters, on Fisher's scale
(atanh), with the quantile of t. Where the raters never disagree, the interval's lower end is what
the highest plausible share of disagreement gives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mailtap.accuracy.clusters import Interval, between_clusters, share
from mailtap.accuracy.ratings import Floats, Ratings


@dataclass(frozen=True)
class Agreement:
    """Two raters over the `n` sessions that both rated.

    `kappa` is None where it isn't defined: where both raters gave all sessions the same answer.
    """

    a: str
    b: str
    n: int
    agreeing: float | None
    kappa: float | None
    kappa_ci95: Interval | None
    ac1: float | None
    ac1_ci95: Interval | None


def agreements(ratings: Ratings) -> tuple[Agreement, ...]:
    """The agreement of each pair of raters."""
    pairs = combinations(range(len(ratings.raters)), 2)
    return tuple(_agreement(ratings, first, second) for first, second in pairs)


def _agreement(ratings: Ratings, first: int, second: int) -> Agreement:
    a, b = ratings.rating[:, first], ratings.rating[:, second]
    names = ratings.raters[first], ratings.raters[second]
    cells = np.array(
        [
            ratings.by_cluster((a == 1) & (b == 1)),
            ratings.by_cluster((a == 1) & (b == 0)),
            ratings.by_cluster((a == 0) & (b == 1)),
            ratings.by_cluster((a == 0) & (b == 0)),
        ]
    )
    n = cells.sum()
    if n == 0:
        return Agreement(*names, 0, None, None, None, None, None)
    shares = cells.sum(axis=1) / n
    kappa, ac1 = _kappa(shares), _ac1(shares)
    return Agreement(
        *names,
        n=round(n),
        agreeing=float(shares[0] + shares[3]),
        kappa=kappa.value,
        kappa_ci95=_interval(kappa, cells, shares),
        ac1=ac1.value,
        ac1_ci95=_interval(ac1, cells, shares),
    )


@dataclass(frozen=True)
class _Coefficient:
    """(observed - chance) / (1 - chance), and its derivatives by the four cells' shares."""

    value: float | None
    gradient: Floats
    chance: float


_AGREEING = np.array([1.0, 0.0, 0.0, 1.0])


def _kappa(shares: Floats) -> _Coefficient:
    yes_a, yes_b = shares[0] + shares[1], shares[0] + shares[2]
    chance = yes_a * yes_b + (1 - yes_a) * (1 - yes_b)
    by_a, by_b = 2 * yes_b - 1, 2 * yes_a - 1  # derivatives of chance by the raters' shares
    return _coefficient(shares, chance, np.array([by_a + by_b, by_a, by_b, 0.0]))


def _ac1(shares: Floats) -> _Coefficient:
    yes = shares[0] + (shares[1] + shares[2]) / 2
    by_yes = 2 - 4 * yes
    chance_by_cell = np.array([by_yes, by_yes / 2, by_yes / 2, 0.0])
    return _coefficient(shares, 2 * yes * (1 - yes), chance_by_cell)


def _coefficient(shares: Floats, chance: float, chance_by_cell: Floats) -> _Coefficient:
    if chance >= 1:
        return _Coefficient(None, np.zeros(4), 1.0)
    observed = float(shares[0] + shares[3])
    value = float((observed - chance) / (1 - chance))
    gradient = (_AGREEING - chance_by_cell * (1 - value)) / (1 - chance)
    return _Coefficient(value, gradient, float(chance))


def _interval(coefficient: _Coefficient, cells: Floats, shares: Floats) -> Interval | None:
    if coefficient.value is None:
        return None
    size = cells.sum(axis=0)
    if coefficient.value >= 1:
        disagreeing = share(np.zeros_like(size), size).ci95
        if disagreeing is None:
            return None
        return (1 - disagreeing[1] / (1 - coefficient.chance), 1.0)
    center = float(coefficient.gradient @ shares)
    spread = between_clusters(coefficient.gradient @ cells - center * size, size)
    if spread is None:
        return None
    value = max(coefficient.value, -1 + 1e-12)
    half = spread.quantile * math.sqrt(spread.variance) / (1 - value * value)
    return math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half)
