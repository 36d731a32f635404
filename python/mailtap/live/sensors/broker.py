"""Sensors through native Broker, `broker://HOST:PORT`, with the bindings of an installed Zeek.

The bindings never release the interpreter, so nothing here may wait inside them: file
descriptors show what has come, and only as much is asked for as is there.
https://docs.zeek.org/projects/broker/en/current/python.html
"""

from __future__ import annotations

import asyncio
import collections
import collections.abc
import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from mailtap.live.sensors.transport import TOPICS, Connection, Receive, SensorError, Tls

#: Seconds between attempts to peer, made by Broker itself.
RETRY = 2.0

#: Events taken out at once; the event loop has a turn between.
BATCH = 1_000

#: Where Zeek's own packages put it, when it is not on PATH.
USUAL = Path("/opt/zeek/bin/zeek-config")


def bindings() -> ModuleType:
    """The module `broker` of an installed Zeek. Raises SensorError."""
    program = shutil.which("zeek-config") or (str(USUAL) if USUAL.exists() else None)
    if program is None:
        raise SensorError("broker:// needs Zeek's Python bindings, and there is no zeek-config")
    found = subprocess.run([program, "--python_dir"], capture_output=True, text=True, check=False)
    folder = found.stdout.strip()
    if not (Path(folder) / "broker").is_dir():
        raise SensorError(f"the Zeek of {program} was built without Broker's Python bindings")
    # Bindings of Python 3.10 and later still ask for a name that Python no longer has.
    collections.Iterable = Iterable  # type: ignore[attr-defined]
    sys.path.append(folder)
    try:
        return importlib.import_module("broker")
    except ImportError as error:
        raise SensorError(f"Broker's Python bindings are for another Python: {error}") from None
    finally:
        sys.path.remove(folder)


class BrokerTransport:
    def __init__(self, url: str, tls: Tls) -> None:
        """Raises SensorError."""
        self.connection = Connection(url)
        address = urlsplit(url)
        self._host, self._port = address.hostname, address.port
        self._broker: Any = bindings()
        options = self._broker.BrokerOptions()
        options.disable_ssl = tls.disabled
        configuration = self._broker.Configuration(options)
        if tls.ca is not None:
            configuration.openssl_cafile = str(tls.ca)
        if tls.certificate is not None:
            configuration.openssl_certificate = str(tls.certificate)
        if tls.key is not None:
            configuration.openssl_key = str(tls.key)
        self._configuration = configuration
        self._endpoint: Any = None

    async def run(self, receive: Receive) -> None:
        """See Transport. Broker connects again by itself."""
        loop = asyncio.get_running_loop()
        self._endpoint = self._broker.Endpoint(self._configuration)
        events = self._endpoint.make_safe_subscriber(TOPICS[0])
        for topic in TOPICS[1:]:
            events.add_topic(topic, True)
        status = self._endpoint.make_status_subscriber(True)
        try:
            loop.add_reader(events.fd(), self._take_events, events, receive)
            loop.add_reader(status.fd(), self._take_status, status)
            self._endpoint.peer_nosync(self._host, self._port, RETRY)
            self.connection.closed("connecting")
            await loop.create_future()
        finally:
            loop.remove_reader(events.fd())
            loop.remove_reader(status.fd())
            events.reset()
            status.reset()
            self._endpoint.shutdown()
            self._endpoint = None

    async def publish(self, topic: str, event: str, line: str) -> bool:
        """See Transport."""
        if self._endpoint is None or not self.connection.connected:
            return False
        self._endpoint.publish(topic, self._broker.zeek.Event(event, line))
        return True

    def _take_events(self, events: Any, receive: Receive) -> None:
        # Not poll(): it returns what hashes badly as an error, and loses the rest.
        waiting = min(events.available(), BATCH)
        if not waiting:
            return
        taken: list[tuple[str, Any]] = events.get(waiting)
        for topic, data in taken:
            arguments = self._broker.zeek.SafeEvent(data).args()
            if arguments and isinstance(arguments[0], str | bytes):
                receive(frame(topic, arguments[0]))

    def _take_status(self, status: Any) -> None:
        waiting = status.available()
        if not waiting:
            return
        for event in status.get(waiting):
            code = event.code()
            if code == self._broker.SC.PeerAdded:
                self.connection.opened()
            elif isinstance(event, self._broker.Error) or code in (
                self._broker.SC.PeerRemoved,
                self._broker.SC.PeerLost,
            ):
                self.connection.closed(str(event))


def frame(topic: str, argument: str | bytes) -> bytes:
    """An event as the WebSocket API has it."""
    text = argument if isinstance(argument, str) else argument.decode(errors="backslashreplace")
    arguments = {"data": [{"data": text}]}
    return json.dumps({"topic": topic, "data": [{}, {}, {"data": [{}, arguments]}]}).encode()
