"""SMTP over raw sockets: STARTTLS, and TLS from the first byte."""

from __future__ import annotations

import contextlib
import ssl

from lab.accounts import CLIENT_NAME
from lab.messages import BARE, PLAIN
from lab.scenarios.base import Catalogue, Stage
from lab.scenarios.smtp.dialogue import NONE, ONE, data, envelope, finish, hello

catalogue = Catalogue("smtp")
add = catalogue.add


@add(
    "STARTTLS",
    needs="STARTTLS TLS",
    starttls="tls",
    helo=CLIENT_NAME,
    **NONE,
    empty_cause="starttls",
    decode_as="MAIL",
)
def starttls(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask("STARTTLS", "220")
        talk.start_tls()
        talk.ask(f"EHLO {CLIENT_NAME}", "250")
        envelope(talk)
        data(talk, PLAIN)
        finish(talk)


@add(
    "STARTTLS, handshake fails",
    needs="TLS-FAILS",
    starttls="tls",
    helo=CLIENT_NAME,
    **NONE,
    empty_cause="starttls",
)
def starttls_fails(stage: Stage) -> None:
    """Debian 12's OpenSMTPD can't use a private key with Debian's OpenSSL."""
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask("STARTTLS", "220")
        with contextlib.suppress(ssl.SSLError):
            talk.start_tls()


@add(
    "STARTTLS, then closed",
    needs="STARTTLS",
    starttls="accepted",
    **NONE,
    empty_cause="starttls",
    but={
        "exim": {"starttls": "tls"},
        "opensmtpd": {"starttls": "tls"},
        "sendmail": {"starttls": "tls"},
    },
)
def starttls_closed(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask("STARTTLS", "220")
        talk.close()


@add("STARTTLS offered, not used", needs="STARTTLS", starttls="offered", **ONE, messages=1)
def starttls_offered(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk)
        data(talk, BARE)
        finish(talk)


@add("implicit TLS", needs="TLS", serves="smtps", service=None, implicit_tls=True, decode_as="SSL")
def implicit_tls(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        talk.start_tls()
        hello(talk)
        envelope(talk)
        data(talk, PLAIN)
        finish(talk)


@add(
    "plain text on the TLS port",
    serves="smtps",
    speaks="smtp",
    helo=CLIENT_NAME,
    implicit_tls=False,
)
def plain_on_tls_port(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        talk.send(f"EHLO {CLIENT_NAME}\r\n")
        talk.drain()
