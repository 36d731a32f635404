"""The two kinds of record that tell of sessions: MailTap's own, and conn.log's."""

from __future__ import annotations

from mailtap.policy import Policy
from mailtap.sources.fields import (
    ADDRESS,
    BOOLEAN,
    COUNT,
    HAS_MEMBERS,
    PORT_NUMBER,
    SECONDS,
    TIME,
    TRANSPORT,
    Field,
)
from mailtap.sources.key import endpoints_sql

SENSOR_PLACES = ("node", "_system_name", "_node_name")

CONNECTION_FIELDS = {
    "sensor": Field(SENSOR_PLACES),
    "uid": Field(("uid",)),
    "ts": Field(("ts",), TIME),
    "duration": Field(("duration",), SECONDS),
    "orig_h": Field(("id.orig_h",), ADDRESS),
    "orig_p": Field(("id.orig_p",), PORT_NUMBER),
    "resp_h": Field(("id.resp_h",), ADDRESS),
    "resp_p": Field(("id.resp_p",), PORT_NUMBER),
    "community_id": Field(("community_id",)),
}

# The session record of docs/session.md, as far as a report needs it.
SESSION_FIELDS = CONNECTION_FIELDS | {
    "client_h": Field(("client_h",), ADDRESS),
    "client_p": Field(("client_p",), PORT_NUMBER),
    "server_h": Field(("server_h",), ADDRESS),
    "server_p": Field(("server_p",), PORT_NUMBER),
    "service": Field(("service",)),
    "direction": Field(("direction",)),
    "starttls": Field(("starttls",)),
    "implicit_tls": Field(("implicit_tls",), BOOLEAN),
    "tunnel": Field(("tunnel",)),
    "decode_as": Field(("decode_as",)),
    "effective": Field(("effective",), BOOLEAN),
    "client_pkts": Field(("client_pkts",), COUNT),
    "client_bytes": Field(("client_bytes",), COUNT),
    "server_pkts": Field(("server_pkts",), COUNT),
    "server_bytes": Field(("server_bytes",), COUNT),
    "gap_bytes": Field(("gap_bytes",), COUNT),
    "midstream": Field(("midstream",), BOOLEAN),
    "has_mailfrom": Field(("mailfrom",), HAS_MEMBERS),
    "has_rcptto": Field(("rcptto",), HAS_MEMBERS),
    "has_from": Field(("from",), HAS_MEMBERS),
    "has_to": Field(("to",), HAS_MEMBERS),
    "empty_cause": Field(("empty_cause",)),
    "stage": Field(("stage",)),
    "user_agent": Field(("user_agent",)),
    "subject": Field(("subject",)),
}

CONN_FIELDS = CONNECTION_FIELDS | {
    "proto": Field(("proto",), TRANSPORT),
    "conn_service": Field(("service",)),
    "orig_bytes": Field(("orig_bytes",), COUNT),
    "resp_bytes": Field(("resp_bytes",), COUNT),
    "orig_pkts": Field(("orig_pkts",), COUNT),
    "resp_pkts": Field(("resp_pkts",), COUNT),
    "missed_bytes": Field(("missed_bytes",), COUNT),
    "history": Field(("history",)),
}

FLOW = ("orig_h", "orig_p", "resp_h", "resp_p", "ts")
IS_SESSION = " AND ".join(f"{name} IS NOT NULL" for name in FLOW)
MAIL_SERVICE = "(?:^|,)(smtp|pop3|imap)(?:,|$)"


def session_columns(rows: str) -> str:
    """SQL that gives the rows of MailTap's session records the columns of table `sessions`."""
    has = ", ".join(
        f"coalesce({name}, false) AS {name}"
        for name in ("has_mailfrom", "has_rcptto", "has_from", "has_to")
    )
    return (
        f"SELECT * REPLACE ({has}), {endpoints_sql('orig_h', 'orig_p', 'resp_h', 'resp_p')} "
        f"FROM ({rows})"
    )


def connection_columns(rows: str, policy: Policy) -> str:
    """SQL that gives the rows of conn.log the columns of table `sessions`.

    What Zeek without MailTap decoded is told by its service, who is the server by the mail ports
    where only the originator has one.
    """
    ports = ", ".join(str(port) for ports in policy.mail_ports.values() for port in ports) or "NULL"
    swapped = f"(orig_p IN ({ports}) AND coalesce(resp_p NOT IN ({ports}), true))"
    sides = ", ".join(
        f"CASE WHEN swapped THEN {resp} ELSE {orig} END AS client_{name}, "
        f"CASE WHEN swapped THEN {orig} ELSE {resp} END AS server_{name}"
        for name, orig, resp in (
            ("h", "orig_h", "resp_h"),
            ("p", "orig_p", "resp_p"),
            ("pkts", "orig_pkts", "resp_pkts"),
            ("bytes", "coalesce(orig_bytes, 0)", "coalesce(resp_bytes, 0)"),
        )
    )
    effective = (
        f"client_pkts + server_pkts > {policy.effective.packets} "
        f"AND client_bytes + server_bytes > {policy.effective.payload_bytes}"
    )
    return (
        f"SELECT *, {endpoints_sql('orig_h', 'orig_p', 'resp_h', 'resp_p')}, "
        f"{DIRECTION} AS direction, {effective} AS effective, missed_bytes AS gap_bytes, "
        "NOT regexp_matches(history, '[SsHh]') AS midstream, "
        "CASE WHEN http THEN 'HTTP' WHEN service IS NOT NULL THEN 'MAIL' WHEN tls THEN 'SSL' "
        "ELSE 'BASE' END AS decode_as, "
        "CASE WHEN http AND service IS NOT NULL THEN 'http' END AS tunnel, "
        "CASE WHEN tls AND service IS NOT NULL THEN 'tls' END AS starttls, "
        "tls AND service IS NULL AND NOT http AS implicit_tls "
        f"FROM (SELECT *, {sides}, "
        f"nullif(regexp_extract(conn_service, '{MAIL_SERVICE}', 1), '') AS service, "
        "coalesce(regexp_matches(conn_service, '(^|,)ssl(,|$)'), false) AS tls, "
        "coalesce(regexp_matches(conn_service, '(^|,)http(,|$)'), false) AS http "
        f"FROM (SELECT *, {swapped} AS swapped FROM ({rows})))"
    )


DIRECTION = (
    "CASE WHEN client_pkts > 0 AND server_pkts > 0 THEN 'bidirectional' "
    "WHEN client_pkts > 0 THEN 'c2s' WHEN server_pkts > 0 THEN 's2c' END"
)
