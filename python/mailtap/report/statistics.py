"""Intervals for shares, and what moved a share between two runs. Pure functions of counts."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailtap.report.model import Bootstrap, Drift, MixCell, MixChange, Rate

#: Of the standard normal distribution: the 97.5 % point.
Z95 = 1.959963984540054

#: Draws of the bootstrap, and the work (draws times kinds of server) that it may take.
DRAWS = 1_000
MAXIMUM_BOOTSTRAP_WORK = 2_000_000
MINIMUM_DRAWS = 200

#: Above this mean a Poisson variate is drawn from the normal distribution.
_LARGE_MEAN = 30


def wilson(n: int, base: int) -> tuple[float, float]:
    """The 95 % interval of Wilson (1927) of a share `n` / `base`; `base` is above zero."""
    share = n / base
    spread = Z95 * Z95 / base
    center = (share + spread / 2) / (1 + spread)
    half = Z95 / (1 + spread) * math.sqrt(share * (1 - share) / base + spread / (4 * base))
    # At the ends rounding must not push the bound past the share itself.
    low = 0.0 if n == 0 else center - half
    high = 1.0 if n == base else center + half
    return low, high


def rate(n: int, base: int) -> Rate:
    if base == 0:
        return Rate(n, None, None)
    return Rate(n, n / base, wilson(n, base))


def difference(n_1: int, base_1: int, n_2: int, base_2: int) -> tuple[float, float]:
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
class ServerKind:
    """`servers` servers that each have the same counts of sessions."""

    servers: int
    matched: int
    consistent: int
    compatible: int


def bootstrap(kinds: Sequence[ServerKind]) -> Bootstrap | None:
    """Intervals when servers are drawn with replacement; None where there are fewer than two.

    Each server is drawn a Poisson number of times, so servers alike are drawn together. The draws
    are the same in every run.
    """
    servers = sum(kind.servers for kind in kinds)
    if servers < 2:
        return None
    generator = random.Random(0)  # noqa: S311 -- no secret, and runs must be comparable
    draws = max(MINIMUM_DRAWS, min(DRAWS, MAXIMUM_BOOTSTRAP_WORK // len(kinds)))
    consistent, agreeing = [], []
    for _ in range(draws):
        matched = same = alike = 0
        for kind in kinds:
            weight = _poisson(generator, kind.servers)
            matched += weight * kind.matched
            same += weight * kind.consistent
            alike += weight * kind.compatible
        if matched:
            consistent.append(same / matched)
            agreeing.append((same + alike) / matched)
    return Bootstrap(servers, _percentiles(consistent), _percentiles(agreeing))


def _poisson(generator: random.Random, mean: int) -> int:
    """A Poisson variate, by multiplication of uniforms (Knuth), for large means approximately."""
    if mean > _LARGE_MEAN:
        return max(0, round(generator.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), generator.random(), 0
    while product > limit:
        product *= generator.random()
        count += 1
    return count


def _percentiles(values: list[float]) -> tuple[float, float]:
    ordered = sorted(values)
    last = len(ordered) - 1
    return ordered[math.floor(0.025 * last)], ordered[math.ceil(0.975 * last)]


_Kind = tuple[int | None, str | None, str]


def drift(before: Sequence[MixCell], after: Sequence[MixCell]) -> Drift:
    """How the consistent share moved from one run to the next; both have matched sessions.

    After Kitagawa (1955): what the mix did is weighed with the mean agreement of both runs, what
    the agreement did with the mean mix. A kind that one run lacks has moved the mix only.
    """
    old, new = _by_kind(before), _by_kind(after)
    old_base, new_base = (sum(cell.matched for cell in cells) for cells in (before, after))
    composition = conditional = distance = 0.0
    changed = []
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
            interval = difference(was.consistent, was.matched, now.consistent, now.matched)
            if interval[0] > 0 or interval[1] < 0:
                changed.append(MixChange(*kind, old_share, new_share, interval))
    old_n, new_n = (sum(cell.consistent for cell in cells) for cells in (before, after))
    return Drift(
        before=old_n / old_base,
        after=new_n / new_base,
        difference=new_n / new_base - old_n / old_base,
        ci95=difference(old_n, old_base, new_n, new_base),
        composition=composition,
        conditional=conditional,
        composition_distance=distance,
        changed=tuple(changed),
    )


def _by_kind(cells: Sequence[MixCell]) -> Mapping[_Kind, MixCell]:
    return {(cell.port, cell.direction, cell.app): cell for cell in cells if cell.matched}


def _share(cell: MixCell | None) -> float:
    return cell.consistent / cell.matched if cell else 0.0
