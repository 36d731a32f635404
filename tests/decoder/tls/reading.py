"""Reads one side's TLS bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailtap._engine import TlsReader
from tls_bytes import CLIENT_HELLO, client_hello, handshake

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailtap._engine import TlsFacts
    from tls_bytes import Extension


def read(*parts: bytes | int) -> TlsFacts:
    """The facts of bytes, and of gaps of so many bytes."""
    reader = TlsReader()
    for part in parts:
        if isinstance(part, int):
            reader.gap(part)
        else:
            reader.data(part)
    return reader.facts()


def read_client_hello(
    *extensions: Extension, ciphers: Iterable[int] = (0x1301,), version: int = 0x0303
) -> TlsFacts:
    return read(
        handshake(CLIENT_HELLO, client_hello(*extensions, ciphers=ciphers, version=version))
    )
