"""TLS records as they look from outside (RFC 8446 5.1), with random insides."""

from __future__ import annotations

import struct
from random import Random

from ..dialogue import Closing, Dialogue, Script, Side, StartTls

HANDSHAKE, CHANGE_CIPHER_SPEC, APPLICATION_DATA = 22, 20, 23


def record(content_type: int, fragment: bytes, version: int = 0x0303) -> bytes:
    return struct.pack("!BHH", content_type, version, len(fragment)) + fragment


def client_hello(rng: Random, server_name: str) -> bytes:
    name = server_name.encode()
    name_entry = struct.pack("!HBH", len(name) + 3, 0, len(name)) + name
    extensions = struct.pack("!HH", 0, len(name_entry)) + name_entry
    extensions += struct.pack("!HHBHH", 43, 5, 4, 0x0304, 0x0303)
    extensions += struct.pack("!HHHBB32s", 51, 36, 34, 0, 29, rng.randbytes(32))
    suites = struct.pack("!4H", 0x1301, 0x1302, 0xC02F, 0xC030)
    body = struct.pack("!H32sB32s", 0x0303, rng.randbytes(32), 32, rng.randbytes(32))
    body += (
        struct.pack("!H", len(suites))
        + suites
        + b"\x01\x00"
        + struct.pack("!H", len(extensions))
        + extensions
    )
    return record(HANDSHAKE, b"\x01" + len(body).to_bytes(3, "big") + body, 0x0301)


def server_hello(rng: Random) -> bytes:
    body = struct.pack("!H32sB32sHB", 0x0303, rng.randbytes(32), 32, rng.randbytes(32), 0x1301, 0)
    body += struct.pack("!H", 6) + struct.pack("!HHH", 43, 2, 0x0304)
    hello = record(HANDSHAKE, b"\x02" + len(body).to_bytes(3, "big") + body)
    return (
        hello
        + record(CHANGE_CIPHER_SPEC, b"\x01")
        + application_data(rng, rng.randrange(900, 3500))
    )


def application_data(rng: Random, length: int) -> bytes:
    return record(APPLICATION_DATA, rng.randbytes(length))


def talk_tls(script: Script, rng: Random, server_name: str, **shown: object) -> None:
    """A TLS handshake and a little traffic; each record shows `shown`."""
    shown = {"service": None, **shown}
    script.client(client_hello(rng, server_name), **shown)
    script.server(server_hello(rng), **shown)
    script.client(record(CHANGE_CIPHER_SPEC, b"\x01") + application_data(rng, 53), **shown)
    for _ in range(rng.randrange(1, 4)):
        script.client(application_data(rng, rng.randrange(30, 900)), **shown)
        script.server(application_data(rng, rng.randrange(30, 400)), **shown)


def upgrade(script: Script, rng: Random, server_name: str) -> Dialogue:
    """The end of a session whose upgrade was agreed: the rest is TLS."""
    talk_tls(script, rng, server_name, starttls=StartTls.TLS)
    return script.dialogue(rng.choice((Closing.CLIENT_FIN, Closing.SERVER_FIN)), bulk=Side.CLIENT)
