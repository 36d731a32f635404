"""What the policy's `redact` keeps out of a store's records."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mailtap.labels.formats import ENDPOINTS, NAT_ENDPOINTS
from mailtap.sessions.redaction import redacted_columns

_ENDS = {f"{end}_{part}" for end in ("client", "server", "orig", "resp") for part in ("h", "p")}
_KEY = ("ip_a", "port_a", "ip_b", "port_b")

#: Columns of a label with the same information as these columns of a session or a verdict.
_OF_LABELS = {
    "app": ("app", "name", "protocol", "encryption", "carrier"),
    "label_provenance": ("provenance",),
}


def hidden_columns(redact: Collection[str]) -> Mapping[str, frozenset[str]]:
    """The columns that are not stored, by table. An endpoint that is hidden is hidden in the flow's
    key and in labels, too.
    """
    sessions = redacted_columns(redact)
    labels = {name for column in sessions for name in _OF_LABELS.get(column, ())}
    key: frozenset[str] = frozenset()
    if sessions & _ENDS:
        key = frozenset((*_KEY, "community_id"))
        labels |= {*key, *ENDPOINTS, *NAT_ENDPOINTS, *(f"nat_{name}" for name in _KEY)}
    if "community_id" in sessions:
        labels.add("community_id")
    return {
        "sessions": sessions | key,
        "labels": frozenset(labels),
        "judgements": sessions,
    }
