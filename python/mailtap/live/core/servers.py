"""Verdicts by server: sessions of one server are alike, which widens the intervals of shares.

Servers are counted in groups by a checksum of their address, so that memory is bounded however many
there are. Groups of clusters that are put together at random estimate the variance that the
clusters themselves would (Wolter, Introduction to Variance Estimation, chapter 2).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from mailtap.correlation.verdicts import INCONSISTENT, NOT_DECODED_BY_BOTH, mask_of
from mailtap.report.model import Rate
from mailtap.report.statistics import Clusters, effective_part, rate_of_part

#: Addresses whose group is remembered.
REMEMBERED = 1 << 14


@dataclass(frozen=True)
class ServerCell:
    """Sessions with a verdict of one group of servers; `unexplained`: without a cause that is
    known; `both_decoded`: decoder and engine both had payload to decode.
    """

    server_group: int
    verdict: str
    unexplained: bool
    both_decoded: bool


@lru_cache(REMEMBERED)
def server_group(server: str | None) -> int:
    """The group of a server's address: the first byte of its MD5, of 256."""
    return hashlib.md5((server or "").encode(), usedforsecurity=False).digest()[0]


class Servers:
    """Sessions with a verdict by group of servers."""

    def __init__(self) -> None:
        self._cells: Counter[ServerCell] = Counter()

    def add(self, cell: ServerCell, n: int) -> None:
        """`n` more of a cell, or fewer."""
        self._cells[cell] += n
        if not self._cells[cell]:
            del self._cells[cell]

    def rate(self, n: int, base: int, is_counted: Condition, is_in_base: Condition) -> Rate:
        """The share `n` / `base`, with an interval as wide as these cells make it."""
        sizes: Counter[int] = Counter()
        counted: Counter[int] = Counter()
        for cell, sessions in self._cells.items():
            if is_in_base(cell):
                sizes[cell.server_group] += sessions
                if is_counted(cell):
                    counted[cell.server_group] += sessions
        clusters = [Clusters(1, size, counted[group]) for group, size in sizes.items() if size > 0]
        return rate_of_part(n, base, effective_part(clusters))


Condition = Callable[[ServerCell], bool]


def of_verdict(verdict: str) -> Condition:
    """Whether a cell has the verdict."""
    return lambda cell: cell.verdict == verdict


def is_unexplained(cell: ServerCell) -> bool:
    return cell.unexplained


def is_any(cell: ServerCell) -> bool:  # noqa: ARG001 -- a condition as the others
    return True


def is_of_both(cell: ServerCell) -> bool:
    """Whether both decoded the cell's sessions."""
    return cell.both_decoded


def server_changes(
    rows: Iterable[tuple[int, str, int, int]],
) -> list[tuple[ServerCell, int]]:
    """Differences by cell, of rows of group, verdict, mask of causes and difference."""
    changes: Counter[ServerCell] = Counter()
    apart = mask_of(NOT_DECODED_BY_BOTH)
    for group, verdict, causes, n in rows:
        unexplained = verdict == INCONSISTENT and causes == 0
        changes[ServerCell(group, verdict, unexplained, not causes & apart)] += n
    return [(cell, n) for cell, n in changes.items() if n]
