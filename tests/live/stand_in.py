"""A stand-in for a Zeek sensor: its WebSocket API, with frames as a real one sends them."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Iterable
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

TOPIC = "/mailtap/sessions/"

#: Seconds for a client to start and connect: a busy machine takes long to start a process.
PATIENCE = 120.0

# Written by a Zeek 9.0.0-rc1 for an event with one string argument.
FRAME = (
    '{"type":"data-message","topic":%s,"@data-type":"vector","data":['
    '{"@data-type":"count","data":1},{"@data-type":"count","data":1},'
    '{"@data-type":"vector","data":[{"@data-type":"string","data":"MailTap::mail_session"},'
    '{"@data-type":"vector","data":[{"@data-type":"string","data":%s}]},'
    '{"@data-type":"vector","data":[]}]}]}'
)


def frame(record: dict[str, Any] | str, topic: str = TOPIC) -> str:
    """An event whose argument is the record as JSON, or this very text."""
    line = record if isinstance(record, str) else json.dumps(record)
    return FRAME % (json.dumps(topic), json.dumps(line))


class StandIn:
    """Sends to each client what it is told to, and keeps what clients send."""

    ACKNOWLEDGEMENT = '{"type":"ack","endpoint":"stand-in-1","version":"9.0.0-rc1"}'

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.port = port
        self._tls = tls
        self.subscriptions: list[list[str]] = []
        self.received: list[str] = []
        self.refuse: tuple[int, str] | None = None
        self.acknowledge = True
        self.acknowledgement = self.ACKNOWLEDGEMENT
        self._clients: set[ServerConnection] = set()
        self._server: Server | None = None
        self._connected = asyncio.Event()

    @property
    def url(self) -> str:
        return f"{'wss' if self._tls else 'ws'}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self.port,
            ssl=self._tls,
            process_request=self._check,
            compression=None,
            max_size=None,
            ping_interval=None,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def connected(self) -> None:
        await asyncio.wait_for(self._connected.wait(), PATIENCE)

    async def gone(self) -> None:
        """Until no client is connected."""
        while self._clients:
            await asyncio.sleep(0.02)

    async def send(self, frames: Iterable[str | bytes]) -> None:
        """To every client; bytes go into a text frame unchecked, as Zeek sends them."""
        for client in list(self._clients):
            for one in frames:
                await client.send(one, text=True)

    def cut(self) -> None:
        """Ends every connection without a word."""
        for client in self._clients:
            client.transport.abort()

    def fall_silent(self) -> None:
        """Reads and writes nothing any more on the connections there are, but leaves them open."""
        for client in self._clients:
            client.transport.pause_reading()
        self._clients.clear()

    async def slowest_pong(self, work: Awaitable[object]) -> float:
        """The longest that a client took to answer a ping while the work was done, in seconds."""
        task, slowest = asyncio.ensure_future(work), 0.0
        while not task.done():
            for client in list(self._clients):
                slowest = max(slowest, await (await client.ping()))
            await asyncio.sleep(0.05)
        await task
        return slowest

    async def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path != "/v1/messages/json":
            return connection.respond(404, "no such path\n")
        return None

    async def _serve(self, client: ServerConnection) -> None:
        if self.refuse is not None:
            await client.close(*self.refuse)
            return
        self.subscriptions.append(json.loads(await client.recv()))
        if self.acknowledge:
            await client.send(self.acknowledgement)
        self._clients.add(client)
        self._connected.set()
        try:
            async for message in client:
                self.received.append(str(message))
        finally:
            self._clients.discard(client)
            if not self._clients:
                self._connected.clear()
