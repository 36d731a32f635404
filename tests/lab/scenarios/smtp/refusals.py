"""SMTP over raw sockets: refusals at every stage."""

from __future__ import annotations

from lab.accounts import ALICE, CLIENT_NAME, DOMAIN, WRONG
from lab.messages import PLAIN
from lab.scenarios.base import Catalogue, Stage, b64
from lab.scenarios.smtp.dialogue import (
    NO_HEADER,
    ONE,
    SENDER,
    TO_ALICE,
    data,
    envelope,
    finish,
    hello,
)

catalogue = Catalogue("smtp")
add = catalogue.add


@add(
    "relaying refused",
    helo=CLIENT_NAME,
    mailfrom=[SENDER],
    rcptto=["far@away.example"],
    messages=0,
    rcptto_count=1,
)
def relaying_refused(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask(f"MAIL FROM:<{SENDER}>", "250")
        talk.ask("RCPT TO:<far@away.example>", "5")
        finish(talk)


@add("sender refused", needs="policy", helo=CLIENT_NAME, mailfrom=[f"banned@{DOMAIN}"], messages=0)
def sender_refused(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.send(f"MAIL FROM:<banned@{DOMAIN}>\r\n")
        if talk.answer("[25]").startswith("250"):  # refused with the recipient
            talk.ask(f"RCPT TO:<{TO_ALICE}>", "5")
        finish(talk)


@add(
    "one recipient of three taken",
    needs="policy",
    helo=CLIENT_NAME,
    mailfrom=[SENDER],
    rcptto_count=3,
    rcptto=[f"ghost@{DOMAIN}", TO_ALICE, f"busy@{DOMAIN}"],
    messages=1,
    **PLAIN.wants,
)
def some_recipients(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask(f"MAIL FROM:<{SENDER}>", "250")
        talk.ask(f"RCPT TO:<ghost@{DOMAIN}>", "5")
        talk.ask(f"RCPT TO:<{TO_ALICE}>", "25")
        talk.ask(f"RCPT TO:<busy@{DOMAIN}>", "4")
        data(talk, PLAIN)
        finish(talk)


@add(
    "DATA refused",
    needs="policy",
    helo=CLIENT_NAME,
    mailfrom=[f"nodata@{DOMAIN}"],
    messages=0,
    **NO_HEADER,
)
def data_refused(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk, f"nodata@{DOMAIN}")
        talk.ask("DATA", "5")
        talk.ask("NOOP", "250")
        talk.ask("RSET", "250")
        finish(talk)


@add(
    "DATA refused, then a message",
    needs="policy",
    helo=CLIENT_NAME,
    messages=1,
    rcptto_count=2,
    mailfrom=[f"nodata@{DOMAIN}", SENDER],
    **PLAIN.wants,
)
def data_refused_then_taken(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk, f"nodata@{DOMAIN}")
        talk.ask("DATA", "5")
        talk.ask("NOOP", "250")
        talk.ask("RSET", "250")
        envelope(talk)
        data(talk, PLAIN)
        finish(talk)


@add(
    "final dot refused",
    needs="policy",
    helo=CLIENT_NAME,
    mailfrom=[f"nodot@{DOMAIN}"],
    rcptto=[TO_ALICE],
    messages=0,
    **PLAIN.wants,
)
def dot_refused(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk, f"nodot@{DOMAIN}")
        data(talk, PLAIN, "5")
        finish(talk)


@add(
    "final dot refused, then reset",
    needs="policy",
    helo=CLIENT_NAME,
    messages=0,
    stage="data",
    mailfrom=[f"nodot@{DOMAIN}"],
    **PLAIN.wants,
)
def dot_refused_reset(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk, f"nodot@{DOMAIN}")
        data(talk, PLAIN, "5")
        talk.reset()


@add("421 at MAIL", needs="policy drops", helo=CLIENT_NAME, mailfrom=[f"drop@{DOMAIN}"], messages=0)
def dropped(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.send(f"MAIL FROM:<drop@{DOMAIN}>\r\n")
        talk.answer("[45]")
        talk.drain()


@add(
    "AUTH after a message, refused",
    needs="AUTH",
    **ONE,
    messages=1,
    auth="PLAIN",
    auth_result="failure",
    user=ALICE.name,
)
def auth_after_message(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk)
        data(talk, PLAIN)
        talk.ask(f"AUTH PLAIN {b64(f'{chr(0)}{ALICE.name}{chr(0)}{WRONG}')}", "535")
        finish(talk)
