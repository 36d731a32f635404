"""From the tables of sessions and labels to the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mailtap.correlation.engines import QueryEngine
from mailtap.correlation.pipeline import correlate, judge_own_labels
from mailtap.correlation.seed import seed_warnings
from mailtap.policy import Policy
from mailtap.report.accuracy import accuracy_figures
from mailtap.report.consistency import clock_warnings, consistency_figures, time_windows
from mailtap.report.counting import count_judged, counts_of_join, counts_of_rows
from mailtap.report.listing import examples
from mailtap.report.losses import Losses, losses_of
from mailtap.report.missed import missed_by_live
from mailtap.report.model import Report
from mailtap.report.server_logs import Truth
from mailtap.report.sessions import session_figures
from mailtap.report.tls import finding_counts, report_tls
from mailtap.report.tls_services import label_services


def build_report(
    engine: QueryEngine,
    policy: Policy,
    *,
    engine_name: str,
    complete: bool = True,
    with_labels: bool = False,
    listing: bool = False,
    with_live: bool = False,
    truth: Truth | None = None,
    warnings: Sequence[str] = (),
) -> Report:
    """The report over the table `sessions` and, with labels, the table `labels`.

    Without labels, sessions that carry a label of their own are compared with that. Leaves
    `whole_sessions` and, if anything was compared, `verdicts`, both ready for a listing of
    sessions if there will be one: with the details that `sessions` then has, and as a table.
    `with_live`: compare with the store of live mode, whose tables are there. `truth`: the sessions
    of the servers' logs, for which `sessions` has details.
    """
    details = listing or truth is not None
    if with_labels:
        correlation = correlate(engine, policy, details=details, keep=listing)
    else:
        correlation = judge_own_labels(engine, policy, details=details)
    consistency = None
    losses = Losses()
    if correlation.judged:
        width, window = time_windows(engine, with_labels=with_labels)
        count_judged(engine, window)
        counts = counts_of_join(engine) if with_labels else counts_of_rows(engine)
        consistency = consistency_figures(
            engine, counts, correlation.clocks, width, with_labels=with_labels
        )
        losses = losses_of(engine, counts, policy)
    accuracy = accuracy_figures(
        engine,
        policy,
        truth,
        judged=correlation.judged,
        several_engines=correlation.several_engines,
    )
    seeds = seed_warnings(engine, policy.join.community_id_seed) if with_labels else ()
    figures = session_figures(engine, "whole_sessions")
    live = (
        missed_by_live(engine, stitched=correlation.stitched > 0, with_labels=with_labels)
        if with_live
        else None
    )
    tls = report_tls(engine, policy.redact)
    if with_labels:
        tls = replace(tls, services=label_services(engine, policy, details=details))
    report = Report(
        complete=complete,
        engine=engine_name,
        sessions=figures.sessions,
        stitched=correlation.stitched,
        direction=figures.direction,
        effective=figures.effective,
        mail=figures.mail,
        decode_as=figures.decode_as,
        consistency=consistency,
        tls=tls,
        findings=finding_counts(engine, tls),
        funnel=losses.funnel,
        base=losses.base,
        accuracy=accuracy.accuracy,
        agreement=accuracy.agreement,
        actions=losses.actions,
        live=live,
        warnings=(*warnings, *figures.warnings, *seeds, *clock_warnings(correlation.clocks)),
    )
    if consistency is None or not listing:
        return report
    listed = examples(engine, policy.redact, with_truth=report.has_truth)
    return replace(report, examples=listed)
