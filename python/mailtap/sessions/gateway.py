"""A gateway's export of sessions, which carries decode_as and the engine's label."""

from __future__ import annotations

from collections.abc import Mapping

from mailtap.policy import Policy
from mailtap.records.fields import ADDRESS, COUNT, DURATION, PORT_NUMBER, TEXT, TIME, Field
from mailtap.records.key import endpoints_sql
from mailtap.sessions.connections import DIRECTION, effective_sql

REQUIRED = ("start", "client_ip", "client_port", "server_ip", "server_port", "app", "decode_as")

TRANSFORMS = {
    "start": TIME,
    "end": TIME,
    "duration": DURATION,
    "client_ip": ADDRESS,
    "client_port": PORT_NUMBER,
    "server_ip": ADDRESS,
    "server_port": PORT_NUMBER,
    "client_packets": COUNT,
    "client_bytes": COUNT,
    "server_packets": COUNT,
    "server_bytes": COUNT,
}

IS_SESSION = " AND ".join(
    f'"{name}" IS NOT NULL'
    for name in ("start", "client_ip", "client_port", "server_ip", "server_port", "decode_as")
)


def gateway_fields(columns: Mapping[str, tuple[str, ...]]) -> dict[str, Field]:
    """The fields of an export by the policy's map of columns; the device is the node."""
    columns = {"node" if key == "sensor" else key: places for key, places in columns.items()}
    return {key: Field(places, TRANSFORMS.get(key, TEXT)) for key, places in columns.items()}


def gateway_columns(rows: str, normal_labels: str, policy: Policy) -> str:
    """SQL that gives rows of an export the columns of table `sessions`.

    Table `normal_labels` has each `app` with its evidence in normal form. What the export does
    not have stays NULL.
    """
    return (
        "SELECT flows.*, normal.app AS app, normal.protocol AS label_protocol, "
        "normal.encryption AS label_encryption, normal.carrier AS label_carrier, "
        "normal.provenance AS label_provenance, normal.is_label AS label_is_label, "
        f"{endpoints_sql('client_h', 'client_p', 'server_h', 'server_p')}, "
        f"CASE WHEN server_pkts IS NOT NULL THEN {DIRECTION} END AS direction, "
        f"{effective_sql(policy)} AS effective, 'gateway' AS decoder FROM ("
        'SELECT sensor, node, uid, "start" AS ts, '
        'coalesce(duration, greatest("end" - "start", 0)) AS duration, '
        "client_ip AS orig_h, client_port AS orig_p, server_ip AS resp_h, server_port AS resp_p, "
        "client_ip AS client_h, client_port AS client_p, "
        "server_ip AS server_h, server_port AS server_p, community_id, "
        "upper(decode_as) AS decode_as, client_packets AS client_pkts, client_bytes, "
        "server_packets AS server_pkts, server_bytes, user_agent, subject, "
        "app AS label_name, provenance AS evidence "
        f"FROM ({rows})) AS flows JOIN {normal_labels} AS normal "
        "ON flows.label_name IS NOT DISTINCT FROM normal.name "
        "AND flows.evidence IS NOT DISTINCT FROM normal.evidence"
    )
