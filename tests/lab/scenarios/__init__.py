"""What is done with the servers, each with what the record must say of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lab.scenarios import imap, lmtp, pop3, readers, relays, senders, smtp, strangers
from lab.scenarios.base import Scenario

AGAIN = (
    *("one message", "rich header", "STARTTLS", "reset after EHLO", "QUIT after the greeting"),
    *("RETR", "CAPA and QUIT", "STLS", "login and QUIT"),
    *("FETCH of a message", "CAPABILITY, login, logout", "FETCH ENVELOPE", "login and logout"),
)
"""Scenarios that are also played over IPv6, and on an odd port."""


def _variants(scenario: Scenario) -> Iterator[Scenario]:
    yield scenario
    if scenario.name in AGAIN and scenario.serves in ("smtp", "pop3", "imap"):
        yield replace(scenario, name=f"{scenario.name}, IPv6", six=True)
        yield replace(scenario, name=f"{scenario.name}, odd port", serves=f"{scenario.serves}-odd")


CATALOGUES = (
    *smtp.CATALOGUES,
    senders.catalogue,
    relays.catalogue,
    pop3.catalogue,
    readers.pop3,
    *imap.CATALOGUES,
    readers.imap,
    strangers.catalogue,
    lmtp.catalogue,
)
_EVERY = [
    variant
    for catalogue in CATALOGUES
    for scenario in catalogue.scenarios
    for variant in _variants(scenario)
]
ALL = tuple(sorted(_EVERY, key=lambda scenario: scenario.serves == "lmtp"))
"""What is delivered by LMTP comes last: it changes the mailboxes that others read."""
