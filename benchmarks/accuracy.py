"""Raters of known accuracy: do the intervals hold it, and does the model without truth own up?

    python benchmarks/accuracy.py [--runs N] [--part independent|dependent|size]...

independent  Raters err independently of each other, 3 to 6 of them, with mail from 1 to 99 % of
             the sessions, servers few, many, alike and uneven, and ratings missing. Each interval
             should hold the true figure in 95 % of the runs (93 to 97 %): against truth, of kappa
             and AC1, and of the latent class model without truth. `refused`: runs without figures.
dependent    Some raters depend on each other. `off`: runs in which the model's estimates are off by
             more than five points, `said`: the share of those in which it refuses. It should be
             95 % or more.
size         The time for ten million sessions of 20,000 servers with four raters.

Each line is one world; the seeds are the same in every run.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "accuracy"))

from evaluation import Evaluation, evaluate
from mailtap.accuracy.against_truth import against_truth
from mailtap.accuracy.agreement import agreements
from mailtap.accuracy.without_truth import without_truth
from simulated import World, simulate

SENSITIVITY = (0.95, 0.90, 0.85, 0.80, 0.90, 0.70)
SPECIFICITY = (0.98, 0.95, 0.90, 0.97, 0.85, 0.95)


def raters(n: int) -> World:
    """The first so many raters; three need two populations."""
    prevalence = (0.2, 0.7) if n == 3 else (0.5,)
    return World(SENSITIVITY[:n], SPECIFICITY[:n], prevalence)


INDEPENDENT = {
    "3 raters, two populations": raters(3),
    "3 raters, 5 % and 60 %": replace(raters(3), prevalence=(0.05, 0.6)),
    "3 raters, 30 % missing": replace(raters(3), missing=0.3),
    "4 raters": raters(4),
    "4 raters, 1 % mail": replace(raters(4), prevalence=(0.01,)),
    "4 raters, 10 % mail": replace(raters(4), prevalence=(0.1,)),
    "4 raters, 90 % mail": replace(raters(4), prevalence=(0.9,)),
    "4 raters, 99 % mail": replace(raters(4), prevalence=(0.99,)),
    "4 raters, sessions independent": replace(raters(4), alike=0.0),
    "5 raters, 30 servers, alike": replace(raters(5), servers=30, alike=0.1),
    "5 raters, uneven servers": replace(raters(5), alike=0.1, uneven=1.2),
    "5 raters, 2,000 sessions": replace(raters(5), sessions=2_000, servers=50),
    "6 raters": raters(6),
    "6 raters, 5 %, 30 % missing": replace(raters(6), prevalence=(0.05,), missing=0.3),
    "6 raters, 1 %, 30 % missing": replace(raters(6), prevalence=(0.01,), missing=0.3),
    "6 raters, 99 %, 30 % missing": replace(raters(6), prevalence=(0.99,), missing=0.3),
}

TWO, THREE, FOUR = (0, 1), (0, 1, 2), (0, 1, 2, 3)

DEPENDENT = {
    "3 raters, two as one": replace(raters(3), shared=0.9, together=TWO),
    "3 raters, hard servers for two": replace(raters(3), hard=0.3, together=TWO),
    "3 raters, hard for all": replace(raters(3), hard=0.3, together=THREE),
    "4 raters, two as one": replace(raters(4), shared=0.9, together=TWO),
    "4 raters, three half as one": replace(raters(4), shared=0.5, together=THREE),
    "4 raters, three as one": replace(raters(4), shared=0.9, together=THREE),
    "4 raters, all as one, 95 % mail": replace(
        raters(4), shared=0.9, together=FOUR, prevalence=(0.95,)
    ),
    "4 raters, hard servers for two": replace(raters(4), hard=0.3, together=TWO),
    "4 raters, hard for all": replace(raters(4), hard=0.3, together=FOUR),
    "4 raters, few hard for all": replace(raters(4), hard=0.1, together=FOUR),
    "4 raters, hard for all, 10 % mail": replace(
        raters(4), hard=0.3, together=FOUR, prevalence=(0.1,)
    ),
    "4 raters, two as one, 2,000 sessions": replace(
        raters(4), shared=0.9, together=TWO, sessions=2_000, servers=50
    ),
    "4 raters, hard for three, 2,000 sessions": replace(
        raters(4), hard=0.3, together=THREE, sessions=2_000, servers=50
    ),
    "6 raters, three as one, 30 % missing": replace(
        raters(6), shared=0.9, together=THREE, missing=0.3
    ),
    "6 raters, hard for three, 5 % mail": replace(
        raters(6), hard=0.3, together=THREE, prevalence=(0.05,)
    ),
}


def independent(runs: int) -> None:
    click.echo(f"{'independent':<42} truth   kappa,AC1  latent  refused   latent by figure")
    for name, world in INDEPENDENT.items():
        outcome = evaluate(world, runs)
        by_kind = " ".join(f"{kind[:4]} {v:.1%}" for kind, v in outcome.latent.by_kind().items())
        click.echo(
            f"{name:<42} {outcome.truth.share:.1%}   {outcome.agreement.share:.1%}     "
            f"{outcome.latent.share:.1%}   {_share(outcome.refusals.total(), runs):>6}   {by_kind}"
        )


def dependent(runs: int) -> None:
    click.echo(f"{'dependent':<42} refused      off     said  unsaid and outside the interval")
    for name, world in DEPENDENT.items():
        outcome = evaluate(world, runs)
        click.echo(
            f"{name:<42} {_share(outcome.refusals.total(), runs):>7} {outcome.off:>8} "
            f"{_said(outcome):>8}  {outcome.outside_unsaid}"
        )


def size() -> None:
    ratings = simulate(replace(raters(4), sessions=200_000, servers=20_000), 0)
    ratings = replace(ratings, count=ratings.count * 50)
    sessions = int(ratings.count.sum())
    for name, measure in (
        ("against truth", against_truth),
        ("agreement", agreements),
        ("without truth", without_truth),
    ):
        began = time.perf_counter()
        measure(ratings)
        click.echo(
            f"{name:<15} {sessions:,} sessions in {len(ratings.count):,} rows: "
            f"{time.perf_counter() - began:.2f} s"
        )


def _share(n: int, of: int) -> str:
    return f"{n / of:.1%}" if of else "-"


def _said(outcome: Evaluation) -> str:
    return _share(outcome.off - outcome.off_unsaid, outcome.off)


@click.command()
@click.option("--runs", default=500, show_default=True, help="Draws of each world.")
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(["independent", "dependent", "size"]),
    help="Which part; all unless given.",
)
def main(runs: int, parts: tuple[str, ...]) -> None:
    """Measure the intervals and the refusals of mailtap.accuracy."""
    chosen = parts or ("independent", "dependent", "size")
    if "independent" in chosen:
        independent(runs)
    if "dependent" in chosen:
        dependent(runs)
    if "size" in chosen:
        size()


if __name__ == "__main__":
    main()
