"""How good each rater is where nobody knows the truth, or why no figure can be had.

The figures are those of the latent class model (see `latent`), their intervals come from resamples
of clusters: Wilson's interval on the effective number of sessions, which is what gives the
resamples' variance, lowered by the quantile of t (as in `clusters`). Where a rater hardly errs, its
own variance says little, so a design effect below the one that the raters have together is drawn
halfway to it (the geometric mean).
Where one class is rare, most of the variance comes from sessions of the other that look like it; it
does not shrink near 100 % as Wilson's does, so the interval also reaches as far as the variance and
t alone say.

The model's figures are worth as much as its assumptions. So there are none, and one sentence why,
where too few raters look for themselves, where the raters leave no way to test that they err
independently of each other, where that test fails, or where there is too little to go by. A rater
that guesses by port or address repeats what the port says, as any other such rater does: it is
never taken for an independent one.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from mailtap.accuracy.against_truth import Accuracy, RaterAccuracy
from mailtap.accuracy.clusters import Z95, Figure, quantile_of_t, wilson
from mailtap.accuracy.independence import test_independence
from mailtap.accuracy.latent import Parameters, Patterns, fit, patterns_of, refit
from mailtap.accuracy.ratings import MISSING, Floats, Ratings
from mailtap.accuracy.resample import resampled

MINIMUM_RATERS = 3

RESAMPLES = 300

#: Fewer servers than this say too little about how much servers differ.
MINIMUM_CLUSTERS = 10

#: Fewer sessions than this of either class, by the model's own count, are too few to judge by.
MINIMUM_OF_CLASS = 20

#: A rater separates mail from the rest when its sensitivity and specificity together exceed one by
#: more than this, in all but 2.5 % of the resamples.
INFORMATIVE = 0.1

#: The share of mail must be known this well (width of its interval): else the classes are blurred.
WIDEST_PREVALENCE = 0.3

#: Populations test the independence of three raters only where their shares of mail differ so much.
MINIMUM_DIFFERENCE = 0.1

#: Raters are taken for dependent when chance alone would give their residuals less often. That is
#: stricter than the usual 5 %, and more so for few servers, which show dependence less clearly:
#: wrong figures do more harm than none.
SIGNIFICANCE, FEW_CLUSTERS, SIGNIFICANCE_OF_FEW = 0.1, 100, 0.15


_UNINFORMATIVE = (
    "Fewer than three of the raters separate mail from the rest better than chance would, so "
    "different figures fit their answers equally well."
)


@dataclass(frozen=True)
class Refusal:
    """No figures. `reason` is one sentence for the user that says why."""

    reason: str


@dataclass(frozen=True)
class LatentAccuracy:
    """The figures, the raters that had no part in them and why, and the test of independence."""

    accuracy: Accuracy
    left_out: tuple[tuple[str, str], ...]
    p_value: float


def without_truth(ratings: Ratings, guessers: Collection[str] = ()) -> LatentAccuracy | Refusal:
    """The raters' figures without truth. `guessers`: raters that go by port or address."""
    left_out = _left_out(ratings, guessers)
    kept = tuple(rater for rater in ratings.raters if rater not in left_out)
    if len(kept) < MINIMUM_RATERS:
        return Refusal(_too_few(kept, left_out))
    data = _Data(ratings.select(kept))
    reason = data.refusal()
    if reason is not None:
        return Refusal(reason)
    model = _Model(data)
    reason = model.refusal() or model.resample()
    if reason is not None:
        return Refusal(reason)
    test = test_independence(
        data.patterns,
        data.counts[0],
        model.fitted,
        data.resampled,
        model.refitted,
        len(data.sizes),
    )
    if test is None:
        return Refusal(
            "Three raters over one kind of sessions fit the model whatever they say, so nothing "
            "shows whether they err independently: add a rater, or name populations."
        )
    few = len(data.sizes) < FEW_CLUSTERS
    if test.p_value < (SIGNIFICANCE_OF_FEW if few else SIGNIFICANCE):
        together = _listed([kept[rater] for rater in test.together])
        return Refusal(
            f"The raters don't err independently of each other (most of all {together}), so what "
            "they have in common can't be distinguished from the truth."
        )
    return LatentAccuracy(model.accuracy(), tuple(left_out.items()), test.p_value)


