"""SMTP over raw sockets."""

from __future__ import annotations

from lab.scenarios.smtp import aborts, encryption, logins, messages, refusals

CATALOGUES = tuple(module.catalogue for module in (messages, refusals, logins, encryption, aborts))
