"""Who may read the page, and where it listens."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

#: Characters of a token. 22 characters of base64 are 128 bits.
MINIMUM_TOKEN, MAXIMUM_TOKEN = 22, 512

#: Seconds after which the kernel gives up a client that takes nothing off the connection.
SLOW_CLIENT_SECONDS = 20


class PageError(Exception):
    """The page can't be shown as asked; the text is one line that says why."""


def read_token(path: Path) -> str:
    """The bearer token in a file."""
    try:
        with path.open("rb") as file:
            content = file.read(MAXIMUM_TOKEN + 2)
    except OSError as error:
        raise PageError(f"the token can't be read: {error.strerror}: {path}") from None
    token = content.decode("ascii", "replace").strip()
    if not MINIMUM_TOKEN <= len(token) <= MAXIMUM_TOKEN or not _is_token(token):
        raise PageError(
            f"a token is {MINIMUM_TOKEN} to {MAXIMUM_TOKEN} letters, digits or any of -._~+/=, "
            f"and {path} holds no such"
        )
    return token


def _is_token(text: str) -> bool:
    """RFC 6750 section 2.1."""
    return all(
        character.isascii() and (character.isalnum() or character in "-._~+/=")
        for character in text
    )


def listener(address: str, token: str | None) -> socket.socket:
    """A socket that listens on `HOST:PORT`; an IPv6 address stands in brackets."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or not port.isascii() or int(port) > 65535:
        raise PageError(f"not an address to listen on (HOST:PORT): {address}")
    try:
        family, *_, where = socket.getaddrinfo(
            host.strip("[]") or "localhost", int(port), type=socket.SOCK_STREAM
        )[0]
        if token is None and not ipaddress.ip_address(where[0]).is_loopback:
            raise PageError(f"a token is needed to listen beyond loopback, on {address}")
        made = socket.create_server(where[:2], family=family)
    except (OSError, UnicodeError) as error:
        raise PageError(f"can't listen on {address}: {error}") from None
    # Connections inherit it. Without it a client that stops reading holds its connection forever.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * SLOW_CLIENT_SECONDS)
    return made


@dataclass(frozen=True)
class Access:
    """Decides by a request's headers. With a token: who has it, as bearer or, in a browser, as
    the cookie that signing in gives. Without: whoever names the server by a loopback address, so
    that no web page can reach it under a name of its own (DNS rebinding).
    """

    token: str | None

    def allows(self, host: str, authorization: str, cookie: str) -> bool:
        if self.token is None:
            return _is_loopback_name(host)
        scheme, _, credentials = authorization.partition(" ")
        if scheme.lower() == "bearer" and self.is_token(credentials.strip()):
            return True
        return hmac.compare_digest(cookie.encode(), self.cookie().encode())

    def is_token(self, text: str) -> bool:
        return self.token is not None and hmac.compare_digest(text.encode(), self.token.encode())

    def cookie(self) -> str:
        """What proves to have known the token, without being it."""
        key = (self.token or "").encode()
        return hmac.new(key, b"mailtap page", hashlib.sha256).hexdigest()


def _is_loopback_name(host: str) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
