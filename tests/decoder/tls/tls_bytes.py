"""Builds the bytes of TLS records and handshake messages, layer by layer (RFC 8446, 5246)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT = 20, 21, 22, 23, 24
HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, SERVER_HELLO_DONE = 0, 1, 2, 11, 14
SSL_3, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = 0x0300, 0x0301, 0x0302, 0x0303, 0x0304
SNI, SIGNATURE_ALGORITHMS, ALPN, SUPPORTED_VERSIONS, KEY_SHARE = 0, 13, 16, 43, 51

CIPHERS = [0x1301, 0xC02F, 0x009C]
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
CHANGE = bytes([CHANGE_CIPHER_SPEC, 3, 3, 0, 1, 1])

Extension = tuple[int, bytes]


def number(value: int) -> bytes:
    return value.to_bytes(2, "big")


def numbers(values: Iterable[int]) -> bytes:
    return b"".join(map(number, values))


def vector(width: int, content: bytes) -> bytes:
    """`content` with its length before it, in `width` bytes."""
    return len(content).to_bytes(width, "big") + content


def record(kind: int, content: bytes, version: int = TLS_1_2) -> bytes:
    return bytes([kind]) + number(version) + vector(2, content)


def records(kind: int, content: bytes, size: int) -> bytes:
    """`content` in records of `size` bytes."""
    return b"".join(
        record(kind, content[at : at + size]) for at in range(0, max(len(content), 1), size)
    )


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + vector(3, body)


def handshake(kind: int, body: bytes) -> bytes:
    """A handshake message in a record of its own."""
    return record(HANDSHAKE, message(kind, body))


def alert(level: int, description: int) -> bytes:
    return record(ALERT, bytes([level, description]))


def server_name(name: bytes | str) -> Extension:
    host = name if isinstance(name, bytes) else name.encode()
    return SNI, vector(2, b"\0" + vector(2, host))


def protocols(*names: bytes) -> Extension:
    return ALPN, vector(2, b"".join(vector(1, name) for name in names))


def signature_algorithms(*values: int) -> Extension:
    return SIGNATURE_ALGORITHMS, vector(2, numbers(values))


def supported_versions(*values: int) -> Extension:
    return SUPPORTED_VERSIONS, vector(1, numbers(values))


def chosen_version(value: int) -> Extension:
    return SUPPORTED_VERSIONS, number(value)


def empty(*kinds: int) -> list[Extension]:
    return [(kind, b"") for kind in kinds]


def _extensions(extensions: Sequence[Extension] | None) -> bytes:
    if extensions is None:
        return b""
    return vector(2, b"".join(number(kind) + vector(2, body) for kind, body in extensions))


def client_hello(
    *extensions: Extension,
    ciphers: Iterable[int] = CIPHERS,
    version: int = TLS_1_2,
    without_extensions: bool = False,
) -> bytes:
    """The body of a ClientHello."""
    return (
        number(version)
        + bytes(range(32))
        + vector(1, bytes(32))
        + vector(2, numbers(ciphers))
        + vector(1, b"\0")
        + _extensions(None if without_extensions else extensions)
    )


def server_hello(
    *extensions: Extension,
    cipher: int = 0xC02F,
    version: int = TLS_1_2,
    random: bytes = bytes(range(32)),
    without_extensions: bool = False,
) -> bytes:
    """The body of a ServerHello."""
    return (
        number(version)
        + random
        + vector(1, bytes(32))
        + number(cipher)
        + b"\0"
        + _extensions(None if without_extensions else extensions)
    )


def certificate_message(*certificates: bytes) -> bytes:
    """The body of a Certificate message up to TLS 1.2."""
    return vector(3, b"".join(vector(3, certificate) for certificate in certificates))


def ssl2_client_hello(version: int, ciphers: int = 3) -> bytes:
    """A ClientHello in the form of SSL 2 (RFC 5246 E.2)."""
    body = b"\1" + number(version) + number(3 * ciphers) + number(0) + number(16)
    body += bytes(3 * ciphers) + bytes(16)
    return number(0x8000 | len(body)) + body
