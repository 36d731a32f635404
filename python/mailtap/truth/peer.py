"""Addresses and ports as logs write them."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from mailtap.truth.line import MalformedLineError

MAXIMUM_PORT = 65_535


@lru_cache(maxsize=65_536)
def address(text: str) -> str:
    """The IP address as text in one form; IPv4 in IPv6 as IPv4. Raises MalformedLineError."""
    try:
        parsed = ip_address(text.removeprefix("IPv6:").strip("[]"))
    except ValueError:
        raise MalformedLineError("no address") from None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(parsed)


def port(text: str | None) -> int | None:
    """The port; None for none, or for 0. Raises MalformedLineError."""
    if text is None:
        return None
    number = int(text)
    if number > MAXIMUM_PORT:
        raise MalformedLineError("no port")
    return number or None
