"""A proxy that may change what passes through it, and records both of its connections."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from lab.isolation import CLIENT_ADDRESS

SECONDS = 4.0
"""Longest silence: a session that tampering has brought to a halt ends then."""
READ = 65536


class Flow(NamedTuple):
    """What the proxy sends on."""

    to_server: bytes = b""
    to_client: bytes = b""


class Attack(Protocol):
    """What is done to a connection. Both methods get bytes as they come from one end."""

    def from_client(self, data: bytes) -> Flow: ...

    def from_server(self, data: bytes) -> Flow: ...


@dataclass(frozen=True)
class Ports:
    """The local ports of a connection's two legs."""

    client: int
    """The client's, towards the proxy."""
    server: int
    """The proxy's, towards the server."""


class Proxy:
    """Takes one connection after another on a port and passes it on through an attack."""

    def __init__(self, address: str, port: int, target: tuple[str, int]) -> None:
        self.address, self.port = address, port
        self.passed: list[Ports] = []
        self._target = target
        self._listener = socket.create_server((address, port))
        self._attack: Attack | None = None
        self._busy = threading.Lock()
        threading.Thread(target=self._serve, daemon=True).start()

    def begin(self, attack: Attack) -> None:
        """What is done to the next connections."""
        self.passed.clear()
        self._attack = attack

    def finish(self) -> list[Ports]:
        """The connections since `begin`, when they have ended."""
        with self._busy:
            return list(self.passed)

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, (_, client_port) = self._listener.accept()
                with self._busy, client, self._connect() as server:
                    self.passed.append(Ports(client_port, server.getsockname()[1]))
                    assert self._attack is not None
                    with contextlib.suppress(OSError):  # either end resets its connection
                        _relay(client, server, self._attack)

    def _connect(self) -> socket.socket:
        return socket.create_connection(self._target, SECONDS, (CLIENT_ADDRESS, 0))


def _relay(client: socket.socket, server: socket.socket, attack: Attack) -> None:
    """Until both ends have ended, or neither says anything any more."""
    ends = {client: server, server: client}
    while ends:
        ready, _, _ = select.select(list(ends), [], [], SECONDS)
        if not ready:
            return
        for end in ready:
            data = end.recv(READ)
            if not data:
                ends.pop(end).shutdown(socket.SHUT_WR)
                continue
            flow = attack.from_client(data) if end is client else attack.from_server(data)
            server.sendall(flow.to_server)
            client.sendall(flow.to_client)
