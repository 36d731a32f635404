"""Verdicts by server: sessions of one server are alike, which widens the intervals of shares.

Servers are counted in groups by a checksum of their address, so that memory is bounded however many
there are. Groups of clusters that are put together at random estimate the variance that the
clusters themselves would (Wolter, Introduction to Variance Estimation, chapter 2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mailtap.correlation.verdicts import INCONSISTENT
from mailtap.report.model import Rate
from mailtap.report.statistics import Clusters, effective_part, rate_of_part

#: SQL of the group of a server `server_h`: the first byte of its MD5, of 256.
GROUP = "('0x' || left(md5(coalesce(server_h, '')), 2))::BIGINT"


@dataclass(frozen=True)
class ServerCell:
    """Sessions with a verdict of one group of servers; `unexplained`: without a cause that is
    known; `port_guess`: their label was guessed by port.
    """

    server_group: int
    verdict: str
    unexplained: bool
    port_guess: bool


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


def is_no_port_guess(cell: ServerCell) -> bool:
    return not cell.port_guess


def server_changes(
    rows: Iterable[tuple[int, str, int, str | None, int]],
) -> list[tuple[ServerCell, int]]:
    """Differences by cell, of rows of group, verdict, mask of causes, provenance and difference."""
    changes: Counter[ServerCell] = Counter()
    for group, verdict, causes, provenance, n in rows:
        unexplained = verdict == INCONSISTENT and causes == 0
        changes[ServerCell(group, verdict, unexplained, provenance == "port")] += n
    return [(cell, n) for cell, n in changes.items() if n]
