"""The mail servers, a module each."""

from __future__ import annotations

from lab.servers.base import Server
from lab.servers.dovecot import Dovecot
from lab.servers.exim import Exim
from lab.servers.postfix import Postfix

KINDS: tuple[type[Server], ...] = (Postfix, Exim, Dovecot)
