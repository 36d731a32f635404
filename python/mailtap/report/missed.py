"""What live mode missed: sessions of the sensors' logs, and labels, that its store hasn't got."""

from __future__ import annotations

from mailtap.correlation.engines import QueryEngine
from mailtap.correlation.keys import IS_TCP_LABEL
from mailtap.report.model import MissedByLive, MissedOfNode

#: Nodes that are listed; a hostile log could name one a row.
MAXIMUM_NODES = 1_000

# Sessions that MailTap wrote a record of: other connections are not reported to live mode.
_IS_REPORTED = "stage IS NOT NULL AND uid IS NOT NULL"

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
    """Compares `sessions` and `labels` with `live_sessions` and `live_labels`, over the time that
    the store has sessions of; None where it has none.

    Makes the table `missed_sessions`, the numbers of those in `whole_sessions`.
    """
    (span,) = engine.rows("SELECT min(ts) AS first, max(ts) AS last FROM live_sessions")
    if span["first"] is None:
        engine.table("missed_sessions", "SELECT session_id FROM sessions WHERE false")
        return None
    within = f"BETWEEN {span['first']!r} AND {span['last']!r}"
    engine.table(
        "missed_records",
        f"SELECT session_id, sensor, ts FROM sessions s ANTI JOIN live_sessions v "
        f"ON v.uid = s.uid WHERE {_IS_REPORTED} AND ts {within}",
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
        f"m.last AS last FROM (SELECT sensor, count(*) AS n FROM sessions WHERE {_IS_REPORTED} "
        f"AND ts {within} GROUP BY sensor) s LEFT JOIN (SELECT sensor, count(*) AS n, "
        "min(ts) AS first, max(ts) AS last FROM missed_records GROUP BY sensor) m "
        "ON coalesce(m.sensor, '') = coalesce(s.sensor, '') "
        f"ORDER BY missed DESC, node NULLS LAST LIMIT {MAXIMUM_NODES}"
    )
    (all_sessions,) = engine.rows(
        f"SELECT count(*) AS n FROM sessions WHERE {_IS_REPORTED} AND ts {within}"
    )
    (missed,) = engine.rows("SELECT count(*) AS n FROM missed_records")
    labels = missed_labels = None
    if with_labels:
        of_the_time = f"FROM labels l WHERE {IS_TCP_LABEL} AND start {within}"
        (here,) = engine.rows(f"SELECT count(*) AS n {of_the_time}")
        (lost,) = engine.rows(
            f"SELECT count(*) AS n FROM (SELECT l.* {of_the_time}) l "
            f"ANTI JOIN live_labels v ON {_SAME_LABEL}"
        )
        labels, missed_labels = here["n"], lost["n"]
    return MissedByLive(
        first=span["first"],
        last=span["last"],
        sessions=all_sessions["n"],
        missed=missed["n"],
        labels=labels,
        missed_labels=missed_labels,
        by_node=tuple(MissedOfNode(**node) for node in nodes),
    )
