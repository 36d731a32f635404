"""What live mode missed: sessions of the sensors' logs, and labels, that its store hasn't got."""

from __future__ import annotations

from mailtap.correlation.engines import QueryEngine
from mailtap.correlation.keys import IS_TCP_LABEL
from mailtap.report.model import MissedByLive, MissedOfNode

#: Nodes that are listed; a hostile log could name one a row.
MAXIMUM_NODES = 1_000

# Sessions that MailTap wrote a record of: other connections are not reported to live mode.
_IS_REPORTED = "s.stage IS NOT NULL AND s.uid IS NOT NULL"

_END = "(v.ts + coalesce(v.duration, 0))"
_END_OF_S = "(s.ts + coalesce(s.duration, 0))"

#: Seconds after its last packet by which a session's record has been published.
PUBLISHED_AFTER = 600.0

#: An engine's record is the same flow's when its ends and its start in milliseconds are.
_SAME_LABEL = (
    "coalesce(l.ip_a, l.community_id) = coalesce(v.ip_a, v.community_id) "
    "AND coalesce(l.port_a, 0) = coalesce(v.port_a, 0) AND coalesce(l.ip_b, '') = "
    "coalesce(v.ip_b, '') AND coalesce(l.port_b, 0) = coalesce(v.port_b, 0) "
    "AND floor(l.start * 1000 + 0.5) = floor(v.start * 1000 + 0.5)"
)


def missed_by_live(
    engine: QueryEngine, *, stitched: bool, with_labels: bool
) -> MissedByLive | None:
    """Compares `sessions` and `labels` with `live_sessions` and `live_labels`; None where the
    store has no session.

    A session counts if its record was published while live mode ran. Where the log has running
    numbers, those are the numbers between the first and the last that the store has of the same
    node. Elsewhere those are the sessions that ended between the first and the last end in the
    store.

    Makes the table `missed_sessions`, the numbers of those in `whole_sessions`.
    """
    (span,) = engine.rows(f"SELECT min({_END}) AS first, max({_END}) AS last FROM live_sessions v")
    if span["first"] is None:
        engine.table("missed_sessions", "SELECT session_id FROM sessions WHERE false")
        return None
    first, last = span["first"], span["last"]
    engine.table(
        "live_numbers",
        "SELECT s.sensor AS sensor, min(s.seq) AS first, max(s.seq) AS last FROM sessions s "
        f"JOIN live_sessions v ON v.uid = s.uid WHERE {_IS_REPORTED} AND s.seq > 0 "
        "GROUP BY s.sensor",
    )
    engine.table(
        "expected_live",
        "SELECT s.session_id AS session_id, s.sensor AS sensor, s.node AS node, s.ts AS ts, "
        "s.uid AS uid FROM sessions s LEFT JOIN live_numbers n "
        f"ON coalesce(n.sensor, '') = coalesce(s.sensor, '') WHERE {_IS_REPORTED} AND CASE "
        "WHEN s.seq > 0 AND n.first IS NOT NULL THEN s.seq BETWEEN n.first AND n.last AND "
        f"{_END_OF_S} BETWEEN {first - PUBLISHED_AFTER!r} AND {last + PUBLISHED_AFTER!r} "
        f"ELSE {_END_OF_S} BETWEEN {first!r} AND {last!r} END",
    )
    engine.table(
        "missed_records",
        "SELECT s.session_id AS session_id, s.sensor AS sensor, s.ts AS ts FROM expected_live s "
        "ANTI JOIN live_sessions v ON v.uid = s.uid",
    )
    whole = "SELECT session_id FROM missed_records"
    if stitched:
        whole += (
            " UNION SELECT least(h.client_half, h.server_half) AS session_id FROM halves h "
            "JOIN missed_records m ON m.session_id = greatest(h.client_half, h.server_half)"
        )
    engine.table("missed_sessions", whole)
    nodes = engine.rows(
        "SELECT s.sensor AS node, s.n AS sessions, coalesce(m.n, 0) AS missed, m.first AS first, "
        "m.last AS last FROM (SELECT sensor, count(*) AS n FROM expected_live GROUP BY sensor) s "
        "LEFT JOIN (SELECT sensor, count(*) AS n, min(ts) AS first, max(ts) AS last "
        "FROM missed_records GROUP BY sensor) m "
        "ON coalesce(m.sensor, '') = coalesce(s.sensor, '') "
        f"ORDER BY missed DESC, node NULLS LAST LIMIT {MAXIMUM_NODES}"
    )
    (all_sessions,) = engine.rows("SELECT count(*) AS n FROM expected_live")
    (missed,) = engine.rows("SELECT count(*) AS n FROM missed_records")
    labels = missed_labels = None
    if with_labels:
        of_the_time = (
            f"FROM labels l WHERE {IS_TCP_LABEL} "
            f'AND coalesce("end", start) BETWEEN {first!r} AND {last!r}'
        )
        (here,) = engine.rows(f"SELECT count(*) AS n {of_the_time}")
        (lost,) = engine.rows(
            f"SELECT count(*) AS n FROM (SELECT l.* {of_the_time}) l "
            f"ANTI JOIN live_labels v ON {_SAME_LABEL}"
        )
        labels, missed_labels = here["n"], lost["n"]
    return MissedByLive(
        first=first,
        last=last,
        sessions=all_sessions["n"],
        missed=missed["n"],
        labels=labels,
        missed_labels=missed_labels,
        by_node=tuple(MissedOfNode(**node) for node in nodes),
    )
