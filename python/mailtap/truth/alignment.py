"""Two rows of sessions in the order of time: which must be which.

Like the comparison of two texts: pairs that keep the order are chosen so that their points are most
(Needleman and Wunsch, Journal of Molecular Biology 48, 1970). A pair is certain when every choice
without it has fewer points by a margin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

#: Longer rows are aligned in parts that overlap by some, of which only the middle is taken.
PART, OVERLAP = 800, 100


def certain_pairs(
    rows: Sequence[int], columns: Sequence[int], points: Mapping[tuple[int, int], int], margin: int
) -> list[tuple[int, int]]:
    """The pairs of row and column that must be, of those that have points (above zero)."""
    found = []
    place = {column: at for at, column in enumerate(columns)}
    by_row: dict[int, list[int]] = {row: [] for row in rows}
    for row, column in points:
        by_row[row].append(place[column])
    for begin in range(0, len(rows), PART):
        part = rows[max(0, begin - OVERLAP) : begin + PART + OVERLAP]
        places = [at for row in part for at in by_row[row]]
        if places:
            first, last = min(places), max(places) + 1
            pairs = _certain(part, columns[first:last], points, margin)
            taken = set(rows[begin : begin + PART])
            found += [(row, column) for row, column in pairs if row in taken]
    return found


def _certain(
    rows: Sequence[int], columns: Sequence[int], points: Mapping[tuple[int, int], int], margin: int
) -> list[tuple[int, int]]:
    place = {column: at for at, column in enumerate(columns)}
    worth: list[list[tuple[int, int]]] = [[] for _ in rows]
    number = {row: at for at, row in enumerate(rows)}
    for (row, column), value in points.items():
        if row in number and column in place:
            worth[number[row]].append((place[column], value))
    before = _best(worth, len(columns))
    mirrored = [[(len(columns) - 1 - at, value) for at, value in row] for row in reversed(worth)]
    behind = _best(mirrored, len(columns))[::-1, ::-1]
    most = int(before[-1, -1])
    pairs = []
    for at, own in enumerate(worth):
        without = int((before[at] + behind[at + 1]).max())
        totals = sorted(
            (
                (int(before[at, column] + value + behind[at + 1, column + 1]), column)
                for column, value in own
            ),
            reverse=True,
        )
        if totals and totals[0][0] == most:
            second = max(without, totals[1][0] if len(totals) > 1 else 0)
            if second <= most - margin:
                pairs.append((rows[at], columns[totals[0][1]]))
    return pairs


def _best(worth: Sequence[Sequence[tuple[int, int]]], columns: int) -> NDArray[np.int64]:
    """At [row, column] the most points of the rows and columns before these."""
    best = np.zeros((len(worth) + 1, columns + 1), np.int64)
    for at, row in enumerate(worth):
        following = best[at].copy()
        for column, value in row:
            following[column + 1] = max(following[column + 1], best[at, column] + value)
        best[at + 1] = np.maximum.accumulate(following)
    return best
