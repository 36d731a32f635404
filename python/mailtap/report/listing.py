"""Sessions a user asked to list: all of them in a file, or examples of each cause on the page."""

from __future__ import annotations

from collections.abc import Collection

from mailtap.correlation.engines import QueryEngine, Row
from mailtap.correlation.judgement import RULES, rule_of, wrong_of, wrong_sql
from mailtap.correlation.verdicts import CONSISTENT, INCONSISTENT, first_cause_sql, named_causes
from mailtap.report.model import Example
from mailtap.sessions.redaction import REDACTED, redacted_columns
from mailtap.sessions.schema import FIELDS

#: Example sessions of each verdict and cause.
EXAMPLES = 20

_JUDGED = (
    "SELECT session_id, app, label_provenance, verdict, causes, "
    f"{first_cause_sql()} AS cause, {wrong_sql()} AS wrong FROM verdicts"
)


_OF_VERDICTS = ("app", "label_provenance", "verdict", "cause", "wrong")

#: How far a session got.
PROGRESS = ("stage", "client_pkts", "client_bytes", "server_pkts", "server_bytes", "last_reply")
_PROGRESS = ", ".join(f"s.{name} AS {name}" for name in PROGRESS)

#: What a side's first line may name: it isn't shown where one of these is redacted.
_IN_FIRST_LINES = ("client_h", "server_h", "helo", "banner", "mailfrom", "rcptto")


def listing(
    redact: Collection[str],
    *,
    judged: bool,
    with_live: bool = False,
    table: str = "whole_sessions",
) -> str:
    """SQL of the sessions, with the names of docs/reference/session.md, and their labels and
    verdicts if `judged`.

    The table has details. `with_live`: the table `missed_sessions` is there.
    """
    shown = {field.name: f"s.{field.column}" for field in FIELDS if field.name and field.listed}
    source = f"{table} s"
    if judged:
        shown |= {name: f"v.{name}" for name in _OF_VERDICTS}
        source += f" LEFT JOIN ({_JUDGED}) v ON v.session_id = s.session_id"
    if with_live:
        shown["missed_by_live"] = "CASE WHEN m.session_id IS NOT NULL THEN true END"
        source += " LEFT JOIN missed_sessions m ON m.session_id = s.session_id"
    redacted = redacted_columns(redact)
    columns = ", ".join(f'{_shown(column, redacted)} AS "{name}"' for name, column in shown.items())
    return f"SELECT {columns} FROM {source}"


def examples(engine: QueryEngine, redact: Collection[str]) -> tuple[Example, ...]:
    """Sessions of each verdict and cause, but for those that simply agree."""
    rows = engine.rows(
        f"""
        SELECT v.*, s.ts AS ts, s.sensor AS sensor, s.direction AS direction,
               s.decode_as AS decode_as, s.uid AS uid, s.community_id AS community_id,
               s.client_h AS client_h, s.client_p AS client_p, s.server_h AS server_h,
               s.server_p AS server_p, s.banner AS banner, s.helo AS helo, {_PROGRESS}
        FROM (SELECT *, row_number() OVER (PARTITION BY verdict, cause ORDER BY session_id) AS place
              FROM ({_JUDGED}) WHERE verdict <> '{CONSISTENT}' OR cause IS NOT NULL) v
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

    def count(column: str) -> int | None:
        return None if column in redacted else row[column]

    return Example(
        verdict=row["verdict"],
        cause=row["cause"],
        causes=named_causes(row["causes"]),
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
        wrong=wrong_of(row["verdict"], named_causes(row["causes"])),
        evidence=_evidence(row, redacted),
    )


def _evidence(row: Row, redacted: frozenset[str]) -> tuple[str, ...]:
    """Why that one is wrong; the first lines are in a report's rows only."""
    rule = rule_of(named_causes(row["causes"]))
    if row["verdict"] != INCONSISTENT or rule is None:
        return ()
    found = [RULES[rule][1]]
    if redacted.isdisjoint(_IN_FIRST_LINES):
        found += [
            f"{line}: {row[column]}"
            for line, column in (("server's greeting", "banner"), ("client's hello", "helo"))
            if row.get(column) is not None
        ]
    return tuple(found)


def _endpoint(address: str | None, port: str | None) -> str | None:
    if address is None:
        return None
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _shown(column: str, redacted: Collection[str]) -> str:
    """A column of the listing, or what stands for it."""
    if column.partition(".")[2] in redacted:
        return f"CASE WHEN {column} IS NOT NULL THEN '{REDACTED}' END"
    return column
