"""Connections to the page: how many there are, and how long one may go without a request."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path

from uvicorn.protocols.http.h11_impl import H11Protocol

#: Connections of any kind at once. One that comes beyond takes the place of the one that has been
#: without a request for longest.
MAXIMUM_CONNECTIONS = 128

#: Connections that the kernel keeps until they are accepted, and that are accepted in one go.
BACKLOG = 16

#: Descriptors that are left to sensors, label sources and the store.
RESERVED_DESCRIPTORS = 64

#: Seconds within which a request must have come whole.
REQUEST_SECONDS = 10.0


def room_for_connections() -> int:
    """How many connections there may be, by the descriptors that this process may still open."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = sum(1 for _ in Path("/proc/self/fd").iterdir())
    return max(1, min(MAXIMUM_CONNECTIONS, most - opened - RESERVED_DESCRIPTORS - BACKLOG))


class BoundedProtocol(H11Protocol):
    """HTTP on a connection that is closed when it has no request for too long, or when there is no
    room for it.
    """

    maximum = MAXIMUM_CONNECTIONS

    #: Connections without a request, the one that has been so for longest first.
    waiting: dict[BoundedProtocol, asyncio.TimerHandle] = {}  # noqa: RUF012 -- shared on purpose

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_request()
        if len(self.connections) > self.maximum:
            oldest = next(iter(self.waiting))
            oldest.transport.abort()
            oldest.connection_is_over()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self not in self.waiting and not self.transport.is_closing():
            self._wait_for_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing() and self.cycle.response_complete:
            self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    def connection_is_over(self) -> None:
        """Removes it from the connections before the event loop reports that it is lost."""
        self.connections.discard(self)
        self._stop_waiting()

    def _wait_for_request(self) -> None:
        self._stop_waiting()
        self.waiting[self] = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        timer = self.waiting.pop(self, None)
        if timer is not None:
            timer.cancel()


def bounded_protocol() -> type[BoundedProtocol]:
    """The protocol of a server that is about to be started."""

    class Protocol(BoundedProtocol):
        maximum = room_for_connections()
        waiting: dict[BoundedProtocol, asyncio.TimerHandle] = {}  # noqa: RUF012 -- as above

    return Protocol
