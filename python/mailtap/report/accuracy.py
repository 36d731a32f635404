"""Who is right: each rater against the servers' logs, or without truth, and how raters agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from mailtap import accuracy
from mailtap.correlation.engines import QueryEngine
from mailtap.policy import Policy
from mailtap.report.listing import SESSION_TRUTH
from mailtap.report.model import Accuracy, PairAgreement, RaterFigures, ServerLogs, Share
from mailtap.report.raters import (
    MAIL,
    QUESTIONS,
    Answers,
    Rater,
    by_direction,
    counted_answers,
    find_raters,
    ratings,
)
from mailtap.report.server_logs import Truth, compare_with_truth


@dataclass(frozen=True)
class AccuracyFigures:
    """Of a report."""

    accuracy: Accuracy | None
    agreement: tuple[PairAgreement, ...] = ()


def accuracy_figures(
    engine: QueryEngine, policy: Policy, truth: Truth | None, *, judged: bool
) -> AccuracyFigures:
    """From `verdicts_by_engine` where sessions were `judged`, and the servers' truth."""
    raters = find_raters(engine) if judged else ()
    labelled = bool(raters)
    if not labelled and truth is not None:
        raters = _decoders(engine)
    if not raters:
        return AccuracyFigures(None)
    several = len({rater.name for rater in raters if rater.provenance is not None}) > 1
    ports = sorted(port for ports in policy.mail_ports.values() for port in ports)
    answers = counted_answers(engine, raters, several_labels=several) if labelled else []
    agreement = tuple(
        PairAgreement(**asdict(pair))
        for pair in accuracy.agreements(ratings(answers, raters, MAIL, ports))
        if pair.n
    )
    if truth is not None:
        found = compare_with_truth(engine, truth, raters, several_labels=several)
        engine.fill(
            SESSION_TRUTH,
            {"session_id": "BIGINT", "truth": "STRING"},
            list(found.truth_of.items()),
        )
        return AccuracyFigures(_against_truth(found.answers, raters, found.logs), agreement)
    return AccuracyFigures(_without_truth(answers, raters, ports), agreement)


def _decoders(engine: QueryEngine) -> tuple[Rater, ...]:
    rows = engine.rows(
        "SELECT DISTINCT coalesce(decoder, 'mailtap') AS decoder FROM whole_sessions "
        "ORDER BY decoder"
    )
    return tuple(Rater(row["decoder"]) for row in rows)


def _against_truth(
    answers: Sequence[Answers], raters: Sequence[Rater], logs: ServerLogs
) -> Accuracy:
    if not answers:
        reason = (
            "No session is in the servers' logs: are they of the same servers, time and time zone?"
        )
        return Accuracy("truth", reason, (), None, server_logs=logs)
    everything = accuracy.against_truth(ratings(answers, raters, MAIL, ()))
    figures: list[RaterFigures] = []
    for question in QUESTIONS:
        found = accuracy.against_truth(ratings(answers, raters, question, ()))
        figures += _figures(found, raters, question, None)
    for side, own in sorted(by_direction(answers).items()):
        found = accuracy.against_truth(ratings(own, raters, MAIL, ()))
        figures += _figures(found, raters, MAIL, side)
    return Accuracy("truth", None, tuple(figures), _share(everything.prevalence), server_logs=logs)


def _without_truth(
    answers: Sequence[Answers], raters: Sequence[Rater], ports: Sequence[int]
) -> Accuracy:
    guessers = [str(rater) for rater in raters if rater.guesses]
    found = accuracy.without_truth(ratings(answers, raters, MAIL, ports), guessers)
    if isinstance(found, accuracy.Refusal):
        return Accuracy("latent", found.reason, (), None)
    return Accuracy(
        "latent",
        None,
        tuple(_figures(found.accuracy, raters, MAIL, None)),
        _share(found.accuracy.prevalence),
        found.left_out,
        found.p_value,
    )


def _figures(
    found: accuracy.Accuracy, raters: Sequence[Rater], question: str, side: str | None
) -> list[RaterFigures]:
    named = {str(rater): rater for rater in raters}
    return [
        RaterFigures(
            named[one.rater].name,
            named[one.rater].provenance,
            question,
            side,
            _share(one.sensitivity),
            _share(one.specificity),
            _share(one.ppv),
            _share(one.npv),
        )
        for one in found.raters
        if one.sensitivity.n or one.specificity.n
    ]


def _share(figure: accuracy.Figure) -> Share:
    return Share(figure.share, figure.ci95, figure.n)
