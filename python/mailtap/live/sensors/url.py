"""A sensor's URL to its transport."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

from mailtap.live.sensors.broker import BrokerTransport
from mailtap.live.sensors.transport import SensorError, Tls, Transport
from mailtap.live.sensors.websocket import WebSocketTransport


def transport(url: str, tls: Tls) -> Transport:
    """The transport that the URL's scheme names. Raises SensorError."""
    try:
        address = urlsplit(url)
        complete = bool(address.hostname) and address.port is not None
    except ValueError:
        raise SensorError(f"{url}: is no URL") from None
    if address.scheme not in ("ws", "wss", "broker"):
        raise SensorError(f"{url}: give ws://, wss:// or broker://")
    if address.username is not None:
        raise SensorError(f"{address.scheme}://{address.hostname}: a sensor's URL has no user name")
    if not complete:
        raise SensorError(f"{url}: give {address.scheme}://HOST:PORT")
    if address.scheme == "broker":
        return BrokerTransport(url, tls)
    return WebSocketTransport(url, _context(tls) if address.scheme == "wss" else None)


def _context(tls: Tls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        if tls.certificate is not None:
            context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        raise SensorError(f"TLS: {error}") from None
    return context
