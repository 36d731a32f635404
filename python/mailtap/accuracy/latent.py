"""Raters' accuracies without truth: the latent class model of Dawid and Skene, fitted by EM.

Each session is of one of two classes, mail or not, which nobody saw. Given the class, raters err
independently of each other, each with its own sensitivity and specificity (Dawid and Skene, Applied
Statistics 28, 1979). The share of mail may differ between populations, the accuracies may not (Hui
and Walter, Biometrics 36, 1980). Missing ratings add nothing to the likelihood, which is right
where being missing does not depend on the class beyond the population and the ratings there are.

All arrays have a first axis of resamples, which are fitted at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mailtap.accuracy.ratings import Floats, Integers, Ratings

#: EM ends when no parameter moves by more than this, and at the latest after so many rounds.
TOLERANCE = 1e-6
MAXIMUM_ROUNDS = 2_000

#: Sessions added to each rater's right and wrong answers in each class, so that a rater that never
#: errs in the data is not taken for one that can't (the prior of Jeffreys).
PRIOR = 0.5


@dataclass(frozen=True)
class Patterns:
    """The different combinations of population and ratings, a row for each.

    `yes` and `no` have a column for each rater and hold 1 where it answered so, else 0.
    """

    population: Floats  # a column for each population: 1 where the row is of it
    yes: Floats
    no: Floats

    @property
    def raters(self) -> int:
        return int(self.yes.shape[1])

    @property
    def populations(self) -> int:
        return int(self.population.shape[1])


@dataclass(frozen=True)
class Parameters:
    """Estimates, a row for each resample: share of mail by population, accuracies by rater."""

    prevalence: Floats
    sensitivity: Floats
    specificity: Floats

    def posterior(self, patterns: Patterns) -> tuple[Floats, Floats]:
        """The probability that a session with a pattern is mail, and that of the pattern (log)."""
        mail = (
            np.log(self.prevalence) @ patterns.population.T
            + np.log(self.sensitivity) @ patterns.yes.T
            + np.log1p(-self.sensitivity) @ patterns.no.T
        )
        other = (
            np.log1p(-self.prevalence) @ patterns.population.T
            + np.log1p(-self.specificity) @ patterns.yes.T
            + np.log(self.specificity) @ patterns.no.T
        )
        return np.exp(-np.logaddexp(0, other - mail)), np.logaddexp(mail, other)

    def turned(self) -> Parameters:
        """The same model, its two classes swapped where raters would be worse than chance."""
        wrong = (self.sensitivity + self.specificity - 1).sum(axis=1, keepdims=True) < 0
        return Parameters(
            np.where(wrong, 1 - self.prevalence, self.prevalence),
            np.where(wrong, 1 - self.specificity, self.sensitivity),
            np.where(wrong, 1 - self.sensitivity, self.specificity),
        )


def patterns_of(ratings: Ratings) -> tuple[Patterns, Integers]:
    """The different patterns, and the number of the pattern of each row of the ratings."""
    columns = np.column_stack([ratings.population, ratings.rating])
    rows, number = np.unique(columns, axis=0, return_inverse=True)
    populations = np.unique(rows[:, 0])
    return Patterns(
        population=(rows[:, :1] == populations).astype(np.float64),
        yes=(rows[:, 1:] == 1).astype(np.float64),
        no=(rows[:, 1:] == 0).astype(np.float64),
    ), number.reshape(-1).astype(np.int64)


def fit(patterns: Patterns, counts: Floats) -> Parameters:
    """The most likely parameters for one row of counts of the patterns, from several starts."""
    answers = (patterns.yes + patterns.no).sum(axis=1)
    voted = (patterns.yes.sum(axis=1) + 0.5) / (answers + 1)
    starts = np.array([voted, voted**3, 1 - (1 - voted) ** 3, (voted > 0.5) * 0.9 + 0.05])
    repeated = np.repeat(counts.reshape(1, -1), len(starts), axis=0)
    fitted = refit(patterns, repeated, _maximise(patterns, repeated, starts))
    likelihood = (repeated * fitted.posterior(patterns)[1]).sum(axis=1)
    best = [int(np.argmax(likelihood))]
    return Parameters(
        fitted.prevalence[best], fitted.sensitivity[best], fitted.specificity[best]
    ).turned()


def refit(patterns: Patterns, counts: Floats, start: Parameters) -> Parameters:
    """The parameters for each row of counts, by EM from a start."""
    now = start
    for _ in range(MAXIMUM_ROUNDS):
        before = now
        now = _maximise(patterns, counts, before.posterior(patterns)[0])
        if _moved(before, now) < TOLERANCE:
            break
    return now


def _maximise(patterns: Patterns, counts: Floats, mail: Floats) -> Parameters:
    """The most likely parameters when a session with a pattern is mail with these probabilities."""
    of_mail = counts * mail
    of_other = counts - of_mail
    answered = patterns.yes + patterns.no
    return Parameters(
        prevalence=(of_mail @ patterns.population + PRIOR)
        / (counts @ patterns.population + 2 * PRIOR),
        sensitivity=(of_mail @ patterns.yes + PRIOR) / (of_mail @ answered + 2 * PRIOR),
        specificity=(of_other @ patterns.no + PRIOR) / (of_other @ answered + 2 * PRIOR),
    )


def _moved(before: Parameters, now: Parameters) -> float:
    return max(
        float(np.abs(now.prevalence - before.prevalence).max()),
        float(np.abs(now.sensitivity - before.sensitivity).max()),
        float(np.abs(now.specificity - before.specificity).max()),
    )
