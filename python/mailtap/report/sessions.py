"""The figures of a report that need no labels: the field analysis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mailtap.correlation import sql
from mailtap.correlation.engines import QueryEngine, Row
from mailtap.report.model import Counts, EffectiveSessions, Mail, Sides
from mailtap.sessions.vocabulary import (
    DECODE_AS,
    DIRECTIONS,
    EMPTY_CAUSES,
    SERVICES,
    STARTTLS_TAKEN,
)

#: A site's rule may add names to `decode_as`; a hostile log could add one a row.
MAXIMUM_DECODE_AS_NAMES = 50

_MAIL = "effective AND service IS NOT NULL"
_TAKEN = f"coalesce(starttls IN {sql.literals(STARTTLS_TAKEN)}, false)"
_NO_ADDRESS = "NOT (has_mailfrom OR has_from OR has_rcptto OR has_to)"

#: Figures of mail sessions, with the column that is NULL where the source of sessions lacks it.
_KNOWN_BY = {
    "starttls": "starttls",
    "mail_from_cmd": "has_mailfrom",
    "mail_from": "has_from",
    "mail_to_cmd": "has_rcptto",
    "mail_to": "has_to",
    "no_mail_field": "(has_mailfrom OR has_from OR has_rcptto OR has_to)",
}

_CONDITIONS = {
    "sessions": "true",
    **{side: f"direction = '{side}'" for side in DIRECTIONS},
    "effective": "effective",
    **{f"effective_{side}": f"effective AND direction = '{side}'" for side in DIRECTIONS},
    "mail": _MAIL,
    **{service: f"effective AND service = '{service}'" for service in SERVICES},
    "starttls": f"{_MAIL} AND {_TAKEN}",
    "mail_from_cmd": f"{_MAIL} AND has_mailfrom",
    "mail_from": f"{_MAIL} AND has_from",
    "mail_to_cmd": f"{_MAIL} AND has_rcptto",
    "mail_to": f"{_MAIL} AND has_to",
    "no_mail_field": f"{_MAIL} AND NOT {_TAKEN} AND {_NO_ADDRESS}",
    **{f"known_{name}": f"{_MAIL} AND {column} IS NOT NULL" for name, column in _KNOWN_BY.items()},
    **{f"empty_{cause}": f"{_MAIL} AND empty_cause = '{cause}'" for cause in EMPTY_CAUSES},
}


@dataclass(frozen=True)
class SessionFigures:
    sessions: int
    direction: Sides
    effective: EffectiveSessions
    mail: Mail
    decode_as: Counts
    warnings: tuple[str, ...]  # which figures the sources of sessions lack


def session_figures(engine: QueryEngine, table: str) -> SessionFigures:
    """Counts the sessions of a table."""
    columns = ", ".join(
        f"count(CASE WHEN {condition} THEN 1 END) AS {name}"
        for name, condition in _CONDITIONS.items()
    )
    (n,) = engine.rows(f"SELECT {columns} FROM {table}")
    return SessionFigures(
        sessions=n["sessions"],
        direction=Sides(**{side: n[side] for side in DIRECTIONS}),
        effective=EffectiveSessions(
            n["effective"], Sides(**{side: n[f"effective_{side}"] for side in DIRECTIONS})
        ),
        mail=Mail(
            sessions=n["mail"],
            service={service: n[service] for service in SERVICES},
            **{name: _figure(n, name) for name in _KNOWN_BY},
            empty_cause={cause: n[f"empty_{cause}"] for cause in EMPTY_CAUSES},
        ),
        decode_as=_decode_as(engine, table),
        warnings=_warnings(n),
    )


def _figure(n: Row, name: str) -> int | None:
    """None where there is mail and of no session of it the figure is known: that is no zero."""
    return None if n["mail"] and not n[f"known_{name}"] else int(n[name])


def _warnings(n: Row) -> tuple[str, ...]:
    unknown = n["mail"] - min(n["known_starttls"], n["known_no_mail_field"])
    if not unknown:
        return ()
    warning = (
        f"STARTTLS or addresses are not known of {unknown:,} of {n['mail']:,} mail sessions: their "
        "source has no MailTap session records"
    )
    return (warning,)


def _decode_as(engine: QueryEngine, table: str) -> Counts:
    rows = engine.rows(
        f"SELECT decode_as, count(*) AS n FROM {table} WHERE decode_as IS NOT NULL "
        f"GROUP BY decode_as ORDER BY n DESC, decode_as LIMIT {MAXIMUM_DECODE_AS_NAMES}"
    )
    return in_order({row["decode_as"]: row["n"] for row in rows}, DECODE_AS)


def in_order(counts: Counts, vocabulary: Iterable[str]) -> Counts:
    """Counts with every name of the vocabulary first, zero where there is none."""
    return {**dict.fromkeys(vocabulary, 0), **counts}
