"""A page that is served, in a thread with a loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from snapshots import Live

from mailtap.live.page.access import listener
from mailtap.live.page.server import serve
from mailtap.live.state import Snapshot


@dataclass
class Served:
    port: int
    live: Live
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def show(self, snapshot: Snapshot) -> None:
        self.loop.call_soon_threadsafe(self.live.show, snapshot)


@contextmanager
def served(snapshot: Snapshot, token: str | None = None) -> Iterator[Served]:
    started = threading.Event()
    found: list[Served] = []
    ending: list[asyncio.Task[None]] = []

    async def run() -> None:
        socket = listener("127.0.0.1:0", token)
        live = Live(snapshot)
        ending.append(asyncio.create_task(serve(live, socket, token)))
        found.append(Served(socket.getsockname()[1], live, asyncio.get_running_loop()))
        started.set()
        with suppress(asyncio.CancelledError):
            await ending[0]

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert started.wait(10)
    try:
        yield found[0]
    finally:
        found[0].loop.call_soon_threadsafe(ending[0].cancel)
        thread.join(10)
        assert not thread.is_alive(), "it does not end when cancelled"
