"""Mail in a proxy's tunnel: HTTP CONNECT (RFC 9110 9.3.6), SOCKS4 and SOCKS5 (RFC 1928, 1929)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

from .. import names
from ..dialogue import Builder, Dialogue, Script
from . import imap, imap_script, pop3, smtp, smtp_script, tls

HTTP_PROXY_PORTS = (8080, 3128)
SOCKS_PROXY_PORT = 1080
AGENTS = ("python-socks/2.4.4", "python-socks/2.3.0")

MAIL: dict[str, tuple[int, tuple[Builder, ...]]] = {
    "smtp": (smtp_script.PORT, (smtp.message, smtp.envelope, smtp.hello_only)),
    "pop3": (pop3.PORT, (pop3.retrieved, pop3.listing)),
    "imap": (imap_script.PORT, (imap.fetched_message, imap.login_only, imap.selected)),
}


def http_connect(script: Script, rng: Random, port: int, tunnel: str | None = "http") -> None:
    target, agent = f"{names.host(rng)}:{port}", rng.choice(AGENTS)
    script.client(
        f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: {agent}\r\n",
        http=True,
        tunnel=tunnel,
        user_agent=agent,
    )
    script.server("HTTP/1.1 200 Connection established\r\n", http=True, tunnel=tunnel)


def socks4(script: Script, rng: Random, port: int) -> None:
    destination = struct.pack("!BBH4B", 4, 1, port, 198, 51, 100, rng.randrange(1, 255))
    script.client(destination + rng.choice((b"\0", b"proxyuser\0")), tunnel="socks")
    script.server(b"\0\x5a" + destination[2:8], tunnel="socks")


def socks5(script: Script, rng: Random, port: int) -> None:
    """With and without the user name and password exchange."""
    name = names.host(rng).encode()
    if rng.random() < 0.5:
        script.client(b"\5\1\0", tunnel="socks")
        script.server(b"\5\0", tunnel="socks")
    else:
        secret = names.secret(rng).encode()
        script.client(b"\5\2\0\2", tunnel="socks")
        script.server(b"\5\2", tunnel="socks")
        script.client(b"\1\5proxy" + bytes([len(secret)]) + secret, tunnel="socks")
        script.server(b"\1\0", tunnel="socks")
    script.client(b"\5\1\0\3" + bytes([len(name)]) + name + port.to_bytes(2, "big"), tunnel="socks")
    script.server(b"\5\0\0\1" + bytes(6), tunnel="socks")


Way = Callable[[Script, Random, int], None]
WAYS: dict[str, Way] = {"http": http_connect, "socks4": socks4, "socks5": socks5}


def carried(way: str, service: str) -> Builder:
    """A builder of sessions in which `way` carries `service`."""

    def build(rng: Random) -> Dialogue:
        port, builders = MAIL[service]
        script = Script(
            f"{way}_{service}",
            port=rng.choice(HTTP_PROXY_PORTS) if way == "http" else SOCKS_PROXY_PORT,
        )
        WAYS[way](script, rng, port)
        inner = rng.choice(builders)(rng)
        while any(turn.shown.user_agent for turn in inner.turns):
            inner = rng.choice(builders)(rng)  # the carrier's agent is to be the only one
        script.turns.extend(inner.turns)
        return script.dialogue(inner.closing)

    return build


def http_tls(rng: Random) -> Dialogue:
    """A tunnel whose inside is TLS from its first byte: nobody can tell that it is mail."""
    script = Script("http_tls", port=rng.choice(HTTP_PROXY_PORTS))
    http_connect(script, rng, 993, tunnel=None)
    tls.talk_tls(script, rng, names.host(rng), http=True, implicit_tls=True)
    return script.dialogue()


BUILDERS: dict[str, Builder] = {
    **{f"{way}_{service}": carried(way, service) for way in WAYS for service in MAIL},
    "http_tls": http_tls,
}
