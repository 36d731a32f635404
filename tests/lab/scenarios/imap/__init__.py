"""IMAP over raw sockets."""

from __future__ import annotations

from lab.scenarios.imap import connections, logins, mailboxes

CATALOGUES = tuple(module.catalogue for module in (logins, mailboxes, connections))
