"""What an earlier run left in a store, for the next one to go on with."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from mailtap.correlation.clock import ClockOffset
from mailtap.live.core.rows import Counts, Restored
from mailtap.live.labels.streams import Position
from mailtap.live.sensors.numbering import Numbering
from mailtap.live.store.recent import KEYS, RecentFiles

_SERVER_CELL = "server_group, verdict, unexplained, both_decoded"
_CELL = (
    "sensor, decode_as, app, label_provenance, verdict, causes, funnel_step, funnel_loss, bucket"
)


def restore(
    connection: duckdb.DuckDBPyConnection, recent: RecentFiles, first_bucket: int
) -> Restored:
    """What the file has. Of sessions, labels and judgements: those since the bucket began that are
    complete, with the hidden columns that `recent` has of them.
    """
    (counts,) = _arrow(connection, "SELECT * FROM counts").to_pylist() or [vars(Counts())]
    return Restored(
        counts=Counts(**counts),
        next_session=_next_number(connection, recent, "sessions"),
        next_label=_next_number(connection, recent, "labels"),
        tally=_arrow(
            connection, f"SELECT {_CELL}, sum(n)::BIGINT AS n FROM tally GROUP BY {_CELL}"
        ),
        servers=_arrow(
            connection,
            f"SELECT {_SERVER_CELL}, sum(n)::BIGINT AS n FROM servers GROUP BY {_SERVER_CELL}",
        ),
        tally_by_engine=_arrow(
            connection,
            "SELECT engine, verdict, sum(n)::BIGINT AS n FROM tally_by_engine GROUP BY ALL",
        ),
        window=_window(connection, recent, first_bucket),
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


def _window(
    connection: duckdb.DuckDBPyConnection, recent: RecentFiles, first_bucket: int
) -> tuple[pa.Table, pa.Table, pa.Table, pa.Table]:
    """Sessions, labels and judgements that may change when records come that belong to them."""
    sessions, labels = (
        _completed(
            connection,
            recent,
            table,
            f"SELECT * REPLACE (coalesce(redacted, false) AS redacted) FROM {table} "
            f"WHERE bucket >= {first_bucket}",
        )
        for table in ("sessions", "labels")
    )
    # The latest of each session; it may say that there is no verdict any more. An earlier version
    # did not note whether a judgement was redacted.
    judged = (
        "SELECT * FROM (SELECT j.* EXCLUDE (cause) "
        "REPLACE (coalesce(j.redacted, s.redacted, false) AS redacted), s.bucket "
        "FROM judgements j JOIN sessions s ON s.session_id = j.session_id "
        f"WHERE s.bucket >= {first_bucket} "
        "QUALIFY row_number() OVER (PARTITION BY j.session_id ORDER BY j.rowid DESC) = 1) "
        "WHERE verdict IS NOT NULL"
    )
    judgements = _completed(connection, recent, "judgements", judged)
    # A session whose judgement isn't whole keeps it: judged again it would be counted twice.
    ids = _arrow(connection, f"SELECT session_id FROM ({judged})")["session_id"]
    kept = ids.filter(pc.invert(pc.is_in(ids, judgements["session_id"])))
    sessions = sessions.filter(pc.invert(pc.is_in(sessions["session_id"], kept)))
    judgements = judgements.filter(pc.is_in(judgements["session_id"], sessions["session_id"]))
    by_engine = _arrow(
        connection,
        "SELECT j.* FROM judgements_by_engine j JOIN sessions s ON s.session_id = j.session_id "
        f"WHERE s.bucket >= {first_bucket} QUALIFY row_number() "
        "OVER (PARTITION BY j.session_id, engine ORDER BY j.rowid DESC) = 1",
    )
    by_engine = by_engine.filter(pc.is_valid(by_engine["verdict"]))
    by_engine = by_engine.filter(pc.is_in(by_engine["session_id"], sessions["session_id"]))
    return sessions, labels, judgements, by_engine


def _completed(
    connection: duckdb.DuckDBPyConnection, recent: RecentFiles, table: str, query: str
) -> pa.Table:
    """The rows of a query with the columns that the policy hid; without rows of which they are
    gone.
    """
    hidden = recent.read(table)
    if hidden is None:
        return _arrow(connection, f"SELECT * EXCLUDE (redacted) FROM ({query}) WHERE NOT redacted")
    keys = KEYS[table]
    completed = ", ".join(
        f'CASE WHEN q.redacted THEN coalesce(q."{name}", h."{name}") ELSE q."{name}" END '
        f'AS "{name}"'
        for name in hidden.column_names
        if name not in keys
    )
    same = " AND ".join(f"h.{name} IS NOT DISTINCT FROM q.{name}" for name in keys)
    connection.register("hidden", hidden)
    rows = _arrow(
        connection,
        f"SELECT q.* EXCLUDE (redacted) REPLACE ({completed}) FROM ({query}) q "
        f"LEFT JOIN hidden h ON {same} WHERE NOT q.redacted OR h.{keys[0]} IS NOT NULL",
    )
    connection.unregister("hidden")
    return rows


def _next_number(connection: duckdb.DuckDBPyConnection, recent: RecentFiles, table: str) -> int:
    """A number that no record has had, not even one that was lost before it was stored: `recent`
    may have columns of it.
    """
    (number,) = KEYS[table]
    ((stored,),) = connection.execute(
        f"SELECT coalesce(max({number}) + 1, 0) FROM {table}"
    ).fetchall()
    return max(int(stored), recent.next_number(table))


def _nodes(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Numbering]]:
    nodes: dict[str, list[Numbering]] = {}
    for row in _arrow(connection, "SELECT * FROM nodes").to_pylist():
        nodes.setdefault(row.pop("url"), []).append(Numbering(**row))
    return nodes


def _arrow(connection: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    return connection.sql(query).to_arrow_table()
