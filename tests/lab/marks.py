"""Looks for the marked secrets in what the decoder says, in every encoding they may travel in."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from lab.accounts import SECRETS

SHORTEST = 8
"""Fewer characters of an encoded secret may be there by chance."""


def encodings(secret: str) -> Iterator[str]:
    """A secret as it may be found in a text."""
    data = secret.encode()
    yield secret
    yield secret[::-1]
    yield secret.swapcase()
    yield data.hex()
    yield data.hex().upper()
    yield quote(secret)
    yield "".join(f"%{byte:02X}" for byte in data)
    # Within a longer text in Base64 it starts at one of three places; the first and the last
    # letters also depend on its neighbours.
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        yield encoded[before + (before > 0) : len(encoded) - (len(encoded) * 6 % 8 != 0)]


MARKS = tuple({text for secret in SECRETS for text in encodings(secret) if len(text) >= SHORTEST})


def secrets_in(lines: Iterable[str]) -> list[str]:
    """The lines that hold a marked secret."""
    return [line for line in lines if any(mark in line for mark in MARKS)]