def _left_out(ratings: Ratings, guessers: Collection[str]) -> dict[str, str]:
    reasons = {}
    for column, rater in enumerate(ratings.raters):
        answers = np.unique(ratings.rating[ratings.count > 0, column])
        if rater in guessers:
            reasons[rater] = "guesses by port or address"
        elif len(answers[answers != MISSING]) < 2:
            reasons[rater] = "says the same about every session"
    return reasons


def _too_few(kept: tuple[str, ...], left_out: dict[str, str]) -> str:
    besides = "; ".join(f"{rater} {reason}" for rater, reason in left_out.items())
    have = f"only {_listed(kept)} can be used" if kept else "none can be used"
    return f"Without truth it takes three raters that look for themselves, and {have}" + (
        f" ({besides})." if besides else "."
    )


def _listed(names: Collection[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


class _Data:
    """The ratings as counted patterns, and their resamples."""

    def __init__(self, ratings: Ratings) -> None:
        rated = (ratings.rating != MISSING).any(axis=1) & (ratings.count > 0)
        self.raters = ratings.raters
        self._cluster, self._count = ratings.cluster[rated], ratings.count[rated]
        kept = Ratings(
            ratings.raters,
            self._cluster,
            ratings.population[rated],
            ratings.rating[rated],
            ratings.truth[rated],
            self._count,
        )
        self.patterns, self._pattern = patterns_of(kept)
        self.counts: Floats = np.bincount(self._pattern, self._count)[None, :].astype(np.float64)
        self.sizes = np.bincount(np.unique(self._cluster, return_inverse=True)[1], self._count)
        self.resampled: Floats = np.empty((0, self.counts.shape[1]))

    def refusal(self) -> str | None:
        if len(self.sizes) < MINIMUM_CLUSTERS:
            return (
                f"The rated sessions are of {len(self.sizes)} servers, and fewer than "
                f"{MINIMUM_CLUSTERS} don't show how much servers differ."
            )
        self.resampled = resampled(self._cluster, self._pattern, self._count, RESAMPLES)
        return None


class _Model:
    """The fitted model, and the figures of its estimates and of those of the resamples."""

    def __init__(self, data: _Data) -> None:
        self._data = data
        self.fitted = fit(data.patterns, data.counts[0])
        self._shares = _Shares.of(data.patterns, data.counts, self.fitted)
        # Degrees of freedom: as many as there would be servers if all had equally many sessions.
        servers = data.sizes.sum() ** 2 / (data.sizes**2).sum()
        self._quantile = quantile_of_t(max(1.0, servers - 1))

    def refusal(self) -> str | None:
        """Why the estimates alone show that there can be no figures."""
        counts = self._data.counts.sum()
        mail = float(self._shares.prevalence[0]) * counts
        if min(mail, counts - mail) < MINIMUM_OF_CLASS:
            rare = "mail" if mail < counts - mail else "something else"
            return (
                f"The raters together take fewer than {MINIMUM_OF_CLASS} of {round(counts):,} "
                f"sessions for {rare}, too few to judge by."
            )
        if self._informative(self.fitted) < MINIMUM_RATERS:
            return _UNINFORMATIVE
        if len(self._data.raters) == MINIMUM_RATERS:
            shares = self.fitted.prevalence[0]
            if len(shares) > 1 and shares.max() - shares.min() < MINIMUM_DIFFERENCE:
                return (
                    "The populations have nearly the same share of mail, so three raters leave no "
                    "way to test whether they err independently: add a rater."
                )
        return None

    def resample(self) -> str | None:
        """Fit the resamples; why they show that there can be no figures."""
        start = Parameters(
            np.repeat(self.fitted.prevalence, RESAMPLES, axis=0),
            np.repeat(self.fitted.sensitivity, RESAMPLES, axis=0),
            np.repeat(self.fitted.specificity, RESAMPLES, axis=0),
        )
        self.refitted = refit(self._data.patterns, self._data.resampled, start)
        self._scattered = _Shares.of(self._data.patterns, self._data.resampled, self.refitted)
        if self._informative(self.refitted) < MINIMUM_RATERS:
            return _UNINFORMATIVE
        low, high = self._prevalence().ci95 or (0.0, 1.0)
        if high - low > WIDEST_PREVALENCE:
            return (
                f"The answers leave the share of mail anywhere between {low:.0%} and {high:.0%}: "
                "there are too few sessions or servers for a figure."
            )
        return None

    @staticmethod
    def _informative(parameters: Parameters) -> int:
        """How many raters separate mail from the rest in all but 2.5 % of the rows."""
        skill = parameters.sensitivity + parameters.specificity - 1
        return int((np.quantile(skill, 0.025, axis=0) > INFORMATIVE).sum())

    def accuracy(self) -> Accuracy:
        sensitivity = self._figures("sensitivity", "of_mail")
        specificity = self._figures("specificity", "of_other")
        ppv = self._figures("ppv", "called_mail")
        npv = self._figures("npv", "called_other")
        raters = tuple(
            RaterAccuracy(rater, sensitivity[n], specificity[n], ppv[n], npv[n])
            for n, rater in enumerate(self._data.raters)
        )
        return Accuracy(raters, self._prevalence())

    def _prevalence(self) -> Figure:
        n = float(self._data.counts.sum())
        return self._figure(
            float(self._shares.prevalence[0]), float(self._scattered.prevalence.var()), n, 1.0
        )

    def _figures(self, share: str, base: str) -> list[Figure]:
        shares = getattr(self._shares, share)[0]
        bases = getattr(self._shares, base)[0]
        variances = getattr(self._scattered, share).var(axis=0)
        together = float(variances.sum() / (shares * (1 - shares) / bases).sum())
        return [
            self._figure(float(shares[n]), float(variances[n]), float(bases[n]), together)
            for n in range(len(shares))
        ]

    def _figure(self, share: float, variance: float, n: float, together: float) -> Figure:
        simple = share * (1 - share) / n
        own = max(1.0, variance / simple)
        effect = max(own, math.sqrt(own * together))
        low, high = wilson(share, n / effect * (Z95 / self._quantile) ** 2)
        half = self._quantile * math.sqrt(variance)
        interval = (max(0.0, min(low, share - half)), min(1.0, max(high, share + half)))
        return Figure(share, interval, round(n), effect)


@dataclass(frozen=True)
class _Shares:
    """The figures and their bases, a row for each resample, a column for each rater."""

    prevalence: Floats
    sensitivity: Floats
    specificity: Floats
    ppv: Floats
    npv: Floats
    of_mail: Floats
    of_other: Floats
    called_mail: Floats
    called_other: Floats

    @classmethod
    def of(cls, patterns: Patterns, counts: Floats, parameters: Parameters) -> _Shares:
        mail = parameters.posterior(patterns)[0]
        answered = patterns.yes + patterns.no
        called_mail, called_other = counts @ patterns.yes, counts @ patterns.no
        return cls(
            prevalence=(counts * mail).sum(axis=1) / counts.sum(axis=1),
            sensitivity=parameters.sensitivity,
            specificity=parameters.specificity,
            ppv=(counts * mail) @ patterns.yes / np.maximum(called_mail, 1),
            npv=(counts * (1 - mail)) @ patterns.no / np.maximum(called_other, 1),
            of_mail=(counts * mail) @ answered,
            of_other=(counts * (1 - mail)) @ answered,
            called_mail=called_mail,
            called_other=called_other,
        )
