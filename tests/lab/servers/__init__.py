"""The mail servers, a module each."""

from __future__ import annotations

from lab.servers.base import Server
from lab.servers.chasquid import Chasquid
from lab.servers.courier import Courier
from lab.servers.cyrus import Cyrus
from lab.servers.dovecot import Dovecot, DovecotApop
from lab.servers.exim import Exim
from lab.servers.opensmtpd import OpenSmtpd
from lab.servers.postfix import Postfix
from lab.servers.sendmail import Sendmail
from lab.servers.solid import Solid
from lab.servers.strangers import Strangers

KINDS: tuple[type[Server], ...] = (
    *(Postfix, Exim, OpenSmtpd, Sendmail, Chasquid),
    *(Dovecot, DovecotApop, Courier, Cyrus, Solid, Strangers),
)
