"""The fields that a policy keeps out of listings, pages, messages and the store."""

from __future__ import annotations

from collections.abc import Collection

from mailtap.sessions.schema import FIELDS

#: What stands for a value.
REDACTED = "***"

#: Columns of a verdict that `redact` hides, with the names for it.
_OF_LABELS = {"app": ("app",), "label_provenance": ("label_provenance", "provenance")}

#: What `redact` may name.
REDACTABLE = (
    *(field.name for field in FIELDS if field.name is not None and field.listed),
    *("sensor", "app", "label_provenance", "provenance"),
)


def redacted_columns(redact: Collection[str]) -> frozenset[str]:
    """The columns of sessions and verdicts that the policy's `redact` hides.

    Whether a set has members isn't hidden by the set's name: it is a count, not an address.
    """
    of_sessions = {field.column for field in FIELDS if field.is_redacted(redact)}
    of_labels = {name for name, names in _OF_LABELS.items() if not set(names).isdisjoint(redact)}
    sensor = {"sensor"} if {"node", "sensor"} & set(redact) else set()
    return frozenset(of_sessions | of_labels | sensor) - {
        field.column for field in FIELDS if field.column.startswith("has_")
    }
