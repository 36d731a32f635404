"""Intervals for shares, and what moved a share between two runs. Pure functions of counts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailtap.report.model import Drift, MixCell, MixChange, Rate

#: Of the standard normal distribution: the 97.5 % point.
Z95 = 1.959963984540054

#: Of the kinds that are listed as changed, the share that may be listed by chance.
FALSE_DISCOVERIES = 0.05


def wilson(n: float, base: float) -> tuple[float, float]:
    """The 95 % interval of Wilson (1927) of a share `n` / `base`; `base` is above zero."""
    return wilson_of_share(n / base, base)


def wilson_of_share(share: float, base: float) -> tuple[float, float]:
    """The same of a share of an effective number of observations."""
    spread = Z95 * Z95 / base
    center = (share + spread / 2) / (1 + spread)
    half = Z95 / (1 + spread) * math.sqrt(share * (1 - share) / base + spread / (4 * base))
    # At the ends the bound is the share itself; rounding would leave it short of that.
    low = 0.0 if share == 0 else center - half
    high = 1.0 if share == 1 else center + half
    return low, high


def rate(n: int, base: int) -> Rate:
    if base == 0:
        return Rate(n, None, None)
    return Rate(n, n / base, wilson(n, base))


def difference(n_1: float, base_1: float, n_2: float, base_2: float) -> tuple[float, float]:
    """The 95 % interval of share 2 minus share 1, by Newcombe (1998), method 10."""
    share_1, share_2 = n_1 / base_1, n_2 / base_2
    low_1, high_1 = wilson(n_1, base_1)
    low_2, high_2 = wilson(n_2, base_2)
    moved = share_2 - share_1
    return (
        moved - math.hypot(share_2 - low_2, high_1 - share_1),
        moved + math.hypot(high_2 - share_2, share_1 - low_1),
    )


@dataclass(frozen=True)
class Clusters:
    """`count` clusters (servers) alike: each has `size` sessions, `n` of which are counted."""

    count: int
    size: int
    n: int


def clustered_rate(clusters: Sequence[Clusters]) -> Rate:
    """The share of the sessions of all clusters, with an interval that allows for clusters:
    sessions of one server are not independent.

    Wilson's interval on the effective number of sessions, after Korn and Graubard (1998).
    """
    return rate_of_part(*_totals(clusters), effective_part(clusters))


def rate_of_part(n: int, base: int, part: float) -> Rate:
    """The share `n` / `base`, with Wilson's interval as if only this part of the base counted."""
    if base == 0:
        return Rate(n, None, None)
    return Rate(n, n / base, wilson_of_share(n / base, base * part))


def effective_part(clusters: Sequence[Clusters]) -> float:
    """The effective number of sessions as a part of all, at most 1: that of the design effect, and
    less where few clusters leave the effect uncertain. With a single cluster the effect can't be
    estimated: sessions count as independent.
    """
    _, base = _totals(clusters)
    if sum(cluster.count for cluster in clusters if cluster.size) < 2:
        return 1.0
    freedom = base / _mean_size(clusters, base) - 1
    return min(1.0, (Z95 / _student(freedom)) ** 2 / design_effect(clusters))


def design_effect(clusters: Sequence[Clusters]) -> float:
    """How many times larger the variance of the share is than if sessions were independent; never
    below 1.

    The variance between clusters is the jackknife's, in closed form for a share: each cluster is
    left out in turn. Where all sessions are of the kind, or none is, it would be zero, which is no
    estimate: there each cluster counts as one observation.
    """
    n, base = _totals(clusters)
    filled = [cluster for cluster in clusters if cluster.size]
    number = sum(cluster.count for cluster in filled)
    if number < 2:
        return 1.0
    share = n / base
    if n in (0, base):
        return _mean_size(filled, base)
    squares = sum(
        cluster.count * ((cluster.n - share * cluster.size) / (1 - cluster.size / base)) ** 2
        for cluster in filled
    )
    variance = (number - 1) / number * squares / base**2
    return max(1.0, variance / (share * (1 - share) / base))


def _mean_size(clusters: Sequence[Clusters], base: int) -> float:
    """The size of the cluster that a session is in, on average over sessions: `base` divided by it
    is the effective number of clusters (Kish 1965), small where one cluster has most sessions.
    """
    return sum(cluster.count * cluster.size**2 for cluster in clusters) / base


def _totals(clusters: Sequence[Clusters]) -> tuple[int, int]:
    return (
        sum(cluster.count * cluster.n for cluster in clusters),
        sum(cluster.count * cluster.size for cluster in clusters),
    )


#: The 97.5 % point of Student's distribution with 1 to 10 degrees of freedom.
_STUDENT = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)


