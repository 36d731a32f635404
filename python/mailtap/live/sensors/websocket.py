"""Sensors through Zeek's WebSocket API, `ws://HOST:PORT` or `wss://HOST:PORT`.

https://docs.zeek.org/en/master/frameworks/websocket-api.html, in its version 1.
"""

from __future__ import annotations

import asyncio
import json
import ssl

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from mailtap.live.sensors.transport import TOPICS, Backoff, Connection, FatalError, Receive

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

#: Status of a request that will be refused again (RFC 6455 section 7.4.1).
POLICY_VIOLATION = 1008


class WebSocketTransport:
    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        """`tls` is for wss."""
        self.connection = Connection(url)
        self._tls = tls
        self._socket: ClientConnection | None = None

    async def run(self, receive: Receive) -> None:
        """See Transport."""
        backoff = Backoff()
        while True:
            try:
                await self._session(receive, backoff)
            except ConnectionClosed as error:
                if error.rcvd is not None and error.rcvd.code == POLICY_VIOLATION:
                    raise FatalError(
                        f"refused: {error.rcvd.reason or 'policy violation'}"
                    ) from None
                self.connection.went(_closed(error))
            except InvalidURI as error:
                raise FatalError(str(error)) from None
            except TimeoutError:
                self.connection.went("no answer")
            except (OSError, InvalidHandshake, ssl.SSLError) as error:
                self.connection.went(self._failed(error))
            finally:
                self._socket = None
            await backoff.wait()

    async def publish(self, topic: str, event: str, line: str) -> bool:
        """See Transport."""
        if self._socket is None:
            return False
        try:
            await self._socket.send(_event(topic, event, line))
        except ConnectionClosed:
            return False
        return True

    async def _session(self, receive: Receive, backoff: Backoff) -> None:
        async with connect(
            self.connection.url.rstrip("/") + PATH,
            ssl=self._tls,
            proxy=None,  # none of the environment's: sensors are near
            compression=None,
            additional_headers={"X-Application-Name": APPLICATION},
            open_timeout=CONNECT,
            ping_interval=PING,
            ping_timeout=PONG,
            max_size=MAXIMUM_FRAME,
            max_queue=None,  # a full queue would keep pings unanswered; the inbox is the bound
        ) as socket:
            await socket.send(json.dumps(TOPICS))
            await _acknowledged(socket)
            self._socket = socket
            self.connection.came()
            backoff.reset()
            while True:
                receive(await socket.recv(decode=False))

    def _failed(self, error: Exception) -> str:
        """Why there is no connection."""
        if not isinstance(error.__cause__, EOFError):
            return str(error) or type(error).__name__
        if self._tls is None:
            return "closed before it answered"
        return "closed before it answered: does it ask for a certificate (--tls-cert)?"


async def _acknowledged(socket: ClientConnection) -> None:
    """Raises OSError where the sensor does not acknowledge the subscription: the cluster has no
    backend that would ever send anything.
    """
    try:
        frame = await asyncio.wait_for(socket.recv(decode=False), ACKNOWLEDGE)
        kind = json.loads(frame).get("type")
    except (TimeoutError, ValueError, AttributeError):
        kind = None
    if kind != "ack":
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
