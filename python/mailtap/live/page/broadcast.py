"""One stream of messages to several clients, none of which can hold up the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

#: Messages that wait for a client before it counts as too slow.
MAXIMUM_WAITING = 8

#: Silence after which a comment is sent, so that proxies keep the connection (seconds).
KEEP_ALIVE_SECONDS = 15

_KEEP_ALIVE = b": still here\n\n"


class Broadcast:
    """At most `maximum_clients` at once. A client that falls behind is let go: it connects anew and
    gets everything again.
    """

    def __init__(self, maximum_clients: int) -> None:
        self._maximum = maximum_clients
        self._waiting: set[asyncio.Queue[bytes | None]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, first: bytes) -> AsyncIterator[bytes] | None:
        """The messages from now on, after `first`; None when there is no room."""
        if self._closed or len(self._waiting) >= self._maximum:
            return None
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        queue.put_nowait(first)
        self._waiting.add(queue)
        return self._messages(queue)

    def send(self, message: bytes) -> None:
        for queue in [*self._waiting]:
            if queue.qsize() >= MAXIMUM_WAITING:
                self._let_go(queue)
            else:
                queue.put_nowait(message)

    def close(self) -> None:
        self._closed = True
        for queue in [*self._waiting]:
            self._let_go(queue)

    def _let_go(self, queue: asyncio.Queue[bytes | None]) -> None:
        self._waiting.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)

    async def _messages(self, queue: asyncio.Queue[bytes | None]) -> AsyncIterator[bytes]:
        try:
            while True:
                try:
                    message = await asyncio.wait_for(queue.get(), KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    message = _KEEP_ALIVE
                if message is None:
                    return
                yield message
        finally:
            self._waiting.discard(queue)
