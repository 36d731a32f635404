"""LMTP over raw sockets (RFC 2033)."""

from __future__ import annotations

from lab.accounts import CLIENT_NAME
from lab.messages import LONG, PLAIN
from lab.scenarios.base import Catalogue, Stage
from lab.scenarios.smtp.dialogue import SENDER, TO_ALICE, TO_BOB, finish
from lab.talk import Talk

catalogue = Catalogue("lmtp")
add = catalogue.add


def hello(talk: Talk) -> None:
    """Greeting and LHLO."""
    talk.answer("220")
    talk.ask(f"LHLO {CLIENT_NAME}", "250")


@add("one message", helo=CLIENT_NAME, mailfrom=[SENDER], rcptto=[TO_BOB], messages=1, **PLAIN.wants)
def one(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask(f"MAIL FROM:<{SENDER}>", "250")
        talk.ask(f"RCPT TO:<{TO_BOB}>", "250")
        talk.ask("DATA", "354")
        talk.send(PLAIN.wire + b".\r\n")
        talk.answer("250")
        finish(talk)


@add(
    "two recipients, two messages",
    helo=CLIENT_NAME,
    mailfrom=[SENDER],
    rcptto=[TO_BOB, TO_ALICE],
    rcptto_count=3,
    messages=2,
    **LONG.wants
    | {"from": [*PLAIN.sender, *LONG.sender], "to": [*PLAIN.recipients, *LONG.recipients]},
)
def two(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask(f"MAIL FROM:<{SENDER}>", "250")
        talk.ask(f"RCPT TO:<{TO_BOB}>", "250")
        talk.ask(f"RCPT TO:<{TO_ALICE}>", "250")
        talk.ask("DATA", "354")
        talk.send(PLAIN.wire + b".\r\n")
        talk.answer("250")
        talk.answer("250")
        talk.ask(f"MAIL FROM:<{SENDER}>", "250")
        talk.ask(f"RCPT TO:<{TO_BOB}>", "250")
        talk.ask("DATA", "354")
        talk.send(LONG.wire + b".\r\n")
        talk.answer("250")
        finish(talk)


@add(
    "unknown recipient", helo=CLIENT_NAME, mailfrom=[SENDER], rcptto=["ghost@lab.test"], messages=0
)
def unknown(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask(f"MAIL FROM:<{SENDER}>", "250")
        talk.ask("RCPT TO:<ghost@lab.test>", "[25]")
        talk.ask("RSET", "250")
        finish(talk)
