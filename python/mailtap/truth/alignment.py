"""Two rows of sessions in the order of time: which must be which.

Like the comparison of two texts: pairs that keep the order are chosen so that their points are most
(Needleman and Wunsch, Journal of Molecular Biology 48, 1970). A pair is certain when every choice
without it has fewer points by a margin. Only columns near a row can be its own, so the cost is that
of the pairs, not that of rows times columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: For each row its columns with their points.
Worth = Sequence[Sequence[tuple[int, int]]]


def certain_pairs(
    rows: Sequence[int], columns: Sequence[int], points: Mapping[tuple[int, int], int], margin: int
) -> list[tuple[int, int]]:
    """The pairs of row and column that must be, of those that have points (above zero)."""
    number = {row: at for at, row in enumerate(rows)}
    place = {column: at for at, column in enumerate(columns)}
    worth: list[list[tuple[int, int]]] = [[] for _ in rows]
    for (row, column), value in points.items():
        worth[number[row]].append((place[column], value))
    last = len(columns) - 1
    mirrored = [[(last - column, value) for column, value in row] for row in reversed(worth)]
    before = _best(worth, len(columns))
    behind = [best.mirrored(len(columns)) for best in reversed(_best(mirrored, len(columns)))]
    most = behind[0].at(0)
    pairs = []
    for at, row_worth in enumerate(worth):
        totals = sorted(
            (
                (before[at].at(column) + value + behind[at + 1].at(column + 1), column)
                for column, value in row_worth
            ),
            reverse=True,
        )
        if totals and totals[0][0] == most:
            second = max(
                _without(before[at], behind[at + 1]), totals[1][0] if len(totals) > 1 else 0
            )
            if second <= most - margin:
                pairs.append((rows[at], columns[totals[0][1]]))
    return pairs


@dataclass(frozen=True)
class _Best:
    """The most points of the rows before (or behind) one, by the columns that they may use.

    `values` are for the columns from `first` on; on either side they don't change any more.
    """

    first: int
    values: NDArray[np.int64]

    def at(self, column: int) -> int:
        return int(self.values[min(max(column - self.first, 0), len(self.values) - 1)])

    def mirrored(self, columns: int) -> _Best:
        return _Best(columns - self.first - len(self.values) + 1, self.values[::-1])


def _without(before: _Best, behind: _Best) -> int:
    """The most points when the row between the two has no column."""
    first = max(before.first, behind.first)
    end = min(before.first + len(before.values), behind.first + len(behind.values))
    if end <= first:
        return before.at(first) + behind.at(first)
    together = (
        before.values[first - before.first : end - before.first]
        + behind.values[first - behind.first : end - behind.first]
    )
    return int(together.max())


def _best(worth: Worth, columns: int) -> list[_Best]:
    """For each number of rows from the first on, the most points by the columns before these."""
    # Rows behind don't use columns before `needed`, rows so far none from `used` on.
    needed = [columns] * (len(worth) + 1)
    for at in range(len(worth) - 1, -1, -1):
        needed[at] = min([needed[at + 1], *(column for column, _ in worth[at])])
    found = [_Best(needed[0], np.zeros(1, np.int64))]
    used = 0
    for at, row in enumerate(worth):
        used = max([used, *(column + 1 for column, _ in row)])
        first = needed[at + 1]
        width = max(used - first, 0) + 1
        so_far = found[at]
        values = np.full(width, so_far.values[-1])
        kept = so_far.values[first - so_far.first :][:width]
        values[: len(kept)] = kept
        for column, value in row:
            place = max(column + 1 - first, 0)
            values[place] = max(values[place], so_far.at(column) + value)
        found.append(_Best(first, np.maximum.accumulate(values)))
    return found
