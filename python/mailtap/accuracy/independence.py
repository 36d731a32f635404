"""Whether raters err independently given the class, as the latent class model assumes.

Where they do, the fitted model also foretells how often any two or three raters say yes together.
What is left over between the observed and the foretold shares is measured by its scatter over
resamples of clusters (a test of moments of low order, as by Maydeu-Olivares and Joe, Journal of the
American Statistical Association 100, 2005; for residual associations in diagnostic tests: Qu, Tan
and Kutner, Biometrics 52, 1996), and put together in two ways: Hotelling's statistic, which sees a
small deviation where little scatters, and the sum of squares, which sees one of all combinations in
the same direction, as where some servers are hard for several raters. The smaller of the two
p-values counts. Its distribution under independence is that of the resamples around their own mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mailtap.accuracy.latent import Parameters, Patterns
from mailtap.accuracy.ratings import Floats

#: A residual that scatters less than this share of what was observed is fitted exactly: it is left
#: over from rounding, and tests nothing. Likewise a combination of residuals by its share of the
#: largest scatter.
EXACT = 0.01

LARGEST_GROUP = 3

#: Combinations of residuals for each cluster, at most: the scatter of more is not known.
PER_CLUSTER = 0.2


@dataclass(frozen=True)
class Independence:
    """The result of the test. `together`: the raters whose residual is the largest."""

    p_value: float
    together: tuple[int, ...]


def test_independence(
    patterns: Patterns,
    counts: Floats,
    fitted: Parameters,
    resampled: Floats,
    refitted: Parameters,
    clusters: int,
) -> Independence | None:
    """The test; None where the model fits whatever the raters say, so that nothing is left over."""
    groups = [
        group
        for size in range(1, LARGEST_GROUP + 1)
        for group in combinations(range(patterns.raters), size)
    ]
    left = _residuals(patterns, counts.reshape(1, -1), fitted, groups)[1][0]
    observed, scattered = _residuals(patterns, resampled, refitted, groups)
    scatter = scattered.std(axis=0)
    tested = scatter > EXACT * observed.std(axis=0)
    free = len(groups) * patterns.populations - patterns.populations - 2 * patterns.raters
    if free <= 0 or not tested.any():
        return None
    ratio = left[tested] / scatter[tested]
    under = (scattered[:, tested] - scattered[:, tested].mean(axis=0)) / scatter[tested]
    hotelling = _hotelling(ratio, under, free, clusters)
    squares = float((ratio**2).sum()), (under**2).sum(axis=1)
    p_values = [_p_values(*statistic) for statistic in (hotelling, squares)]
    smaller = min(p for p, _ in p_values)
    of_resamples = np.minimum(*(p for _, p in p_values))
    p_value = (int((of_resamples <= smaller).sum()) + 1) / (len(under) + 1)
    place = int(np.flatnonzero(tested)[np.argmax(np.abs(ratio))]) // patterns.populations
    return Independence(p_value, groups[place])


def _hotelling(ratio: Floats, under: Floats, free: int, clusters: int) -> tuple[float, Floats]:
    """Hotelling's statistic of the residuals, and that of each resample."""
    _, sizes, directions = np.linalg.svd(under, full_matrices=False)
    varying = int((sizes > EXACT * sizes[0]).sum())
    rank = max(1, min(free, varying, int(clusters * PER_CLUSTER)))
    draws = len(under)
    weights = np.sqrt(draws) / sizes[:rank]
    # Hotelling's correction: the scatter was estimated, from so many clusters and resamples.
    correction = (draws - rank - 1) / draws * (clusters - rank - 1) / (clusters - 1)
    statistic = float(((directions[:rank] @ ratio * weights) ** 2).sum()) * correction
    return statistic, ((under @ directions[:rank].T * weights) ** 2).sum(axis=1)


def _p_values(statistic: float, of_resamples: Floats) -> tuple[float, Floats]:
    """The share of resamples that reach the statistic, and for each resample that reach its own."""
    ordered = np.sort(of_resamples)
    reached = len(ordered) - np.searchsorted(ordered, np.append(of_resamples, statistic))
    shares = reached / len(ordered)
    return float(shares[-1]), shares[:-1]


def _residuals(
    patterns: Patterns, counts: Floats, parameters: Parameters, groups: list[tuple[int, ...]]
) -> tuple[Floats, Floats]:
    """Observed shares of unanimous yes, and observed minus foretold, by group and population."""
    observed, left = [], []
    for group in groups:
        raters = list(group)
        answered = (patterns.yes + patterns.no)[:, raters].prod(axis=1)
        unanimous = patterns.yes[:, raters].prod(axis=1)
        rated = counts @ (patterns.population * answered[:, None])
        agreed = counts @ (patterns.population * unanimous[:, None])
        mail = parameters.sensitivity[:, raters].prod(axis=1, keepdims=True)
        other = (1 - parameters.specificity[:, raters]).prod(axis=1, keepdims=True)
        foretold = parameters.prevalence * mail + (1 - parameters.prevalence) * other
        share = np.where(rated > 0, agreed / np.maximum(rated, 1), foretold)
        observed.append(share)
        left.append(share - foretold)
    return np.concatenate(observed, axis=1), np.concatenate(left, axis=1)
