"""Two sensors that saw one side each of a session: both halves become one session.

Halves have the same flow key and the same client, overlap in time, come from different sensors, and
one shows only the client's packets, the other only the server's. A half that fits several is given
to the one that starts nearest; no half is used twice.
"""

from __future__ import annotations

from mailtap.correlation import sql
from mailtap.correlation.engines import QueryEngine
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
    engine.table("halves", _halves(slack))
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


def _halves(slack: float) -> str:
    """Pairs of halves, each the other's nearest."""
    distance = "abs(a.ts - b.ts)"
    return f"""
        SELECT client_half, server_half FROM (
            SELECT a.session_id AS client_half, b.session_id AS server_half,
                   row_number() OVER (PARTITION BY a.session_id
                                      ORDER BY {distance}, b.session_id) AS of_client,
                   row_number() OVER (PARTITION BY b.session_id
                                      ORDER BY {distance}, a.session_id) AS of_server
            FROM sessions a JOIN sessions b
              ON a.ip_a = b.ip_a AND a.port_a = b.port_a AND a.ip_b = b.ip_b AND a.port_b = b.port_b
             AND a.client_h = b.client_h AND a.client_p = b.client_p
            WHERE a.direction = 'c2s' AND b.direction = 's2c' AND a.sensor <> b.sensor
              AND a.ts <= b.ts + coalesce(b.duration, 0) + {slack}
              AND b.ts <= a.ts + coalesce(a.duration, 0) + {slack}
        ) WHERE of_client = 1 AND of_server = 1"""
