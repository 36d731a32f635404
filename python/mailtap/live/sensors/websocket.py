"""Sensors through Zeek's WebSocket API, `ws://HOST:PORT` or `wss://HOST:PORT`.

https://docs.zeek.org/en/master/frameworks/websocket-api.html, in its version 1.
"""

from __future__ import annotations

import asyncio
import json
import ssl

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from mailtap.live.sensors.frames import MalformedError, loads
from mailtap.live.sensors.transport import TOPICS, Connection, Receive

PATH = "/v1/messages/json"
APPLICATION = "mailtap"

#: Frames as large as this are taken; the record in one may be as large as in a file of records.
MAXIMUM_FRAME = 16 << 20

#: Seconds until a sensor must have connected, and until it must have acknowledged the subscription.
CONNECT = 10.0
ACKNOWLEDGE = 10.0

#: Seconds between pings, and until one must be answered: half-open connections show by them.
PING = 10.0
PONG = 20.0

#: Seconds that a sensor has to close the connection before it is cut.
CLOSE = 1.0


class WebSocketTransport:
    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        """`tls` is for wss."""
        self.connection = Connection(url)
        self._tls = tls
        self._socket: ClientConnection | None = None

    async def run(self, receive: Receive) -> None:
        """See Transport."""
        try:
            await self._session(receive)
        except ConnectionClosed as error:
            raise ConnectionError(_closed(error)) from None
        except TimeoutError:
            raise ConnectionError("no answer") from None
        except Exception as error:
            if not isinstance(error.__cause__, EOFError):
                raise
            advice = "" if self._tls is None else ": does it ask for a certificate (--tls-cert)?"
            raise ConnectionError(f"closed before it answered{advice}") from None
        finally:
            self._socket = None

    async def publish(self, topic: str, event: str, line: str) -> bool:
        """See Transport."""
        if self._socket is None:
            return False
        try:
            await self._socket.send(_event(topic, event, line))
        except ConnectionClosed:
            return False
        return True

    async def _session(self, receive: Receive) -> None:
        async with _Connect(
            self.connection.url.rstrip("/") + PATH,
            ssl=self._tls,
            proxy=None,  # none of the environment's: sensors are near
            compression=None,
            additional_headers={"X-Application-Name": APPLICATION},
            open_timeout=CONNECT,
            ping_interval=PING,
            ping_timeout=PONG,
            close_timeout=CLOSE,
            max_size=MAXIMUM_FRAME,
            max_queue=None,  # a full queue would keep pings unanswered; the inbox is the bound
        ) as socket:
            await socket.send(json.dumps(TOPICS))
            await _acknowledged(socket)
            self._socket = socket
            self.connection.opened()
            while True:
                receive(await socket.recv(decode=False))


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follows no redirect: a sensor must not choose which host is connected to."""
        return exc


async def _acknowledged(socket: ClientConnection) -> None:
    """Raises OSError where the sensor does not acknowledge the subscription: the cluster has no
    backend that would ever send anything.
    """
    try:
        answer = loads(await asyncio.wait_for(socket.recv(decode=False), ACKNOWLEDGE))
    except (TimeoutError, MalformedError):
        answer = None
    if not isinstance(answer, dict) or answer.get("type") != "ack":
        raise ConnectionError("the subscription was not acknowledged")


def _closed(error: ConnectionClosed) -> str:
    if error.rcvd is None:
        return "connection lost"
    return f"closed by the sensor: {error.rcvd.code} {error.rcvd.reason}".rstrip()


def _event(topic: str, event: str, line: str) -> str:
    def typed(kind: str, data: object) -> dict[str, object]:
        return {"@data-type": kind, "data": data}

    arguments = typed("vector", [typed("string", line)])
    body = [typed("count", 1), typed("count", 1)]
    body.append(typed("vector", [typed("string", event), arguments]))
    message = {"type": "data-message", "topic": topic, **typed("vector", body)}
    # Brokers of old read \\u escapes wrongly: characters go as they are.
    return json.dumps(message, ensure_ascii=False)
