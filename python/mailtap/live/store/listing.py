"""Sessions and labels of a store, searched and listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb

from mailtap.live.state import Record, Search
from mailtap.live.store.schema import TABLES
from mailtap.sessions.schema import FIELDS

#: Rows that are taken out of the store at once.
AT_ONCE = 1_000

#: The verdict that counts.
_LATEST = (
    "SELECT * FROM judgements QUALIFY row_number() OVER (PARTITION BY session_id "
    "ORDER BY rowid DESC) = 1"
)


def sessions(connection: duckdb.DuckDBPyConnection, search: Search) -> Iterator[Record]:
    """Sessions with their label and verdict, in the order they came, without what is unset. Keys
    are the fields of a session record.
    """
    shown = {
        field.name: f's."{field.column}"'
        for field in FIELDS
        if field.name and field.listed and field.column in TABLES["sessions"]
    }
    shown |= {name: f"j.{name}" for name in ("app", "label_provenance", "verdict", "cause")}
    columns = ", ".join(f'{column} AS "{name}"' for name, column in shown.items())
    conditions = {
        "s.uid = $uid": search.uid,
        "$address IN (s.client_h, s.server_h, s.orig_h, s.resp_h)": search.address,
        "$port IN (s.client_p, s.server_p)": search.port,
        "s.ts >= $since": search.since,
        "s.ts < $until": search.until,
        "j.verdict = $verdict": search.verdict,
        "j.cause = $cause": search.cause,
    }
    yield from _rows(
        connection,
        f"SELECT {columns} FROM sessions s LEFT JOIN ({_LATEST}) j USING (session_id)",
        conditions,
        "session_id",
    )


#: A name that the policy reads as it read the engine's: `smtp.ssl` would be TLS from the start.
_NAME = "CASE WHEN encryption = 'unknown' THEN replace(app, '.ssl', '.encrypted') ELSE app END"


def labels(connection: duckdb.DuckDBPyConnection, search: Search) -> Iterator[Record]:
    """Labels of TCP flows in the order they came, as `--labels` reads them (format `jsonl`)."""
    columns = (
        f"{_NAME} AS app, provenance, src_ip, src_port, dst_ip, dst_port, l4 AS proto, "
        'community_id, "start", '
        '"end", packets, engine, source'
    )
    conditions = {
        "$address IN (src_ip, dst_ip)": search.address,
        "$port IN (src_port, dst_port)": search.port,
        '"start" >= $since': search.since,
        '"start" < $until': search.until,
    }
    yield from _rows(
        connection, f"SELECT {columns} FROM labels", {"is_label": True, **conditions}, "label_id"
    )


#: What a store lists.
LISTINGS = {"sessions": sessions, "labels": labels}


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, conditions: Mapping[str, object], order: str
) -> Iterator[Record]:
    asked = {condition: value for condition, value in conditions.items() if value is not None}
    values = {
        name: value
        for condition, value in asked.items()
        for name in ("uid", "address", "port", "since", "until", "verdict", "cause")
        if f"${name}" in condition
    }
    where = " AND ".join(asked) or "true"
    found = connection.execute(f"{query} WHERE {where} ORDER BY {order}", values)
    names = [column[0] for column in found.description or ()]
    while rows := found.fetchmany(AT_ONCE):
        for row in rows:
            yield {n: value for n, value in zip(names, row, strict=True) if value is not None}
