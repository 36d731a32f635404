"""From the tables of sessions and labels to the report."""

from __future__ import annotations

from collections.abc import Sequence

from mailtap.correlation.clock import estimate_clock_offsets
from mailtap.correlation.engines import QueryEngine
from mailtap.correlation.join import pair_by_join, pair_by_row
from mailtap.correlation.seed import seed_warnings
from mailtap.correlation.stitch import stitch
from mailtap.correlation.verdicts import Judge
from mailtap.policy import Policy
from mailtap.report.consistency import consistency_figures
from mailtap.report.listing import examples
from mailtap.report.missed import missed_by_live
from mailtap.report.model import Consistency, Report
from mailtap.report.sessions import session_figures


def build_report(
    engine: QueryEngine,
    policy: Policy,
    *,
    engine_name: str,
    complete: bool = True,
    with_labels: bool = False,
    with_examples: bool = False,
    listing: bool = False,
    with_live: bool = False,
    warnings: Sequence[str] = (),
) -> Report:
    """The report over the table `sessions` and, with labels, the table `labels`.

    Without labels, sessions that carry a label of their own are compared with that. Leaves
    `whole_sessions` and, if anything was compared, `verdicts`, both ready for a listing of
    sessions if there will be one: with the details that `sessions` then has, and as a table.
    `with_live`: what live mode missed is told by its store's tables.
    """
    stitched = stitch(engine, policy.join.slack, policy.effective, details=listing)
    keep = with_examples or listing
    consistency = _consistency(engine, policy, with_labels, keep)
    seeds = seed_warnings(engine, policy.join.community_id_seed) if with_labels else ()
    figures = session_figures(engine, "whole_sessions")
    live = (
        missed_by_live(engine, stitched=stitched > 0, with_labels=with_labels)
        if with_live
        else None
    )
    return Report(
        complete=complete,
        engine=engine_name,
        sessions=figures.sessions,
        stitched=stitched,
        direction=figures.direction,
        effective=figures.effective,
        mail=figures.mail,
        decode_as=figures.decode_as,
        consistency=consistency,
        live=live,
        warnings=(*warnings, *seeds),
        examples=examples(engine, policy.redact) if consistency and with_examples else (),
    )


def _consistency(
    engine: QueryEngine, policy: Policy, with_labels: bool, keep: bool
) -> Consistency | None:
    judge = Judge(policy)
    if with_labels:
        clocks = estimate_clock_offsets(engine, policy.join.slack)
        differ = any(clock.applied for clock in clocks)
        pair_by_join(engine, judge, policy.join.slack, differ, keep=keep)
        return consistency_figures(engine, clocks, with_labels=True)
    (own,) = engine.rows("SELECT count(label_is_label) AS labels FROM sessions")
    if own["labels"]:
        pair_by_row(engine, judge)
        return consistency_figures(engine, (), with_labels=False)
    return None
