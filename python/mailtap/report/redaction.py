"""The fields that a policy keeps out of listings of sessions."""

from __future__ import annotations

from collections.abc import Iterable

#: What stands for a value.
REDACTED = "***"

#: The same ends of a session by mail role and as TCP has them: who is to see neither a client's
#: address nor its port must not find them under the other names. A node is a sensor, too.
_OTHER_NAMES = {
    f"{name}_{part}": tuple(f"{other}_{part}" for other in others)
    for name, others in (
        ("client", ("id.orig", "id.resp")),
        ("server", ("id.orig", "id.resp")),
        ("id.orig", ("client", "server")),
        ("id.resp", ("client", "server")),
    )
    for part in ("h", "p")
} | {"node": ("sensor",), "sensor": ("node",)}


def hidden_fields(redact: Iterable[str]) -> frozenset[str]:
    """The fields of a session line that the policy's `redact` hides."""
    names = frozenset(redact)
    return names.union(*(_OTHER_NAMES.get(name, ()) for name in names))
