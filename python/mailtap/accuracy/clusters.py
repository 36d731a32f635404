"""Intervals for shares when sessions of one server are right or wrong together.

The variance is that of the linearised ratio between the clusters' totals (Cochran, Sampling
Techniques, 3rd ed. 1977, section 9A), each cluster's deviation corrected for the pull that the
cluster has on the estimate itself, and its degrees of freedom those of Satterthwaite (Bell and
McCaffrey, Survey Methodology 28, 2002: "CR2"), which are few where one server dominates. The
share's interval is Wilson's (1927) on the effective number of sessions, which the design effect and
the quantile of t lower, after Korn and Graubard (Survey Methodology 24, 1998).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mailtap.accuracy.ratings import Floats

#: Of the standard normal distribution: the 97.5 % point.
Z95 = 1.959963984540054

Interval = tuple[float, float]


@dataclass(frozen=True)
class Figure:
    """A share with its 95 % interval.

    `n` is its base. `ci95` is None where fewer than two clusters have a part in it, `share` where
    there is nothing to divide by. `design_effect`: by how much the clusters widen the variance.
    """

    share: float | None
    ci95: Interval | None
    n: int
    design_effect: float | None = None


@dataclass(frozen=True)
class Spread:
    """Variance of an estimate between clusters, and how many degrees of freedom it rests on."""

    variance: float
    freedom: float

    @property
    def quantile(self) -> float:
        """The 97.5 % point of t."""
        return quantile_of_t(self.freedom)


def quantile_of_t(freedom: float) -> float:
    """The 97.5 % point of t with so many degrees of freedom."""
    from scipy import special  # takes longer to load than a small report to make

    return float(special.stdtrit(freedom, 0.975))


def between_clusters(deviation: Floats, size: Floats) -> Spread | None:
    """The variance of a mean whose clusters have these sums of deviations from it and sizes.

    None where fewer than two clusters have sessions.
    """
    present = size > 0
    deviation, size = deviation[present], size[present]
    if len(size) < 2:
        return None
    total = size.sum()
    part = size / total
    variance = float((deviation**2 / (1 - part)).sum() / total**2)
    return Spread(variance, _freedom(part))


def _freedom(part: Floats) -> float:
    """Satterthwaite's degrees of freedom for clusters with these parts of the sessions.

    They hold where a cluster's sessions are all alike, which is the worst case. The double sum of
    `weight[c] * weight[d] * product[c, d] ** 2`, where `product[c, d]` is `squares - part[c] -
    part[d]`, plus one where c is d, is written out so that it costs one pass.
    """
    squares = float((part**2).sum())
    weight = part**2 / (1 - part)
    w_0, w_1, w_2 = (float((weight * part**power).sum()) for power in range(3))
    own = 1 + squares - 2 * part
    off = squares - 2 * part
    everything = squares**2 * w_0 * w_0 - 4 * squares * w_0 * w_1 + 2 * w_0 * w_2 + 2 * w_1 * w_1
    diagonal = float((weight**2 * (own**2 - off**2)).sum())
    return max(1.0, float((weight * own).sum()) ** 2 / (everything + diagonal))


def share(hits: Floats, size: Floats) -> Figure:
    """The share of hits, from the numbers of hits and of sessions of each cluster."""
    total, right = float(size.sum()), float(hits.sum())
    if total == 0:
        return Figure(None, None, 0)
    estimate = right / total
    spread = between_clusters(hits - estimate * size, size)
    if spread is None:
        return Figure(estimate, None, round(total))
    if 0 < right < total:
        simple = estimate * (1 - estimate) / total
        effect = spread.variance / simple
    else:
        # Nothing differs, which shows nothing about servers: each counts as one session.
        effect = float((size**2).sum()) / total
    effective = total / max(1.0, effect) * (Z95 / spread.quantile) ** 2
    return Figure(estimate, wilson(estimate, effective), round(total), effect)


def wilson(estimate: float, n: float) -> Interval:
    """Wilson's interval of a share of `n` sessions, which need not be a whole number."""
    extra = Z95 * Z95 / n
    center = (estimate + extra / 2) / (1 + extra)
    half = Z95 / (1 + extra) * math.sqrt(estimate * (1 - estimate) / n + extra / (4 * n))
    low = 0.0 if estimate == 0 else max(0.0, center - half)
    high = 1.0 if estimate == 1 else min(1.0, center + half)
    return low, high
