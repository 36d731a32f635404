"""The counts of a report, in one pass over what was judged."""

from __future__ import annotations

from dataclasses import dataclass

from mailtap.correlation.engines import QueryEngine
from mailtap.correlation.keys import IS_TCP_LABEL
from mailtap.correlation.verdicts import INCONSISTENT

#: Distinct labels are counted as bits, so many in a number: a group each would take far longer.
_BITS = 32

_CUBE = (
    "sensor, server_p, direction, decode_as, app, label_provenance, verdict, causes, time_window, "
    "in_scope, chosen"
)
_SERVERS = "server_h, verdict, is_unexplained, is_port_guess, in_scope, chosen"


@dataclass(frozen=True)
class JoinCounts:
    labelled: int  # label records that make a statement about a flow
    no_statement: int  # label records that make none, or not about TCP
    unmatched: int  # label records without a session
    several: int  # sessions with several label records
    ambiguous: int
    unlabelled: int  # sessions without a label record
    paired: int  # sessions with one label


def count_judged(engine: QueryEngine, window: str) -> None:
    """Makes `cube` and `servers` of `judged_candidates`: sessions in scope by what is reported.

    `window` is SQL of a session's number of the time window.
    """
    engine.table(
        "counted",
        f"SELECT {_CUBE}, server_h, is_unexplained, is_port_guess, label_block, "
        "grouping(verdict) AS of_labels, grouping(server_h) AS of_no_server, "
        "count(*) AS n, bit_or(label_bit) AS label_bits "
        f"FROM (SELECT *, {window} AS time_window, "
        f"verdict = '{INCONSISTENT}' AND causes = 0 AS is_unexplained, "
        "coalesce(label_provenance, '') = 'port' AS is_port_guess, "
        f"CAST(floor(label_id / {_BITS}) AS BIGINT) AS label_block, "
        f"CAST(power(2, label_id % {_BITS}) AS BIGINT) AS label_bit FROM judged_candidates) "
        f"GROUP BY GROUPING SETS (({_CUBE}), ({_SERVERS}), (label_block))",
    )
    kept = "chosen AND in_scope AND of_labels = 0"
    engine.view("cube", f"SELECT * FROM counted WHERE {kept} AND of_no_server = 1")
    engine.view("servers", f"SELECT * FROM counted WHERE {kept} AND of_no_server = 0")


def counts_of_join(engine: QueryEngine) -> JoinCounts:
    """The counts after `pair_by_join` and `count_judged`."""
    (labels,) = engine.rows(
        f"SELECT count(CASE WHEN {IS_TCP_LABEL} THEN 1 END) AS labelled, "
        f"count(CASE WHEN {IS_TCP_LABEL} THEN NULL ELSE 1 END) AS no_statement FROM labels l"
    )
    (joined,) = engine.rows(
        "SELECT coalesce(CAST(sum(bit_count(label_bits)) AS BIGINT), 0) AS labels "
        "FROM counted WHERE of_labels = 1"
    )
    (several,) = engine.rows("SELECT count(*) AS n FROM several")
    (ambiguous,) = engine.rows("SELECT count(*) AS n FROM ambiguous")
    sessions, paired = _sessions(engine), _paired(engine)
    return JoinCounts(
        labelled=labels["labelled"],
        no_statement=labels["no_statement"],
        unmatched=labels["labelled"] - joined["labels"],
        several=several["n"],
        ambiguous=ambiguous["n"],
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
        several=0,
        ambiguous=0,
        unlabelled=sessions - carried["n"],
        paired=paired,
    )


def _sessions(engine: QueryEngine) -> int:
    (row,) = engine.rows("SELECT count(*) AS n FROM whole_sessions")
    return int(row["n"])


def _paired(engine: QueryEngine) -> int:
    (row,) = engine.rows(
        "SELECT coalesce(CAST(sum(n) AS BIGINT), 0) AS n FROM counted "
        "WHERE chosen AND of_labels = 0 AND of_no_server = 1"
    )
    return int(row["n"])
