"""What an earlier run left in a store, for the next one to go on with."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from mailtap.live.core.rows import Restored
from mailtap.live.labels.streams import Position
from mailtap.live.sensors.numbering import Numbering


def restore(connection: duckdb.DuckDBPyConnection, first_bucket: int) -> Restored:
    """What the file has; of records only those that came since the bucket began."""
    waited = _arrow(connection, "SELECT sum(unlabelled) AS u, sum(unmatched) AS m FROM waited")
    recent = f"bucket >= {first_bucket}"
    names = "sensor, decode_as, app, label_provenance, verdict, causes, bucket"
    # The latest of each session; it may be that there is no verdict any more.
    judged = (
        f"SELECT * FROM (SELECT j.session_id, j.sensor, j.decode_as, j.app, "
        "j.label_provenance, j.verdict, j.causes, s.bucket FROM judgements j "
        f"JOIN sessions s ON s.session_id = j.session_id WHERE s.{recent} "
        "QUALIFY row_number() OVER (PARTITION BY j.session_id ORDER BY j.rowid DESC) = 1) "
        "WHERE verdict IS NOT NULL"
    )
    return Restored(
        sessions=_number(connection, "SELECT count(*) FROM sessions"),
        labels=_number(connection, "SELECT count(*) FROM labels"),
        unlabelled=waited["u"][0].as_py() or 0,
        unmatched=waited["m"][0].as_py() or 0,
        next_session=_number(connection, "SELECT coalesce(max(session_id) + 1, 0) FROM sessions"),
        next_label=_number(connection, "SELECT coalesce(max(label_id) + 1, 0) FROM labels"),
        tally=_arrow(
            connection, f"SELECT {names}, sum(n)::BIGINT AS n FROM tally GROUP BY {names}"
        ),
        window=(
            _arrow(connection, f"SELECT * FROM sessions WHERE {recent}"),
            _arrow(connection, f"SELECT * FROM labels WHERE {recent}"),
            _arrow(connection, judged),
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
    rows = _arrow(connection, "SELECT * FROM positions").to_pylist()
    return next(
        (Position(r["device"], r["inode"], r["offset"]) for r in rows if r["name"] == name),
        None,
    )


def _nodes(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Numbering]]:
    nodes: dict[str, list[Numbering]] = {}
    for row in _arrow(connection, "SELECT * FROM nodes").to_pylist():
        nodes.setdefault(row.pop("url"), []).append(Numbering(**row))
    return nodes


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(_arrow(connection, query)[0][0].as_py())


def _arrow(connection: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    return connection.sql(query).to_arrow_table()
