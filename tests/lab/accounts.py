"""The users of the laboratory, and secrets that can be recognised wherever they turn up."""

from __future__ import annotations

import random
from dataclasses import dataclass

DOMAIN = "lab.test"
CLIENT_NAME = f"client.{DOMAIN}"
_random = random.Random(20260)  # captures of two runs differ in as little as possible


def _secret() -> str:
    return "Zq" + "".join(
        _random.choices("abcdefghkmnpqrstuvwxyzABCDEFGHKLMNPQRSTUVWXYZ23456789", k=14)
    )


@dataclass(frozen=True)
class Account:
    """A user of all servers."""

    name: str
    password: str

    @property
    def address(self) -> str:
        """The mail address."""
        return f"{self.name}@{DOMAIN}"


ALICE = Account("alice", _secret())
BOB = Account("bob", _secret())
WRONG = _secret()
"""A password that no account has."""
TOKEN = _secret()
"""A bearer token that no server takes."""

ACCOUNTS = (ALICE, BOB)
SECRETS = (ALICE.password, BOB.password, WRONG, TOKEN)
