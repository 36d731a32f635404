"""What is done with the servers, each with what the record must say of it."""

from __future__ import annotations

from lab.scenarios import imap, pop3, smtp

ALL = tuple(
    scenario
    for catalogue in (smtp.catalogue, pop3.catalogue, imap.catalogue)
    for scenario in catalogue.scenarios
)
