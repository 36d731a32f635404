"""Each session with each label that could be its own.

A label could be a session's own when both have the same key, and their times overlap, give or take
the slack.

Equality and a range: no join that DuckDB or Spark has alone. (Their ASOF joins give one match at
most, and would hide what is ambiguous.)
"""

from __future__ import annotations

from collections.abc import Mapping

from mailtap.correlation import sql
from mailtap.correlation.engines import QueryEngine
from mailtap.correlation.hot_keys import Intervals, hot_keys, in_cells, is_hot, same_cell
from mailtap.correlation.keys import IS_TCP_LABEL, Key, find_shared, keys_of_labels

#: What a report counts verdicts by.
SESSION_COLUMNS = ("session_id", "ts", "server_h", "server_p", "sensor", "direction", "decode_as")

#: What verdicts are given by: of the session, and of the label, whose columns get a prefix.
_SESSION_FACTS = (
    "service",
    "starttls",
    "implicit_tls",
    "tunnel",
    "effective",
    "client_bytes",
    "server_bytes",
    "gap_bytes",
    "midstream",
    "stage",
    "empty_cause",
    "decoder",
    "has_mailfrom",
    "has_rcptto",
    "has_from",
    "has_to",
)
LABEL_FACTS = ("protocol", "encryption", "carrier", "provenance")

#: Seconds beyond which times make no difference: a hostile log's must not overflow a number.
LONGEST = 1e9

_SESSION_END = "(s.ts + coalesce(s.duration, 0))"
_LABEL_END = 'coalesce(l."end", l.start)'


def find_candidates(engine: QueryEngine, slack: float, clocks_differ: bool) -> bool:
    """Makes the view `candidates` of `whole_sessions` and `labels`: a session with a label a row.

    If there may be sessions with several, the view `contested` has those rows at least, and True is
    returned. `slack` is in seconds. With `clocks_differ`, label times are shifted by table
    `clock_offsets`.
    """
    most = {key: find_shared(engine, key) for key in keys_of_labels(engine)}
    pairs = _Pairs(slack, clocks_differ)
    engine.view("candidates", pairs.of(most, "labels"))
    contested = "candidates"
    if len(most) == 1:
        # A label that has its key for itself is the only one of its sessions.
        ((key, number),) = most.items()
        if number == 1:
            return False
        sharing = f"SELECT * FROM labels SEMI JOIN {key.shared()} USING "
        engine.view("sharing_labels", f"{sharing} ({sql.columns(key.of_label)})")
        contested = f"({pairs.of(most, 'sharing_labels')})"
    columns = "session_id, label_id, engine, likeness, distance"
    engine.view("contested", f"SELECT {columns} FROM {contested}")
    return True


class _Pairs:
    """The query for pairs of a session `s` and a label `l`."""

    def __init__(self, slack: float, clocks_differ: bool) -> None:
        self._slack = slack
        self._clocks_differ = clocks_differ

    def of(self, most: Mapping[Key, int], labels: str) -> str:
        """All pairs with the labels of a table; `most` has how many of them may share a key."""
        queries = []
        for key, number in most.items():
            if is_hot(number):
                queries.append(self._in_cells(key, labels, number))
                hot = f"{hot_keys(key)} k USING ({sql.columns(key.of_label)})"
                queries.append(self._all(key, f"(SELECT * FROM {labels} ANTI JOIN {hot})"))
            else:
                queries.append(self._all(key, labels))
        return " UNION ALL ".join(queries)

    def _all(
        self, key: Key, labels: str, sessions: str = "whole_sessions", condition: str = "true"
    ) -> str:
        shift = "coalesce(o.center, 0)" if self._clocks_differ else "0"
        start, end = f"(l.start + {shift})", f"({_LABEL_END} + {shift})"
        likeness = _likeness("s.ts", _SESSION_END, start, end)
        facts = ", ".join(f"l.{name} AS label_{name}" for name in LABEL_FACTS)
        clocks = (
            "LEFT JOIN clock_offsets o ON o.source = l.source "
            "AND coalesce(o.sensor, '') = coalesce(s.sensor, '')"
            if self._clocks_differ
            else ""
        )
        return f"""
            SELECT {sql.columns((*SESSION_COLUMNS, *_SESSION_FACTS), "s")},
                   l.engine AS engine, l.app AS app, {facts},
                   l.label_id AS label_id, {likeness} AS likeness, abs(s.ts - {start}) AS distance
            FROM {sessions} s JOIN {labels} l ON {key.same()} {clocks}
            WHERE {IS_TCP_LABEL} AND {key.present} AND {key.condition} AND {condition}
              AND {start} - {self._slack} <= {_SESSION_END} AND {end} + {self._slack} >= s.ts"""

    def _in_cells(self, key: Key, labels: str, most: int) -> str:
        """The pairs by hot keys; `most` is the most labels of a key."""
        hot = hot_keys(key)
        of_sessions = ", ".join(
            f"{label} AS {session}"
            for session, label in zip(key.of_session, key.of_label, strict=True)
        )
        sessions = Intervals(
            f"SELECT s.* FROM whole_sessions s SEMI JOIN (SELECT {of_sessions} FROM {hot} h) k "
            f"USING ({sql.columns(key.of_session)})",
            key.of_session,
            "ts",
            "ts + coalesce(duration, 0)",
        )
        shifted = f"SELECT l.*, CAST(0 AS DOUBLE) AS shift FROM {labels} l"
        same = same_cell("s", "l")
        if self._clocks_differ:
            shifted += (
                f" UNION ALL SELECT l.*, o.center AS shift FROM {labels} l JOIN "
                "(SELECT DISTINCT source, center FROM clock_offsets) o ON o.source = l.source"
            )
            same += " AND l.shift = coalesce(o.center, 0)"
        in_time = Intervals(
            f"SELECT l.* FROM ({shifted}) l SEMI JOIN {hot} k USING ({sql.columns(key.of_label)})",
            key.of_label,
            f"start + shift - {self._slack}",
            f'coalesce("end", start) + shift + {self._slack}',
        )
        return self._all(
            key,
            f"({in_cells(in_time, sessions, most)})",
            f"({in_cells(sessions, in_time, most)})",
            same,
        )


def _likeness(start: str, end: str, other_start: str, other_end: str) -> str:
    """SQL of how much of the time that two flows take together they have in common: from 0 where
    they don't overlap to 1 where they are the same.

    Both times are in hundredths of a second, and one hundredth is added to each: so milliseconds
    by which clocks differ don't decide between short flows, and flows without length compare.
    """
    common = _hundredths(f"least({end}, {other_end}) - greatest({start}, {other_start})")
    together = _hundredths(f"greatest({end}, {other_end}) - least({start}, {other_start})")
    return f"CAST(greatest({common}, -1) + 1 AS DOUBLE) / ({together} + 1)"


def _hundredths(seconds: str) -> str:
    bounded = f"greatest(-{LONGEST}, least({LONGEST}, {seconds}))"
    return f"CAST(floor({bounded} * 100 + 0.5) AS BIGINT)"
