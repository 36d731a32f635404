"""Real TLS sessions: what both sides send when OpenSSL speaks to itself."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cache

import trustme

HOST = "mx.example"
ROUNDS = 8  # more than any handshake has


@dataclass(frozen=True)
class TlsSession:
    """What each side sent, and what OpenSSL says that they agreed on, with its own names."""

    client: bytes
    server: bytes
    version: str | None
    cipher: str | None
    protocol: str | None
    established: bool


class _End:
    """One end of a session; its bytes are handed over by `deliver`."""

    def __init__(self, context: ssl.SSLContext, host: str | None = None) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(
            self.incoming, self.outgoing, server_side=host is None, server_hostname=host
        )
        self.sent = b""
        self.ready = self.failed = False

    def advance(self) -> None:
        if self.ready or self.failed:
            return
        try:
            self.tls.do_handshake()
            self.ready = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.failed = True

    def deliver(self, peer: _End) -> None:
        data = self.outgoing.read()
        self.sent += data
        peer.incoming.write(data)


@cache
def certificates() -> tuple[trustme.CA, trustme.LeafCert]:
    ca = trustme.CA()
    return ca, ca.issue_cert(HOST, "192.0.2.25")


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A client that trusts the server, and the server."""
    ca, leaf = certificates()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ca.configure_trust(client)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(server)
    return client, server


def run(client_context: ssl.SSLContext, server_context: ssl.SSLContext) -> TlsSession:
    """A handshake, and a few words each when it comes to its end."""
    client, server = _End(client_context, HOST), _End(server_context)
    for _ in range(ROUNDS):
        client.advance()
        client.deliver(server)
        server.advance()
        server.deliver(client)
    established = client.ready and server.ready
    if established:
        for end, peer, text in ((server, client, b"220 mx\r\n"), (client, server, b"QUIT\r\n")):
            end.tls.write(text)
            end.deliver(peer)
    cipher = server.tls.cipher()
    return TlsSession(
        client.sent,
        server.sent,
        server.tls.version(),
        cipher[0] if cipher else None,
        server.tls.selected_alpn_protocol(),
        established,
    )
