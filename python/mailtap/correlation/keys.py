"""The keys by which a session `s` and a label `l` can be of the same flow."""

from __future__ import annotations

from dataclasses import dataclass

from mailtap.correlation import sql
from mailtap.correlation.engines import QueryEngine

#: A label record `l` that makes a statement about a TCP flow.
IS_TCP_LABEL = "(l.is_label AND coalesce(l.l4, 'tcp') = 'tcp')"


@dataclass(frozen=True)
class Key:
    """Columns that are equal, those of the label in the order of those of the session."""

    name: str
    of_session: tuple[str, ...]
    of_label: tuple[str, ...]
    present: str  # SQL: whether a label `l` has it
    condition: str = "true"  # SQL: what must be true of session and label, too

    def same(self) -> str:
        """The condition that session and label have the same key."""
        pairs = zip(self.of_session, self.of_label, strict=True)
        return " AND ".join(f"s.{session} = l.{label}" for session, label in pairs)

    def shared(self) -> str:
        """The name of the table of keys that several labels have, with the number of `labels`."""
        return f"shared_{self.name}"


_ENDPOINTS = ("ip_a", "port_a", "ip_b", "port_b")

BY_ENDPOINTS = Key("endpoints", _ENDPOINTS, _ENDPOINTS, "l.ip_a IS NOT NULL")
BY_COMMUNITY_ID = Key(
    "community_id",
    ("community_id",),
    ("community_id",),
    "l.ip_a IS NULL AND l.community_id IS NOT NULL",
)
BY_TRANSLATED = Key(
    "translated",
    _ENDPOINTS,
    tuple(f"nat_{name}" for name in _ENDPOINTS),
    "l.nat_ip_a IS NOT NULL",
    f"NOT coalesce({BY_ENDPOINTS.same()}, false)",
)
KEYS = (BY_ENDPOINTS, BY_COMMUNITY_ID, BY_TRANSLATED)


def keys_of_labels(engine: QueryEngine) -> tuple[Key, ...]:
    """The keys that the labels have; endpoints where they have none, so that there is one."""
    counts = ", ".join(f"count(CASE WHEN {key.present} THEN 1 END) AS {key.name}" for key in KEYS)
    (n,) = engine.rows(f"SELECT {counts} FROM labels l WHERE {IS_TCP_LABEL}")
    return tuple(key for key in KEYS if n[key.name]) or (BY_ENDPOINTS,)


def find_shared(engine: QueryEngine, key: Key) -> int:
    """Makes the table of the keys that several labels have, and returns the most labels of one."""
    columns = sql.columns(key.of_label)
    engine.table(
        key.shared(),
        f"SELECT {columns}, count(*) AS labels FROM labels l "
        f"WHERE {IS_TCP_LABEL} AND {key.present} GROUP BY {columns} HAVING count(*) > 1",
    )
    (most,) = engine.rows(f"SELECT coalesce(max(labels), 1) AS labels FROM {key.shared()}")
    return int(most["labels"])
