"""Which label belongs to which session.

A label belongs to a session when both have the same flow key, or the same Community ID where the
label has no addresses, and their times overlap, give or take the slack. Of several labels the one
that overlaps most is taken, then the one that starts nearest. Where two are equally good and say
different things, the session is ambiguous and none is taken.

Equality, a range and `row_number()`: no join that DuckDB or Spark has alone. (Their ASOF joins give
one match at most, and would hide what is ambiguous.)
"""

from __future__ import annotations

from dataclasses import dataclass

from mailtap.correlation import sql
from mailtap.correlation.engines import QueryEngine
from mailtap.correlation.verdicts import Judge

#: What verdicts are given by: of the session, and of the label, whose columns get a prefix.
_SESSION_FACTS = (
    "service",
    "starttls",
    "implicit_tls",
    "tunnel",
    "effective",
    "client_bytes",
    "server_bytes",
    "gap_bytes",
    "midstream",
    "stage",
    "empty_cause",
)
_LABEL_FACTS = ("protocol", "encryption", "carrier", "provenance")

#: What a report counts verdicts by.
_SESSION_COLUMNS = (
    "session_id",
    "ts",
    "server_h",
    "server_p",
    "sensor",
    "direction",
    "decode_as",
)
_VERDICT_COLUMNS = sql.columns((*_SESSION_COLUMNS, "app", "label_provenance", "verdict", "causes"))

#: A label record that makes a statement about a TCP flow.
_STATES = "(l.is_label AND coalesce(l.l4, 'tcp') = 'tcp')"

#: Overlaps are compared in hundredths of a second: label clocks tick in milliseconds, and a record
#: must not win by their rounding. Seconds beyond the bound make no difference.
_LONGEST_OVERLAP = 1e9


@dataclass(frozen=True)
class JoinCounts:
    labelled: int  # label records that make a statement about a flow
    no_statement: int  # label records that make none, or not about TCP
    unmatched: int  # label records that met no session
    several: int  # sessions that met several label records
    ambiguous: int
    unlabelled: int  # sessions that met no label record
    paired: int  # sessions with one label


def pair_by_join(
    engine: QueryEngine, judge: Judge, slack: float, clocks_differ: bool
) -> JoinCounts:
    """Makes `verdicts`, a session in scope with its label a row, of `whole_sessions` and `labels`.

    `slack` is in seconds. With `clocks_differ`, label times are shifted by table `clock_offsets`.
    """
    # Candidates are judged before one is chosen: most sessions have one, and to look both sides
    # up again afterwards costs more than the join.
    candidates = _candidates(engine, slack, clocks_differ)
    engine.table(
        "candidates",
        f"SELECT {sql.columns(_SESSION_COLUMNS)}, app, label_provenance, {judge.sql()}, "
        f"label_id, overlap, distance FROM ({candidates})",
    )
    engine.table(
        "several", "SELECT session_id FROM candidates GROUP BY session_id HAVING count(*) > 1"
    )
    engine.table(
        "ranked",
        """
        SELECT c.*, row_number() OVER (PARTITION BY session_id
                                       ORDER BY overlap DESC, distance, label_id) AS place,
               rank() OVER (PARTITION BY session_id ORDER BY overlap DESC, distance) AS shared_place
        FROM candidates c JOIN several USING (session_id)""",
    )
    statement = ", ".join(f"coalesce(l.{name}, '')" for name in ("app", *_LABEL_FACTS))
    engine.table(
        "ambiguous",
        "SELECT session_id FROM ranked r JOIN labels l ON l.label_id = r.label_id "
        "WHERE shared_place = 1 GROUP BY session_id "
        f"HAVING count(DISTINCT concat_ws('|', {statement})) > 1",
    )
    engine.view(
        "verdicts",
        f"SELECT {_VERDICT_COLUMNS} FROM candidates ANTI JOIN several USING (session_id) "
        f"WHERE in_scope UNION ALL SELECT {_VERDICT_COLUMNS} FROM ranked "
        "ANTI JOIN ambiguous USING (session_id) WHERE in_scope AND place = 1",
    )
    return _counts(engine)


