"""Feeds a conversation to the decoder, written as it would be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailtap._engine import Decoder, Side

if TYPE_CHECKING:
    from mailtap._engine import Facts

PORTS = {"smtp": 25, "pop3": 110, "imap": 143}
CLIENT_PORT = 49152

CLIENT_HELLO = bytes.fromhex("160301 0200 01 0001fc 0303".replace(" ", "")) + bytes(506)
SERVER_HELLO = bytes.fromhex("160303 003d 02 000039 0303".replace(" ", "")) + bytes(55)


@dataclass(frozen=True)
class Turn:
    """Bytes of one side, or a gap in them."""

    client: bool
    data: bytes = b""
    gap: int | None = None


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else (text + "\r\n").encode("utf-8", "surrogateescape")


def C(*lines: str | bytes) -> Turn:  # noqa: N802
    """What the client sends: lines without their end, or bytes as they are."""
    return Turn(True, b"".join(map(_bytes, lines)))


def S(*lines: str | bytes) -> Turn:  # noqa: N802
    """What the server sends."""
    return Turn(False, b"".join(map(_bytes, lines)))


def lost(turn: Turn, length: int = 0) -> Turn:
    """A gap instead of the turn's bytes; `length` 0: of unknown length."""
    return Turn(turn.client, gap=length or len(turn.data))


def decode(
    *turns: Turn, port: int = 25, midstream: bool = False, client_is_orig: bool = True
) -> Facts:
    """The facts of a conversation in which the sides that say something are those seen."""
    ports = (CLIENT_PORT, port) if client_is_orig else (port, CLIENT_PORT)
    decoder = Decoder(*ports, midstream)
    seen = {Side.ORIG: False, Side.RESP: False}
    for turn in turns:
        side = Side.ORIG if turn.client == client_is_orig else Side.RESP
        seen[side] = True
        if turn.gap is not None:
            decoder.gap(side, turn.gap)
        else:
            decoder.data(side, turn.data)
    return decoder.facts(seen[Side.ORIG], seen[Side.RESP])


def client_only(turns: Iterable[Turn]) -> list[Turn]:
    return [turn for turn in turns if turn.client]


def server_only(turns: Iterable[Turn]) -> list[Turn]:
    return [turn for turn in turns if not turn.client]
