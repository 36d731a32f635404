"""Table `labels`: one row per flow that a third-party engine labelled."""

from __future__ import annotations

import duckdb

COLUMNS: dict[str, str] = {
    "label_id": "BIGINT",
    "source": "VARCHAR",
    "engine": "VARCHAR",
    "name": "VARCHAR",
    "app": "VARCHAR",
    "protocol": "VARCHAR",
    "encryption": "VARCHAR",
    "carrier": "VARCHAR",
    "provenance": "VARCHAR",
    "is_label": "BOOLEAN",
    "ip_a": "VARCHAR",
    "port_a": "INTEGER",
    "ip_b": "VARCHAR",
    "port_b": "INTEGER",
    "src_ip": "VARCHAR",
    "src_port": "INTEGER",
    "dst_ip": "VARCHAR",
    "dst_port": "INTEGER",
    "l4": "VARCHAR",
    "community_id": "VARCHAR",
    "start": "DOUBLE",
    "end": "DOUBLE",
    "packets": "BIGINT",
    "nat_ip_a": "VARCHAR",
    "nat_port_a": "INTEGER",
    "nat_ip_b": "VARCHAR",
    "nat_port_b": "INTEGER",
}

#: SQL of all labels as `mailtap labels` writes them.
NORMAL_FORM = "SELECT * EXCLUDE (label_id) FROM labels ORDER BY label_id"


#: The labels as they are inserted, without numbers.
RECORDS = "mailtap_label_records"


def create_table(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates the table RECORDS and its view `labels`, in which each row has its number, unless
    they are there. To store the numbers takes longer than to insert the labels.
    """
    columns = {name: kind for name, kind in COLUMNS.items() if name != "label_id"}
    listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    connection.execute(f"CREATE TABLE IF NOT EXISTS {RECORDS} ({listed})")
    connection.execute(
        f"CREATE VIEW IF NOT EXISTS labels AS SELECT rowid + 1 AS label_id, * FROM {RECORDS}"
    )
