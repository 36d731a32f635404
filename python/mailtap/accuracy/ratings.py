"""What each rater says about the sessions, counted: the input of every figure of accuracy.

A rater answers one question about a session, for instance "is this mail?": yes (1), no (0), or
nothing (`MISSING`). Sessions of one server with the same answers are one row with a count, so what
a figure costs depends on the number of different rows and not on the number of sessions.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: A rater that says nothing about a session, or an unknown truth.
MISSING = -1


class RatingsError(ValueError):
    """Counts that can't be ratings; the message says which column is wrong."""


@dataclass(frozen=True)
class Ratings:
    """Counted ratings, a row for each different combination of the columns.

    `cluster` and `population` are numbers from 0. A cluster holds sessions that are right or wrong
    together: those of one server. A population is a group of sessions in which the share of mail
    may differ, but not how accurate a rater is: a port, a sensor. A cluster may be in several.
    `rating` has a column for each rater; it and `truth` hold 1, 0 or MISSING.
    """

    raters: tuple[str, ...]
    cluster: Integers
    population: Integers
    rating: Integers
    truth: Integers
    count: Integers

    @classmethod
    def of_columns(
        cls,
        raters: Sequence[str],
        cluster: ArrayLike,
        rating: ArrayLike,
        count: ArrayLike,
        truth: ArrayLike | None = None,
        population: ArrayLike | None = None,
    ) -> Ratings:
        """Ratings from columns of equal length; clusters and populations may have any values.

        Raises RatingsError where a column has the wrong shape or other values than it may have.
        """
        counts = np.asarray(count, dtype=np.int64)
        rows = len(counts)
        ratings = np.asarray(rating, dtype=np.int64).reshape(-1, len(raters))
        truths = np.full(rows, MISSING) if truth is None else np.asarray(truth, dtype=np.int64)
        clusters = _codes(cluster)
        populations = np.zeros(rows, np.int64) if population is None else _codes(population)
        if len(set(raters)) != len(raters):
            raise RatingsError("two raters have the same name")
        if not rows == len(ratings) == len(truths) == len(clusters) == len(populations):
            raise RatingsError("the columns of the ratings are not equally long")
        if not (np.isin(ratings, (1, 0, MISSING)).all() and np.isin(truths, (1, 0, MISSING)).all()):
            raise RatingsError("a rating or a truth is none of 1, 0 and missing")
        if (counts < 0).any():
            raise RatingsError("a count is below zero")
        return cls(tuple(raters), clusters, populations, ratings, truths, counts)

    @classmethod
    def of_rows(
        cls,
        raters: Sequence[str],
        rows: Iterable[tuple[Hashable, Sequence[int | None], int | None, int]],
    ) -> Ratings:
        """Ratings from rows of cluster, ratings, truth and count; None is a missing rating."""
        numbers: dict[Hashable, int] = {}
        cluster, rating, truth, count = [], [], [], []
        for name, answers, true, n in rows:
            cluster.append(numbers.setdefault(name, len(numbers)))
            rating.append([MISSING if answer is None else answer for answer in answers])
            truth.append(MISSING if true is None else true)
            count.append(n)
        return cls.of_columns(
            raters, cluster, np.reshape(np.array(rating, np.int64), (-1, len(raters))), count, truth
        )

    def select(self, raters: Sequence[str]) -> Ratings:
        """The same sessions as rated by some of the raters, in the order given."""
        columns = [self.raters.index(rater) for rater in raters]
        return Ratings(
            tuple(raters),
            self.cluster,
            self.population,
            self.rating[:, columns],
            self.truth,
            self.count,
        )

    def by_cluster(self, rows: NDArray[np.bool_]) -> Floats:
        """For each cluster, how many sessions the chosen rows count."""
        clusters = int(self.cluster.max(initial=-1)) + 1
        return np.bincount(self.cluster[rows], self.count[rows], clusters).astype(np.float64)


def _codes(column: ArrayLike) -> Integers:
    values: NDArray[Any] = np.asarray(column)
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)
