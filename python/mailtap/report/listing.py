"""Sessions a user asked to list: all of them in a file, or examples of each cause on the page."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from mailtap.correlation.engines import QueryEngine, Row
from mailtap.correlation.verdicts import CONSISTENT, first_cause_sql, named_causes
from mailtap.report.model import Example
from mailtap.sources.table import COLUMNS

#: Example sessions of each verdict and cause.
EXAMPLES = 20

REDACTED = "***"

#: Columns that a session line calls by another name.
_LINE_NAMES = {
    "sensor": "node",
    "orig_h": "id.orig_h",
    "orig_p": "id.orig_p",
    "resp_h": "id.resp_h",
    "resp_p": "id.resp_p",
}

#: Columns that serve the join, and those of a label, which come with the verdict.
_NOT_IN_A_LINE = {"session_id", "ip_a", "port_a", "ip_b", "port_b", "app"} | {
    name for name in COLUMNS if name.startswith("label_")
}

_JUDGED = (
    "SELECT session_id, app, label_provenance, verdict, causes, "
    f"{first_cause_sql()} AS cause FROM verdicts"
)


def write_sessions(
    engine: QueryEngine, path: Path, redact: Collection[str], *, judged: bool
) -> None:
    """Writes the sessions, one JSON object a line, with their labels and verdicts if `judged`."""
    columns = [
        f'{_shown(name, redact)} AS "{_LINE_NAMES.get(name, name)}"'
        for name in COLUMNS
        if name not in _NOT_IN_A_LINE
    ]
    source = "whole_sessions s"
    if judged:
        columns += ["v.app AS app", "v.label_provenance AS label_provenance"]
        columns += ["v.verdict AS verdict", "v.cause AS cause"]
        source += f" LEFT JOIN ({_JUDGED}) v ON v.session_id = s.session_id"
    engine.write_json_lines(f"SELECT {', '.join(columns)} FROM {source}", path)


def examples(engine: QueryEngine, redact: Collection[str]) -> tuple[Example, ...]:
    """Sessions of each verdict and cause, but for those that simply agree."""
    shown = ("uid", "community_id", "client_h", "client_p", "server_h", "server_p")
    columns = ", ".join(f"{_shown(name, redact)} AS {name}" for name in shown)
    rows = engine.rows(
        f"""
        SELECT v.*, s.ts AS ts, s.sensor AS sensor, s.direction AS direction,
               s.decode_as AS decode_as, {columns}
        FROM (SELECT *, row_number() OVER (PARTITION BY verdict, cause ORDER BY session_id) AS place
              FROM ({_JUDGED}) WHERE verdict <> '{CONSISTENT}' OR cause IS NOT NULL) v
        JOIN whole_sessions s ON s.session_id = v.session_id
        WHERE v.place <= {EXAMPLES} ORDER BY v.session_id"""
    )
    return tuple(_example(row) for row in rows)


def _example(row: Row) -> Example:
    return Example(
        verdict=row["verdict"],
        cause=row["cause"],
        causes=named_causes(row["causes"]),
        ts=row["ts"],
        uid=row["uid"],
        community_id=row["community_id"],
        sensor=row["sensor"],
        client=_endpoint(row["client_h"], row["client_p"]),
        server=_endpoint(row["server_h"], row["server_p"]),
        direction=row["direction"],
        decode_as=row["decode_as"],
        app=row["app"],
        provenance=row["label_provenance"],
    )


def _endpoint(address: str | None, port: str | int | None) -> str | None:
    if address is None:
        return None
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _shown(name: str, redact: Collection[str]) -> str:
    """A column of a session, or what stands for it."""
    if name in redact or _LINE_NAMES.get(name, name) in redact:
        return f"CASE WHEN s.{name} IS NOT NULL THEN '{REDACTED}' END"
    return f"s.{name}"
