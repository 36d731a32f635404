"""Two sensors that saw one side each of a session: both halves become one session.

Halves have the same flow key and the same client, overlap in time, come from different sensors, and
one shows only the client's packets, the other only the server's. A half that fits several is given
to the one that starts nearest; no half is used twice.
"""

from __future__ import annotations

from mailtap.correlation import sql
from mailtap.correlation.engines import QueryEngine
from mailtap.correlation.hot_keys import Intervals, in_cells, is_hot, same_cell
from mailtap.policy import EffectiveThresholds
from mailtap.sessions.schema import FIELDS


def stitch(
    engine: QueryEngine, slack: float, thresholds: EffectiveThresholds, *, details: bool = False
) -> int:
    """Makes the table `whole_sessions` of `sessions`, and returns how many were put together.

    `slack` (seconds) is how far apart the halves may lie. `details`: the sessions have them.
    """
    (sensors,) = engine.rows("SELECT count(DISTINCT sensor) AS n FROM sessions")
    if sensors["n"] < 2:
        engine.view("whole_sessions", "SELECT * FROM sessions")
        return 0
    engine.table("halves", _halves(slack, _most_halves(engine)))
    (halves,) = engine.rows("SELECT count(*) AS n FROM halves")
    if not halves["n"]:
        engine.view("whole_sessions", "SELECT * FROM sessions")
        return 0
    fields = [field for field in FIELDS if details or not field.detail]
    merged = ", ".join(f"{field.merged()} AS {field.column}" for field in fields)
    merged = merged.format(packets=thresholds.packets, payload_bytes=thresholds.payload_bytes)
    engine.table(
        "whole_sessions",
        f"SELECT {sql.columns((field.column for field in fields), 's')} FROM sessions s "
        "ANTI JOIN halves c ON s.session_id = c.client_half "
        "ANTI JOIN halves d ON s.session_id = d.server_half "
        f"UNION ALL SELECT {merged} FROM halves h "
        "JOIN sessions a ON a.session_id = h.client_half "
        "JOIN sessions b ON b.session_id = h.server_half",
    )
    return int(halves["n"])


_KEY = ("ip_a", "port_a", "ip_b", "port_b")


def _most_halves(engine: QueryEngine) -> int:
    """How many halves of servers have the same key at most."""
    (row,) = engine.rows(
        "SELECT coalesce(max(n), 0) AS n FROM (SELECT count(*) AS n FROM sessions "
        f"WHERE direction = 's2c' AND ip_a IS NOT NULL GROUP BY {sql.columns(_KEY)})"
    )
    return int(row["n"])


def _halves(slack: float, most: int) -> str:
    """Pairs of halves, each the other's nearest; `most` is how many halves have the same key."""
    distance = "abs(a.ts - b.ts)"
    clients = "SELECT * FROM sessions WHERE direction = 'c2s'"
    servers = "SELECT * FROM sessions WHERE direction = 's2c'"
    at_the_time = "true"
    if is_hot(most):
        begin, end = "ts", "ts + coalesce(duration, 0)"
        of_clients = Intervals(clients, _KEY, begin, end)
        of_servers = Intervals(servers, _KEY, f"{begin} - {slack}", f"{end} + {slack}")
        clients = in_cells(of_clients, of_servers, most)
        servers = in_cells(of_servers, of_clients, most)
        at_the_time = same_cell("a", "b")
    return f"""
        SELECT client_half, server_half FROM (
            SELECT a.session_id AS client_half, b.session_id AS server_half,
                   row_number() OVER (PARTITION BY a.session_id
                                      ORDER BY {distance}, b.session_id) AS of_client,
                   row_number() OVER (PARTITION BY b.session_id
                                      ORDER BY {distance}, a.session_id) AS of_server
            FROM ({clients}) a JOIN ({servers}) b
              ON {sql.same((*_KEY, "client_h", "client_p"), "a", "b")}
            WHERE {at_the_time} AND a.sensor <> b.sensor
              AND a.ts <= b.ts + coalesce(b.duration, 0) + {slack}
              AND b.ts <= a.ts + coalesce(a.duration, 0) + {slack}
        ) WHERE of_client = 1 AND of_server = 1"""
