"""The counts of a report, in one pass over what was judged."""

from __future__ import annotations

from dataclasses import dataclass

from mailtap.accuracy.actions import APART
from mailtap.accuracy.funnel import STEPS
from mailtap.correlation.engines import QueryEngine
from mailtap.correlation.keys import IS_TCP_LABEL
from mailtap.correlation.verdicts import (
    COMPATIBLE,
    CONSISTENT,
    NOT_DECODED_BY_BOTH,
    judged_sql,
    mask_of,
    mask_of_causes,
)

#: Distinct labels are counted as bits, so many in a number: a group each would take far longer.
_BITS = 32

_CUBE = (
    "sensor, server_p, direction, decode_as, app, label_provenance, time_window, verdict_causes, "
    "chosen"
)
_SERVERS = (
    "server_h, server_p, direction, decode_as, service, effective, decoder, engine, "
    "label_provenance, label_protocol, verdict_only, is_unexplained, both_decoded, chosen"
)
_FUNNEL = "judgement, empty_cause, is_base, chosen"
_APART = " ".join(f"WHEN (causes & {mask_of([cause])}) <> 0 THEN '{cause}'" for cause in APART)
_LABELS = "label_block, is_mail_label"

#: What is counted by of a judgement, so that groups are few.
_AGREES = (CONSISTENT, COMPATIBLE)
_VERDICT = (*_AGREES, "in_scope")


@dataclass(frozen=True)
class JoinCounts:
    labelled: int  # label records that make a statement about a flow
    no_statement: int  # label records that make none, or not about TCP
    unmatched: int  # label records without a session
    unmatched_mail: int  # those of them that say mail
    several: int  # sessions with several label records
    ambiguous: int
    ambiguous_mail: int  # those of them of which a label says mail
    unlabelled: int  # sessions without a label record
    paired: int  # sessions with one label


def count_judged(engine: QueryEngine, window: str) -> None:
    """Makes `cube`, `servers` and `funnel_counts` of `judged_candidates`: sessions in scope by what
    is reported.

    `window` is SQL of a session's number of the time window.
    """
    engine.table(
        "counted",
        f"SELECT {_CUBE}, server_h, service, effective, decoder, engine, label_protocol, "
        "verdict_only, is_unexplained, both_decoded, judgement, empty_cause, is_base, "
        f"{_LABELS}, grouping(server_h) AS of_no_server, "
        "CASE WHEN grouping(label_block) = 0 THEN 'labels' WHEN grouping(judgement) = 0 "
        "THEN 'funnel' ELSE 'verdicts' END AS counts_of, "
        "count(*) AS n, bit_or(label_bit) AS label_bits, "
        "min(session_id) AS first_session, max(session_id) AS last_session "
        f"FROM (SELECT *, {window} AS time_window, "
        f"judgement & {mask_of(_VERDICT) | mask_of_causes()} AS verdict_causes, "
        f"judgement & {mask_of(_VERDICT)} AS verdict_only, "
        f"(judgement & {mask_of(_AGREES) | mask_of_causes()}) = 0 AS is_unexplained, "
        f"(judgement & {mask_of(NOT_DECODED_BY_BOTH)}) = 0 AS both_decoded, "
        "coalesce(decode_as = 'BASE', false) AS is_base, "
        f"(judgement & {mask_of([STEPS[0]])}) <> 0 AS is_mail_label, "
        f"CAST(floor(label_id / {_BITS}) AS BIGINT) AS label_block, "
        f"CAST(power(2, label_id % {_BITS}) AS BIGINT) AS label_bit FROM judged_candidates) "
        f"GROUP BY GROUPING SETS (({_CUBE}), ({_SERVERS}), ({_FUNNEL}), ({_LABELS}))",
    )
    kept = f"chosen AND (coalesce(verdict_causes, verdict_only) & {mask_of(['in_scope'])}) <> 0"
    engine.view(
        "cube",
        f"SELECT *, {judged_sql('verdict', 'causes', judgement='verdict_causes')} "
        f"FROM counted WHERE counts_of = 'verdicts' AND of_no_server = 1 AND {kept}",
    )
    engine.view(
        "servers",
        f"SELECT *, {judged_sql('verdict', judgement='verdict_only')} "
        f"FROM counted WHERE counts_of = 'verdicts' AND of_no_server = 0 AND {kept}",
    )
    engine.view(
        "funnel_counts",
        f"SELECT *, CASE {_APART} END AS apart FROM "
        f"(SELECT *, {judged_sql('causes', 'funnel_step', 'funnel_loss')} FROM counted "
        "WHERE chosen AND counts_of = 'funnel') WHERE funnel_step IS NOT NULL",
    )


def counts_of_join(engine: QueryEngine) -> JoinCounts:
    """The counts after `pair_by_join` and `count_judged`."""
    (labels,) = engine.rows(
        f"SELECT count(CASE WHEN {IS_TCP_LABEL} THEN 1 END) AS labelled, "
        f"count(CASE WHEN {IS_TCP_LABEL} THEN NULL ELSE 1 END) AS no_statement, "
        f"count(CASE WHEN {IS_TCP_LABEL} AND protocol IS NOT NULL THEN 1 END) AS mail "
        "FROM labels l"
    )
    (joined,) = engine.rows(
        "SELECT coalesce(CAST(sum(bit_count(label_bits)) AS BIGINT), 0) AS labels, "
        "coalesce(CAST(sum(CASE WHEN is_mail_label THEN bit_count(label_bits) END) AS BIGINT), 0) "
        "AS mail FROM counted WHERE counts_of = 'labels'"
    )
    (several,) = engine.rows("SELECT count(*) AS n FROM several")
    (ambiguous,) = engine.rows("SELECT count(*) AS n FROM ambiguous")
    sessions, paired = _sessions(engine), _paired(engine)
    return JoinCounts(
        labelled=labels["labelled"],
        no_statement=labels["no_statement"],
        unmatched=labels["labelled"] - joined["labels"],
        several=several["n"],
        unmatched_mail=labels["mail"] - joined["mail"],
        ambiguous=ambiguous["n"],
        ambiguous_mail=_ambiguous_mail(engine) if ambiguous["n"] else 0,
        unlabelled=sessions - paired - ambiguous["n"],
        paired=paired,
    )


def counts_of_rows(engine: QueryEngine) -> JoinCounts:
    """The counts after `pair_by_row` and `count_judged`."""
    (carried,) = engine.rows("SELECT count(label_is_label) AS n FROM whole_sessions")
    sessions, paired = _sessions(engine), _paired(engine)
    return JoinCounts(
        labelled=paired,
        no_statement=carried["n"] - paired,
        unmatched=0,
        unmatched_mail=0,
        several=0,
        ambiguous=0,
        ambiguous_mail=0,
        unlabelled=sessions - carried["n"],
        paired=paired,
    )


def _sessions(engine: QueryEngine) -> int:
    (row,) = engine.rows("SELECT count(*) AS n FROM whole_sessions")
    return int(row["n"])


def _paired(engine: QueryEngine) -> int:
    (row,) = engine.rows(
        "SELECT coalesce(CAST(sum(n) AS BIGINT), 0) AS n FROM counted "
        "WHERE chosen AND counts_of = 'verdicts' AND of_no_server = 1"
    )
    return int(row["n"])


def _ambiguous_mail(engine: QueryEngine) -> int:
    (row,) = engine.rows(
        "SELECT count(DISTINCT j.session_id) AS n FROM judged_candidates j JOIN ambiguous a "
        "ON a.session_id = j.session_id WHERE funnel_step IS NOT NULL"
    )
    return int(row["n"])
