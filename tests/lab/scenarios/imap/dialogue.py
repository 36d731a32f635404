"""What the dialogues of IMAP share. Alice's INBOX holds PLAIN, RICH and BARE, Bob's nothing."""

from __future__ import annotations

from typing import Any

from lab.accounts import ALICE
from lab.talk import Talk


def greeting(talk: Talk) -> None:
    """The greeting."""
    talk.answer(r"\* OK")


def login(talk: Talk) -> None:
    """LOGIN with atoms."""
    talk.ask(f"a1 LOGIN {ALICE.name} {ALICE.password}", "a1 OK")


def finish(talk: Talk) -> None:
    """LOGOUT."""
    talk.ask("z9 LOGOUT", "z9 OK")
    talk.close()


def select(talk: Talk) -> None:
    """SELECT INBOX."""
    talk.ask("a2 SELECT INBOX", "a2 OK")


LOGGED_IN: dict[str, Any] = {"auth": "LOGIN", "auth_result": "success", "user": ALICE.name}
NOTHING: dict[str, Any] = {"from": [], "to": [], "messages": 0}
