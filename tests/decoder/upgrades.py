"""Conversations up to TLS in each protocol, and what is wrong with them from each side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from conversation import (
    CLIENT_HELLO,
    PORTS,
    SERVER_HELLO,
    C,
    S,
    Turn,
    client_only,
    decode,
    server_only,
)

if TYPE_CHECKING:
    from mailtap._engine import Facts

GREETING = {
    "smtp": S("220 mx.example ESMTP ready"),
    "pop3": S("+OK ready"),
    "imap": S("* OK IMAP4rev1 ready"),
}
CAPABILITIES = {
    "smtp": [C("EHLO x.example"), S("250-mx.example", "250-STARTTLS", "250 SIZE 1000")],
    "pop3": [C("CAPA"), S("+OK", "STLS", "UIDL", ".")],
    "imap": [C("a1 CAPABILITY"), S("* CAPABILITY IMAP4rev1 STARTTLS", "a1 OK done")],
}
REQUEST = {"smtp": "STARTTLS", "pop3": "STLS", "imap": "a2 STARTTLS"}
ACCEPT = {
    "smtp": "220 2.0.0 Ready to start TLS",
    "pop3": "+OK Begin TLS negotiation",
    "imap": "a2 OK Begin TLS negotiation now",
}
#: A server whose words say nothing about TLS: nginx.
BARE_ACCEPT = {"smtp": "220 go", "pop3": "+OK", "imap": "a2 OK completed"}
REFUSE = {
    "smtp": "454 4.7.0 TLS not available",
    "pop3": "-ERR TLS not available",
    "imap": "a2 NO TLS not available",
}
#: Commands, the second of which would change the record's fields.
COMMANDS = {
    "smtp": ["EHLO evil.example", "MAIL FROM:<evil@example.org>"],
    "pop3": ["CAPA", "USER evil"],
    "imap": ["a3 CAPABILITY", "a4 LOGIN evil secret"],
}
REPLIES = {
    "smtp": ["250-evil.example", "250 STARTTLS"],
    "pop3": ["+OK evil"],
    "imap": ["* CAPABILITY IMAP4rev1 AUTH=LOGIN", "a3 OK evil"],
}
SERVICES = pytest.mark.parametrize("service", sorted(PORTS))


def opening(service: str) -> list[Turn]:
    """Up to the request for TLS."""
    return [GREETING[service], *CAPABILITIES[service], C(REQUEST[service])]


def tls_record(kind: int, content: bytes) -> bytes:
    return bytes([kind, 3, 3]) + len(content).to_bytes(2, "big") + content


DATA_RECORD = tls_record(23, bytes(200))
TLS = [C(CLIENT_HELLO), S(SERVER_HELLO), S(DATA_RECORD), C(DATA_RECORD)]


def findings(facts: Facts) -> set[str]:
    return {name.decode() for name in facts["findings"]}


def seen(turns: Iterable[Turn], service: str) -> tuple[set[str], set[str], set[str]]:
    """The findings from both sides, from the client's alone, from the server's alone."""
    turns = list(turns)
    port = PORTS[service]
    return (
        findings(decode(*turns, port=port)),
        findings(decode(*client_only(turns), port=port)),
        findings(decode(*server_only(turns), port=port)),
    )