def _student(freedom: float) -> float:
    """The same with any number, not only a whole one; above 10 by the expansion of Fisher and
    Cornish (1960).
    """
    if freedom <= 1:
        return _STUDENT[0]
    if freedom < len(_STUDENT):
        whole = int(freedom)
        lower, upper = _STUDENT[whole - 1 : whole + 1]
        return lower + (upper - lower) * (freedom - whole)
    z = Z95
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )


_Kind = tuple[int | None, str | None, str]


def drift(
    before: Sequence[MixCell],
    after: Sequence[MixCell],
    design_effects: tuple[float, float] = (1.0, 1.0),
) -> Drift:
    """How the consistent share moved from one run to the next; both have matched sessions.

    After Kitagawa (1955): what the mix did is weighed with the mean agreement of both runs, what
    the agreement did with the mean mix. A kind that one run lacks has moved the mix only.

    Intervals and tests allow for sessions of one server being alike: counts are divided by their
    run's design effect (Rao and Scott 1992).
    """
    old, new = _by_kind(before), _by_kind(after)
    old_base, new_base = (sum(cell.matched for cell in cells) for cells in (before, after))
    composition = conditional = distance = 0.0
    common: list[tuple[MixCell, MixCell]] = []
    for kind in sorted(old.keys() | new.keys(), key=lambda kind: tuple(map(str, kind))):
        was, now = old.get(kind), new.get(kind)
        old_weight = was.matched / old_base if was else 0.0
        new_weight = now.matched / new_base if now else 0.0
        distance += abs(new_weight - old_weight) / 2
        old_share = _share(was or now)
        new_share = _share(now or was)
        composition += (new_weight - old_weight) * (old_share + new_share) / 2
        conditional += (new_share - old_share) * (old_weight + new_weight) / 2
        if was and now:
            common.append((was, now))
    old_n, new_n = (sum(cell.consistent for cell in cells) for cells in (before, after))
    old_effect, new_effect = design_effects
    return Drift(
        before=old_n / old_base,
        after=new_n / new_base,
        difference=new_n / new_base - old_n / old_base,
        ci95=_moved_by(
            _effective(old_n, old_base, old_effect), _effective(new_n, new_base, new_effect)
        ),
        composition=composition,
        conditional=conditional,
        composition_distance=distance,
        changed=_changed(common, design_effects),
    )


def _by_kind(cells: Sequence[MixCell]) -> Mapping[_Kind, MixCell]:
    return {(cell.port, cell.direction, cell.app): cell for cell in cells if cell.matched}


def _share(cell: MixCell | None) -> float:
    return cell.consistent / cell.matched if cell else 0.0


@dataclass(frozen=True)
class Part:
    """`n` sessions of `base`, which are as good as independent of each other."""

    n: float
    base: float


def _effective(n: int, base: int, design_effect: float) -> Part:
    return Part(n / design_effect, base / design_effect)


def _moved_by(was: Part, now: Part) -> tuple[float, float]:
    return difference(was.n, was.base, now.n, now.base)


def _changed(
    common: Sequence[tuple[MixCell, MixCell]], design_effects: tuple[float, float]
) -> tuple[MixChange, ...]:
    """The kinds whose agreement differs, with a controlled rate of false discoveries (Benjamini and
    Hochberg 1995): of many kinds some always differ by chance.
    """
    old_effect, new_effect = design_effects
    counts = [
        (
            _effective(was.consistent, was.matched, old_effect),
            _effective(now.consistent, now.matched, new_effect),
        )
        for was, now in common
    ]
    return tuple(
        MixChange(was.port, was.direction, was.app, _share(was), _share(now), _moved_by(*effective))
        for (was, now), effective, differs in zip(common, counts, differing(counts), strict=True)
        if differs
    )


def differing(pairs: Sequence[tuple[Part, Part]]) -> list[bool]:
    """Of each pair whether its shares differ, with a controlled rate of false discoveries."""
    tests = [_p_value(was, now) for was, now in pairs]
    threshold = max(
        (
            p
            for rank, p in enumerate(sorted(tests), 1)
            if p <= FALSE_DISCOVERIES * rank / len(tests)
        ),
        default=-1.0,
    )
    return [p <= threshold for p in tests]


def _p_value(was: Part, now: Part) -> float:
    """Of the same share in both: chi-squared of the two by two table, with the correction of Yates
    (1934), which keeps small counts from looking like a change.
    """
    total = was.base + now.base
    counted = was.n + now.n
    if counted in (0, total):
        return 1.0
    cross = was.n * now.base - now.n * was.base
    corrected = max(0.0, abs(cross) - total / 2)
    squared = total * corrected**2 / (was.base * now.base * counted * (total - counted))
    return math.erfc(math.sqrt(squared / 2))
