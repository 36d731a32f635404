"""What the dialogues of SMTP share: steps, addresses, and the values of usual ends."""

from __future__ import annotations

from typing import Any

from lab.accounts import ALICE, CLIENT_NAME, DOMAIN
from lab.messages import Message
from lab.talk import Talk

NO_HEADER: dict[str, Any] = {"from": [], "to": []}
SENDER = "ann@example.org"
BOUNCES = "bounces+1=a@example.org"
TO_ALICE, TO_BOB = ALICE.address, f"bob@{DOMAIN}"


def hello(talk: Talk) -> None:
    """Greeting and EHLO."""
    talk.answer("220")
    talk.ask(f"EHLO {CLIENT_NAME}", "250")


def envelope(talk: Talk, sender: str = SENDER, *recipients: str) -> None:
    """MAIL and RCPT."""
    talk.ask(f"MAIL FROM:<{sender}>", "250")
    for recipient in recipients or (TO_ALICE,):
        talk.ask(f"RCPT TO:<{recipient}>", "25")


def data(talk: Talk, message: Message, wanted: str = "250") -> None:
    """DATA and a message."""
    talk.ask("DATA", "354")
    talk.send(message.wire + b".\r\n")
    talk.answer(wanted)


def finish(talk: Talk) -> None:
    """QUIT."""
    talk.ask("QUIT", "221")
    talk.close()


ONE: dict[str, Any] = {
    "helo": CLIENT_NAME,
    "mailfrom": [SENDER],
    "rcptto": [TO_ALICE],
    "mailfrom_count": 1,
    "rcptto_count": 1,
}
NONE: dict[str, Any] = {
    "mailfrom": [],
    "rcptto": [],
    "mailfrom_count": 0,
    "rcptto_count": 0,
    "messages": 0,
}
