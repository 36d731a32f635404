"""Zeek's conn.log as sessions: what Zeek without MailTap knows of a TCP connection."""

from __future__ import annotations

from mailtap.policy import Policy
from mailtap.records.fields import COUNT, TRANSPORT, Field
from mailtap.records.key import endpoints_sql
from mailtap.sessions.schema import record_fields

#: Columns that conn.log has under the same name as a session record.
_SHARED = (
    "node",
    "uid",
    "ts",
    "duration",
    "orig_h",
    "orig_p",
    "resp_h",
    "resp_p",
    "community_id",
)

FIELDS = {column: record_fields(details=False)[column] for column in _SHARED} | {
    "proto": Field(("proto",), TRANSPORT),
    "conn_service": Field(("service",)),
    "orig_bytes": Field(("orig_bytes",), COUNT),
    "resp_bytes": Field(("resp_bytes",), COUNT),
    "orig_pkts": Field(("orig_pkts",), COUNT),
    "resp_pkts": Field(("resp_pkts",), COUNT),
    "missed_bytes": Field(("missed_bytes",), COUNT),
    "history": Field(("history",)),
}

_MAIL_SERVICE = "(?:^|,)(smtp|pop3|imap)(?:,|$)"

#: Whose packets were seen, of the columns `client_pkts` and `server_pkts`.
DIRECTION = (
    "CASE WHEN client_pkts > 0 AND server_pkts > 0 THEN 'bidirectional' "
    "WHEN client_pkts > 0 THEN 'c2s' WHEN server_pkts > 0 THEN 's2c' END"
)


def effective_sql(policy: Policy) -> str:
    """SQL of whether a session is effective, where its source doesn't say so itself."""
    return (
        f"client_pkts + server_pkts > {policy.effective.packets} "
        f"AND client_bytes + server_bytes > {policy.effective.payload_bytes}"
    )


def connection_columns(rows: str, policy: Policy) -> str:
    """SQL that gives the rows of conn.log the columns of table `sessions`.

    The connection's service says what Zeek without MailTap decoded. The responder is the server,
    unless only the originator has a mail port.
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
    return (
        f"SELECT *, {endpoints_sql('orig_h', 'orig_p', 'resp_h', 'resp_p')}, "
        f"{DIRECTION} AS direction, {effective_sql(policy)} AS effective, "
        "'zeek' AS decoder, missed_bytes AS gap_bytes, "
        "NOT regexp_matches(history, '[SsHh]') AS midstream, "
        "CASE WHEN http THEN 'HTTP' WHEN service IS NOT NULL THEN 'MAIL' WHEN tls THEN 'SSL' "
        "ELSE 'BASE' END AS decode_as, "
        "CASE WHEN http AND service IS NOT NULL THEN 'http' END AS tunnel, "
        "CASE WHEN tls AND service IS NOT NULL THEN 'tls' END AS starttls, "
        "tls AND service IS NULL AND NOT http AS implicit_tls "
        f"FROM (SELECT *, {sides}, "
        f"nullif(regexp_extract(conn_service, '{_MAIL_SERVICE}', 1), '') AS service, "
        "coalesce(regexp_matches(conn_service, '(^|,)ssl(,|$)'), false) AS tls, "
        "coalesce(regexp_matches(conn_service, '(^|,)http(,|$)'), false) AS http "
        f"FROM (SELECT *, {swapped} AS swapped FROM ({rows})))"
    )