def pair_by_row(engine: QueryEngine, judge: Judge) -> JoinCounts:
    """Makes `verdicts` of sessions that carry their own label, as a gateway exports them."""
    engine.table(
        "verdicts",
        f"SELECT {_VERDICT_COLUMNS} FROM (SELECT *, {judge.sql()} FROM whole_sessions "
        "WHERE label_is_label) WHERE in_scope",
    )
    (n,) = engine.rows(
        "SELECT count(CASE WHEN label_is_label THEN 1 END) AS labelled, "
        "count(CASE WHEN NOT label_is_label THEN 1 END) AS no_statement, "
        "count(CASE WHEN label_is_label IS NULL THEN 1 END) AS unlabelled FROM whole_sessions"
    )
    return JoinCounts(
        labelled=n["labelled"],
        no_statement=n["no_statement"],
        unmatched=0,
        several=0,
        ambiguous=0,
        unlabelled=n["unlabelled"],
        paired=n["labelled"],
    )


def _candidates(engine: QueryEngine, slack: float, clocks_differ: bool) -> str:
    shift = "coalesce(o.center, 0)" if clocks_differ else "0"
    start = f"(l.start + {shift})"
    end = f'(coalesce(l."end", l.start) + {shift})'
    session_end = "(s.ts + coalesce(s.duration, 0))"
    overlap = (
        f"CAST(floor(least({_LONGEST_OVERLAP}, least({session_end}, {end})"
        f" - greatest(s.ts, {start})) * 100 + 0.5) AS BIGINT)"
    )
    label = ", ".join(f"l.{name} AS label_{name}" for name in _LABEL_FACTS)
    clocks = (
        "LEFT JOIN clock_offsets o ON o.source = l.source "
        "AND coalesce(o.sensor, '') = coalesce(s.sensor, '')"
        if clocks_differ
        else ""
    )
    return " UNION ALL ".join(
        f"""
        SELECT {sql.columns((*_SESSION_COLUMNS, *_SESSION_FACTS), "s")}, l.app AS app, {label},
               l.label_id AS label_id, {overlap} AS overlap, abs(s.ts - {start}) AS distance
        FROM whole_sessions s JOIN labels l ON {key} {clocks}
        WHERE {_STATES} AND {start} - {slack} <= {session_end} AND {end} + {slack} >= s.ts"""
        for key in _keys(engine)
    )


def _keys(engine: QueryEngine) -> list[str]:
    """The conditions of equality that the labels call for."""
    (n,) = engine.rows(
        "SELECT count(CASE WHEN ip_a IS NULL AND community_id IS NOT NULL THEN 1 END) AS by_id, "
        f"count(nat_ip_a) AS behind_nat FROM labels l WHERE {_STATES}"
    )
    keys = [_same_key("")]
    if n["by_id"]:
        keys.append("l.ip_a IS NULL AND s.community_id = l.community_id")
    if n["behind_nat"]:
        keys.append(f"{_same_key('nat_')} AND NOT coalesce({_same_key('')}, false)")
    return keys


def _same_key(prefix: str) -> str:
    return " AND ".join(
        f"s.{name} = l.{prefix}{name}" for name in ("ip_a", "port_a", "ip_b", "port_b")
    )


def _counts(engine: QueryEngine) -> JoinCounts:
    (labels,) = engine.rows(
        f"SELECT count(CASE WHEN {_STATES} THEN 1 END) AS labelled, "
        f"count(CASE WHEN {_STATES} THEN NULL ELSE 1 END) AS no_statement FROM labels l"
    )
    (met,) = engine.rows(
        "SELECT count(DISTINCT label_id) AS labels, count(*) AS candidates FROM candidates"
    )
    (several,) = engine.rows("SELECT count(*) AS n FROM several")
    (surplus,) = engine.rows("SELECT count(*) AS n FROM ranked WHERE place > 1")
    (ambiguous,) = engine.rows("SELECT count(*) AS n FROM ambiguous")
    (sessions,) = engine.rows("SELECT count(*) AS n FROM whole_sessions")
    with_label = met["candidates"] - surplus["n"]
    return JoinCounts(
        labelled=labels["labelled"],
        no_statement=labels["no_statement"],
        unmatched=labels["labelled"] - met["labels"],
        several=several["n"],
        ambiguous=ambiguous["n"],
        unlabelled=sessions["n"] - with_label,
        paired=with_label - ambiguous["n"],
    )
