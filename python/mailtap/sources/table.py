"""Table `sessions`: one row per session, whatever it was read from."""

from __future__ import annotations

import duckdb

from mailtap.sources.details import COLUMNS as DETAILS

# A field that the source does not tell is NULL, never a guess: a gateway's export has neither
# packets nor direction, stock Zeek's conn.log no STARTTLS step. The `label_` columns and `app`
# are those of table `labels`, set when the source itself carries the third-party label.
COLUMNS: dict[str, str] = {
    "session_id": "BIGINT",
    "sensor": "VARCHAR",
    "uid": "VARCHAR",
    "ts": "DOUBLE",
    "duration": "DOUBLE",
    "orig_h": "VARCHAR",
    "orig_p": "INTEGER",
    "resp_h": "VARCHAR",
    "resp_p": "INTEGER",
    "client_h": "VARCHAR",
    "client_p": "INTEGER",
    "server_h": "VARCHAR",
    "server_p": "INTEGER",
    "ip_a": "VARCHAR",
    "port_a": "INTEGER",
    "ip_b": "VARCHAR",
    "port_b": "INTEGER",
    "community_id": "VARCHAR",
    "service": "VARCHAR",
    "direction": "VARCHAR",
    "starttls": "VARCHAR",
    "implicit_tls": "BOOLEAN",
    "tunnel": "VARCHAR",
    "decode_as": "VARCHAR",
    "effective": "BOOLEAN",
    "client_pkts": "BIGINT",
    "client_bytes": "BIGINT",
    "server_pkts": "BIGINT",
    "server_bytes": "BIGINT",
    "gap_bytes": "BIGINT",
    "midstream": "BOOLEAN",
    "has_mailfrom": "BOOLEAN",
    "has_rcptto": "BOOLEAN",
    "has_from": "BOOLEAN",
    "has_to": "BOOLEAN",
    "empty_cause": "VARCHAR",
    "stage": "VARCHAR",
    "user_agent": "VARCHAR",
    "subject": "VARCHAR",
    "app": "VARCHAR",
    "label_name": "VARCHAR",
    "label_protocol": "VARCHAR",
    "label_encryption": "VARCHAR",
    "label_carrier": "VARCHAR",
    "label_provenance": "VARCHAR",
    "label_is_label": "BOOLEAN",
}


def create_table(connection: duckdb.DuckDBPyConnection, *, details: bool = False) -> None:
    """Create an empty `sessions` unless it is there, with the columns of details if asked for."""
    kinds = COLUMNS | (DETAILS if details else {})
    columns = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
    connection.execute(f"CREATE TABLE IF NOT EXISTS sessions ({columns})")
