"""Which findings a session of the laboratory has: its bytes show them, and nobody tampered."""

from __future__ import annotations

import re
from functools import lru_cache

from lab.marks import secrets_in
from lab.tcp import CLIENT, SERVER
from lab.truth import Truth, whole

FATAL_ALERT = re.compile(rb"\x15\x03[\x00-\x04]\x00\x02\x02")
PASSWORD_MECHANISMS = ("PLAIN", "LOGIN", "USER")


def possible(truth: Truth) -> frozenset[str]:
    """Those that a view may have, whatever it shows of the session."""
    found = set()
    streams = truth.session.streams
    if _has_password(streams[CLIENT]):
        found.add("cleartext_login")
    if streams[SERVER].startswith(b"* PREAUTH"):
        found.add("preauth")
    if any(FATAL_ALERT.search(stream) for stream in streams.values()):
        found.add("tls_failed")
    return frozenset(found)


def certain(truth: Truth, seen: set[str]) -> frozenset[str]:
    """Those that a view must have in which the whole of these sides is seen."""
    found = possible(truth) & {"preauth"} if SERVER in seen else frozenset()
    fields = whole(truth)
    by_password = fields.get("auth") in PASSWORD_MECHANISMS
    if CLIENT in seen and by_password and fields.get("auth_result") == "success":
        found |= possible(truth) & {"cleartext_login"}
    return found


@lru_cache(maxsize=8)
def _has_password(stream: bytes) -> bool:
    return bool(secrets_in([stream.decode("latin-1")]))
