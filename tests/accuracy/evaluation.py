"""How often intervals hold the true figure, and how often the latent class model refuses."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np

from mailtap.accuracy.against_truth import against_truth
from mailtap.accuracy.agreement import agreements
from mailtap.accuracy.latent import fit, patterns_of
from mailtap.accuracy.ratings import Ratings
from mailtap.accuracy.without_truth import Refusal, without_truth
from simulated import World, named_figures, simulate, true_agreements, true_figures

FAR_OFF = 0.05


@dataclass
class Coverage:
    """How often an interval held the true figure, by figure."""

    held: Counter[str] = field(default_factory=Counter)
    all: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, interval: tuple[float, float] | None, true: float) -> None:
        self.all[name] += 1
        self.held[name] += interval is not None and interval[0] <= true <= interval[1]

    @property
    def share(self) -> float:
        return self.held.total() / self.all.total() if self.all else float("nan")

    def by_kind(self) -> dict[str, float]:
        """The share by the last word of the figures' names."""
        held: dict[str, int] = defaultdict(int)
        every: dict[str, int] = defaultdict(int)
        for name, count in self.all.items():
            held[name.rpartition(" ")[2]] += self.held[name]
            every[name.rpartition(" ")[2]] += count
        return {kind: held[kind] / every[kind] for kind in every}


@dataclass
class Evaluation:
    """The outcome of some runs in one world.

    `off`: runs in which an estimate of the model, given or refused, is off by more than five
    points; `off_unsaid`: those of them in which the model gave its figures; `outside_unsaid`: those
    in which the true figure was, besides, outside the interval given.
    """

    runs: int
    truth: Coverage = field(default_factory=Coverage)
    agreement: Coverage = field(default_factory=Coverage)
    latent: Coverage = field(default_factory=Coverage)
    refusals: Counter[str] = field(default_factory=Counter)
    off: int = 0
    off_unsaid: int = 0
    outside_unsaid: int = 0


def evaluate(world: World, runs: int, first_seed: int = 0) -> Evaluation:
    """Draw and rate the world so often."""
    outcome = Evaluation(runs)
    true = true_figures(world)
    agreeing = true_agreements(world)
    for seed in range(first_seed, first_seed + runs):
        ratings = simulate(world, seed)
        for name, figure in named_figures(against_truth(ratings)).items():
            outcome.truth.add(name, figure.ci95, true[name])
        if not world.dependent:
            for pair in agreements(ratings):
                names = f"{pair.a} {pair.b}"
                outcome.agreement.add(f"{names} kappa", pair.kappa_ci95, agreeing[f"{names} kappa"])
                outcome.agreement.add(f"{names} ac1", pair.ac1_ci95, agreeing[f"{names} ac1"])
        far = _far_off(ratings, true)
        outcome.off += far
        latent = without_truth(ratings)
        if isinstance(latent, Refusal):
            outcome.refusals[latent.reason] += 1
            continue
        outcome.off_unsaid += far
        missed = False
        for name, figure in named_figures(latent.accuracy).items():
            assert figure.share is not None and figure.ci95 is not None
            outcome.latent.add(name, figure.ci95, true[name])
            outside = not figure.ci95[0] <= true[name] <= figure.ci95[1]
            missed |= outside and abs(figure.share - true[name]) > FAR_OFF
        outcome.outside_unsaid += missed
    return outcome


def _far_off(ratings: Ratings, true: dict[str, float]) -> bool:
    """Whether the model's own estimates, which a refusal keeps back, are far from the truth."""
    patterns, number = patterns_of(ratings)
    fitted = fit(patterns, np.bincount(number, ratings.count).astype(np.float64))
    estimates = [(fitted.prevalence.mean(), true["prevalence"])]
    for n, rater in enumerate(ratings.raters):
        estimates.append((fitted.sensitivity[0, n], true[f"{rater} sensitivity"]))
        estimates.append((fitted.specificity[0, n], true[f"{rater} specificity"]))
    return any(abs(estimate - figure) > FAR_OFF for estimate, figure in estimates)
