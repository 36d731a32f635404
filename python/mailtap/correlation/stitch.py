"""Two sensors that saw one side each of a session: both halves become one session.

Halves have the same flow key and the same client, overlap in time, come from different sensors, and
one shows only the client's packets, the other only the server's. A half that fits several is given
to the one that starts nearest; no half is used twice.
"""

from __future__ import annotations

from mailtap.correlation import sql
from mailtap.correlation.engines import QueryEngine
from mailtap.correlation.vocabulary import STAGES, STARTTLS_STEPS, STARTTLS_TAKEN
from mailtap.policy import Effective
from mailtap.sources.details import COLUMNS as DETAILS
from mailtap.sources.table import COLUMNS


def stitch(
    engine: QueryEngine, slack: float, thresholds: Effective, *, details: bool = False
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
    names = [*COLUMNS, *(DETAILS if details else ())]
    merged = ", ".join(f"{_merged(name, thresholds)} AS {name}" for name in names)
    engine.table(
        "whole_sessions",
        f"SELECT {sql.columns(names, 's')} FROM sessions s "
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


def _merged(name: str, thresholds: Effective) -> str:
    """A column of the whole session, of the client's half `a` and the server's half `b`."""
    if name in _RULES:
        return _RULES[name]
    if name == "effective":
        packets = " + ".join(f"coalesce({half}_pkts, 0)" for half in _COUNTERS_OF)
        payload = " + ".join(f"coalesce({half}_bytes, 0)" for half in _COUNTERS_OF)
        return (
            f"(coalesce(a.effective, false) OR coalesce(b.effective, false) OR "
            f"({packets} > {thresholds.packets} AND {payload} > {thresholds.payload_bytes}))"
        )
    return f"coalesce(a.{name}, b.{name})"


def _sum(name: str) -> str:
    return f"coalesce(a.{name} + b.{name}, a.{name}, b.{name})"


def _most(name: str) -> str:
    return f"greatest(coalesce(a.{name}, b.{name}), coalesce(b.{name}, a.{name}))"


def _either(name: str) -> str:
    return f"(a.{name} OR b.{name})"


def _furthest(name: str, steps: tuple[str, ...]) -> str:
    """The later of both halves' steps."""
    cases = " ".join(
        f"WHEN '{step}' IN (a.{name}, b.{name}) THEN '{step}'" for step in reversed(steps)
    )
    return f"CASE {cases} END"


_COUNTERS_OF = ("a.client", "a.server", "b.client", "b.server")
_END = "greatest(a.ts + coalesce(a.duration, 0), b.ts + coalesce(b.duration, 0))"
_ADDRESSES = ("has_mailfrom", "has_rcptto", "has_from", "has_to")
_STARTTLS = _furthest("starttls", STARTTLS_STEPS)
#: What one half alone can't show is no cause once the other half is there.
_OF_ONE_SIDE = "('server_side_only', 'client_side_only')"

_RULES = {
    "session_id": "least(a.session_id, b.session_id)",
    "sensor": "concat(a.sensor, ' + ', b.sensor)",
    "uid": "concat(a.uid, ' ', b.uid)",
    "ts": "least(a.ts, b.ts)",
    "duration": f"{_END} - least(a.ts, b.ts)",
    "direction": "'bidirectional'",
    "starttls": _STARTTLS,
    "stage": _furthest("stage", STAGES),
    "implicit_tls": _either("implicit_tls"),
    "midstream": "(a.midstream AND b.midstream)",
    "decode_as": "CASE WHEN 'HTTP' IN (a.decode_as, b.decode_as) THEN 'HTTP' "
    "WHEN 'SSL' IN (a.decode_as, b.decode_as) THEN 'SSL' "
    "ELSE coalesce(nullif(a.decode_as, 'BASE'), nullif(b.decode_as, 'BASE'), a.decode_as, "
    "b.decode_as) END",
    **{
        name: _sum(name)
        for name in ("client_pkts", "client_bytes", "server_pkts", "server_bytes", "gap_bytes")
    },
    **{name: _either(name) for name in _ADDRESSES},
    **{
        name: _most(name)
        for name in ("mailfrom_count", "rcptto_count", "messages", "commands", "replies")
    },
    "seq": "CAST(NULL AS BIGINT)",  # a half's number is one of its own sensor's
    "empty_cause": "CASE WHEN "
    + " OR ".join(_either(name) for name in _ADDRESSES)
    + " THEN NULL WHEN "
    + f"({_STARTTLS}) IN {sql.literals(STARTTLS_TAKEN)} THEN 'starttls' ELSE coalesce("
    + f"CASE WHEN a.empty_cause NOT IN {_OF_ONE_SIDE} THEN a.empty_cause END, "
    + f"CASE WHEN b.empty_cause NOT IN {_OF_ONE_SIDE} THEN b.empty_cause END, "
    + "CASE WHEN coalesce(a.service, b.service) IS NOT NULL THEN 'no_message' END) END",
}
