"""What an earlier run left in a store, for the next one to go on with."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from mailtap.correlation.clock import ClockOffset
from mailtap.live.core.rows import Counts, Restored
from mailtap.live.labels.streams import Position
from mailtap.live.sensors.numbering import Numbering
from mailtap.live.store.recent import NUMBERS, RecentFiles

_CELL = (
    "sensor, decode_as, app, label_provenance, verdict, causes, funnel_step, funnel_loss, bucket"
)


def restore(
    connection: duckdb.DuckDBPyConnection, recent: RecentFiles, first_bucket: int
) -> Restored:
    """What the file has; of records only those that came since the bucket began, and of these only
    such as are whole with what `recent` has of them.
    """
    (counts,) = _arrow(connection, "SELECT * FROM counts").to_pylist() or [vars(Counts())]
    sessions = _records(connection, recent, "sessions", f"bucket >= {first_bucket}")
    connection.register("window_sessions", sessions)
    # The latest of each session; it may be that there is no verdict any more.
    judged = (
        "SELECT * FROM (SELECT j.* EXCLUDE (cause), s.bucket, "
        "coalesce(s.redacted, false) AS redacted "
        "FROM judgements j JOIN sessions s ON s.session_id = j.session_id "
        "SEMI JOIN window_sessions w ON w.session_id = j.session_id "
        "QUALIFY row_number() OVER (PARTITION BY j.session_id ORDER BY j.rowid DESC) = 1) "
        "WHERE verdict IS NOT NULL"
    )
    window = (
        sessions,
        _records(connection, recent, "labels", f"bucket >= {first_bucket}"),
        _completed(connection, recent, "judgements", judged),
    )
    connection.unregister("window_sessions")
    return Restored(
        counts=Counts(**counts),
        next_session=_number(connection, "SELECT coalesce(max(session_id) + 1, 0) FROM sessions"),
        next_label=_number(connection, "SELECT coalesce(max(label_id) + 1, 0) FROM labels"),
        tally=_arrow(
            connection, f"SELECT {_CELL}, sum(n)::BIGINT AS n FROM tally GROUP BY {_CELL}"
        ),
        window=window,
        clocks=tuple(
            ClockOffset(**row) for row in _arrow(connection, "SELECT * FROM clocks").to_pylist()
        ),
        nodes=_nodes(connection),
        headers={
            row["name"]: row["header"]
            for row in _arrow(connection, "SELECT * FROM positions").to_pylist()
            if row["header"] is not None
        },
    )


def position(connection: duckdb.DuckDBPyConnection, name: str) -> Position | None:
    """How far an earlier run read the label file of this name."""
    for row in _arrow(connection, "SELECT * EXCLUDE (header) FROM positions").to_pylist():
        if row.pop("name") == name:
            return Position(**row)
    return None


def _records(
    connection: duckdb.DuckDBPyConnection, recent: RecentFiles, table: str, condition: str
) -> pa.Table:
    query = f"SELECT * REPLACE (coalesce(redacted, false) AS redacted) FROM {table}"
    return _completed(connection, recent, table, f"{query} WHERE {condition}")


def _completed(
    connection: duckdb.DuckDBPyConnection, recent: RecentFiles, table: str, query: str
) -> pa.Table:
    """The rows of a query with what the policy hid of them; without those of which it's gone."""
    hidden = recent.read(table)
    if hidden is None:
        return _arrow(connection, f"SELECT * EXCLUDE (redacted) FROM ({query}) WHERE NOT redacted")
    number = NUMBERS[table]
    completed = ", ".join(
        f'coalesce(q."{name}", h."{name}") AS "{name}"'
        for name in hidden.column_names
        if name != number
    )
    connection.register("hidden", hidden)
    rows = _arrow(
        connection,
        f"SELECT q.* EXCLUDE (redacted) REPLACE ({completed}) FROM ({query}) q "
        f"LEFT JOIN hidden h ON h.{number} = q.{number} "
        f"WHERE NOT q.redacted OR h.{number} IS NOT NULL",
    )
    connection.unregister("hidden")
    return rows


def _nodes(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Numbering]]:
    nodes: dict[str, list[Numbering]] = {}
    for row in _arrow(connection, "SELECT * FROM nodes").to_pylist():
        nodes.setdefault(row.pop("url"), []).append(Numbering(**row))
    return nodes


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(_arrow(connection, query)[0][0].as_py())


def _arrow(connection: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    return connection.sql(query).to_arrow_table()
