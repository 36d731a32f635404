"""Tables of sessions and labels, written by hand or drawn."""

from __future__ import annotations

from typing import Any

import duckdb

from mailtap.labels.table import COLUMNS as LABEL_COLUMNS
from mailtap.records.key import canonical_endpoints
from mailtap.sessions import table as sessions_table

Row = dict[str, Any]

CLIENT, SERVER = "198.51.100.7", "192.0.2.25"


def session(number: int = 1, **fields: Any) -> Row:
    """An SMTP session of the client's side, decoded as mail, unless said otherwise."""
    row: Row = {
        "session_id": number,
        "uid": f"C{number}",
        "ts": 1000.0,
        "duration": 10.0,
        "client_h": CLIENT,
        "client_p": 40_000,
        "server_h": SERVER,
        "server_p": 25,
        "service": "smtp",
        "direction": "c2s",
        "starttls": "none",
        "implicit_tls": False,
        "decode_as": "MAIL",
        "effective": True,
        "client_pkts": 5,
        "client_bytes": 100,
        "server_pkts": 0,
        "server_bytes": 0,
        "gap_bytes": 0,
        "midstream": False,
        "has_mailfrom": True,
        "has_rcptto": True,
        "has_from": False,
        "has_to": False,
        "stage": "envelope",
    } | fields
    ends = (row["client_h"], row["client_p"], row["server_h"], row["server_p"])
    return canonical_endpoints(*ends)._asdict() | row


def label(number: int = 1, **fields: Any) -> Row:
    """The engine's label for that session, read in its payload."""
    row: Row = {
        "label_id": number,
        "source": "dpi.csv",
        "engine": "ndpi",
        "name": "SMTP",
        "app": "smtp",
        "protocol": "smtp",
        "encryption": "none",
        "provenance": "payload",
        "is_label": True,
        "src_ip": CLIENT,
        "src_port": 40_000,
        "dst_ip": SERVER,
        "dst_port": 25,
        "l4": "tcp",
        "start": 1000.0,
        "end": 1010.0,
    } | fields
    if row["src_ip"] is None:
        return row
    ends = (row["src_ip"], row["src_port"], row["dst_ip"], row["dst_port"])
    return canonical_endpoints(*ends)._asdict() | row


def database(sessions: list[Row], labels: list[Row]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    sessions_table.create_table(connection, details=True)
    columns = ", ".join(f'"{name}" {kind}' for name, kind in LABEL_COLUMNS.items())
    connection.execute(f"CREATE TABLE labels ({columns})")
    for table, rows in (("sessions", sessions), ("labels", labels)):
        for row in rows:
            names = ", ".join(f'"{name}"' for name in row)
            places = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", [*row.values()])
    return connection
