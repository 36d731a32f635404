"""Sessions a user asked to list: all of them in a file, or examples of each cause on the page."""

from __future__ import annotations

from collections.abc import Collection

from mailtap.correlation.engines import QueryEngine, Row
from mailtap.correlation.judgement import (
    CLIENT_SENT,
    SERVER_SENT,
    evidence_of,
    evidence_sql,
    wrong_by_truth_sql,
    wrong_of,
    wrong_sql,
)
from mailtap.correlation.verdicts import CONSISTENT, first_cause_sql, named_causes
from mailtap.report.model import Example
from mailtap.sessions.redaction import REDACTED, redacted_columns
from mailtap.sessions.schema import FIELDS

#: Example sessions of each verdict and cause.
EXAMPLES = 20

#: The table of what the servers' logs say that sessions are.
SESSION_TRUTH = "session_truth"


def _judged(*, with_truth: bool) -> str:
    """SQL of what is listed of verdicts, by the servers' logs where there are any."""
    wrong, truth, source = wrong_sql(), "CAST(NULL AS VARCHAR(16))", "verdicts"
    if with_truth:
        wrong, truth = wrong_by_truth_sql("truth"), "truth"
        source = (
            "(SELECT v.*, t.truth AS truth FROM verdicts v "
            f"LEFT JOIN {SESSION_TRUTH} t ON t.session_id = v.session_id)"
        )
    return (
        "SELECT session_id, app, label_provenance, verdict, causes, "
        f"{first_cause_sql()} AS cause, {wrong} AS wrong, {truth} AS truth FROM {source}"
    )


_OF_VERDICTS = ("app", "label_provenance", "verdict", "cause", "wrong")

#: How far a session got.
PROGRESS = ("stage", "client_pkts", "client_bytes", "server_pkts", "server_bytes", "last_reply")

#: What evidence is made of.
_SENT = tuple(column for _, column in (*SERVER_SENT, *CLIENT_SENT))

_PROGRESS = ", ".join(f"s.{name} AS {name}" for name in dict.fromkeys((*PROGRESS, *_SENT)))


def listing(
    redact: Collection[str],
    *,
    judged: bool,
    with_live: bool = False,
    with_truth: bool = False,
    table: str = "whole_sessions",
) -> str:
    """SQL of the sessions, with the names of docs/reference/session.md, and their labels and
    verdicts if `judged`.

    The table has details. `with_live`: the table `missed_sessions` is there, `with_truth`: that of
    SESSION_TRUTH.
    """
    shown = {field.name: f"s.{field.column}" for field in FIELDS if field.name and field.listed}
    source = f"{table} s"
    redacted = redacted_columns(redact)
    if judged:
        shown |= {name: f"v.{name}" for name in _OF_VERDICTS}
        of_verdicts = {
            name: f"v.{name}" for name in ("verdict", "causes", "label_provenance", "truth")
        }
        of_sessions = {name: f"s.{name}" for name in _SENT}
        shown["evidence"] = evidence_sql(redacted, of_verdicts | of_sessions)
        source += f" LEFT JOIN ({_judged(with_truth=with_truth)}) v ON v.session_id = s.session_id"
    if with_live:
        shown["missed_by_live"] = "CASE WHEN m.session_id IS NOT NULL THEN true END"
        source += " LEFT JOIN missed_sessions m ON m.session_id = s.session_id"
    columns = ", ".join(f'{_shown(column, redacted)} AS "{name}"' for name, column in shown.items())
    return f"SELECT {columns} FROM {source}"


def examples(
    engine: QueryEngine, redact: Collection[str], *, with_truth: bool = False
) -> tuple[Example, ...]:
    """Sessions of each verdict and cause, but for those that simply agree."""
    rows = engine.rows(
        f"""
        SELECT v.*, s.ts AS ts, s.sensor AS sensor, s.direction AS direction,
               s.decode_as AS decode_as, s.uid AS uid, s.community_id AS community_id,
               s.client_h AS client_h, s.client_p AS client_p, s.server_h AS server_h,
               s.server_p AS server_p, {_PROGRESS}
        FROM (SELECT *, row_number() OVER (PARTITION BY verdict, cause ORDER BY session_id) AS place
              FROM ({_judged(with_truth=with_truth)})
              WHERE verdict <> '{CONSISTENT}' OR cause IS NOT NULL) v
        JOIN whole_sessions s ON s.session_id = v.session_id
        WHERE v.place <= {EXAMPLES} ORDER BY v.session_id"""
    )
    return tuple(example_of(row, redact) for row in rows)


def example_of(row: Row, redact: Collection[str]) -> Example:
    """A judged session as an example, without what `redact` hides."""
    redacted = redacted_columns(redact)

    def shown(column: str) -> str | None:
        value = row[column]
        if value is None:
            return None
        return REDACTED if column in redacted else str(value)

    causes = named_causes(row["causes"])
    wrong = row["wrong"] if "wrong" in row else wrong_of(row["verdict"], causes)

    def count(column: str) -> int | None:
        return None if column in redacted else row[column]

    return Example(
        verdict=row["verdict"],
        cause=row["cause"],
        causes=causes,
        ts=None if "ts" in redacted else row["ts"],
        uid=shown("uid"),
        community_id=shown("community_id"),
        sensor=shown("sensor"),
        client=_endpoint(shown("client_h"), shown("client_p")),
        server=_endpoint(shown("server_h"), shown("server_p")),
        direction=shown("direction"),
        decode_as=shown("decode_as"),
        app=shown("app") or "",
        provenance=shown("label_provenance") or "",
        stage=shown("stage"),
        client_pkts=count("client_pkts"),
        client_bytes=count("client_bytes"),
        server_pkts=count("server_pkts"),
        server_bytes=count("server_bytes"),
        last_reply=shown("last_reply"),
        wrong=wrong,
        evidence=evidence_of(row, causes, redacted) if wrong is not None else "",
    )


def _endpoint(address: str | None, port: str | None) -> str | None:
    if address is None:
        return None
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _shown(column: str, redacted: Collection[str]) -> str:
    """A column of the listing, or what stands for it."""
    if column.partition(".")[2] in redacted:
        return f"CASE WHEN {column} IS NOT NULL THEN '{REDACTED}' END"
    return column
