"""How good each rater is where the truth is known, as from the mail servers' own logs."""

from __future__ import annotations

from dataclasses import dataclass

from mailtap.accuracy.clusters import Figure, share
from mailtap.accuracy.ratings import MISSING, Ratings


@dataclass(frozen=True)
class RaterAccuracy:
    """One rater's figures.

    sensitivity  of what is mail, the share that the rater calls mail
    specificity  of what isn't, the share that it doesn't
    ppv, npv     of what it calls mail (or not), the share that is (or isn't)
    """

    rater: str
    sensitivity: Figure
    specificity: Figure
    ppv: Figure
    npv: Figure


@dataclass(frozen=True)
class Accuracy:
    """The figures of all raters, and the share of mail among sessions whose truth is known."""

    raters: tuple[RaterAccuracy, ...]
    prevalence: Figure


def against_truth(ratings: Ratings) -> Accuracy:
    """The raters' figures over the sessions that have a truth. A missing rating is in no base."""
    known = ratings.truth != MISSING
    true, false = ratings.truth == 1, ratings.truth == 0
    raters = []
    for column, rater in enumerate(ratings.raters):
        answer = ratings.rating[:, column]
        yes, no = answer == 1, answer == 0
        right_yes, right_no = ratings.by_cluster(true & yes), ratings.by_cluster(false & no)
        rated_true = ratings.by_cluster(true & (yes | no))
        rated_false = ratings.by_cluster(false & (yes | no))
        raters.append(
            RaterAccuracy(
                rater,
                sensitivity=share(right_yes, rated_true),
                specificity=share(right_no, rated_false),
                ppv=share(right_yes, ratings.by_cluster(known & yes)),
                npv=share(right_no, ratings.by_cluster(known & no)),
            )
        )
    return Accuracy(tuple(raters), share(ratings.by_cluster(true), ratings.by_cluster(known)))
