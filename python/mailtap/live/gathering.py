"""How often the event loop looks at its sockets."""

from __future__ import annotations

import asyncio
import selectors
import time

#: Seconds from one look to the next while little comes. Zeek sends each event by itself: to be
#: woken by each takes longer than to read it.
GATHER = 0.025

#: Seconds of work on what a look found from which on it is not little.
MUCH = GATHER / 4


class GatheringSelector(selectors.DefaultSelector):
    """Waits a little after it found something, so that more comes before it looks again."""

    def __init__(self) -> None:
        super().__init__()
        self._found = self._returned = 0.0  # when it found something, and when it returned
        self._work = 0.0  # seconds spent on what it found

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """See selectors.BaseSelector."""
        now = time.monotonic()
        self._work += now - self._returned
        left = self._found + GATHER - now
        if timeout != 0 and left > 0 and self._work < MUCH:
            pause = left if timeout is None else min(left, timeout)
            time.sleep(pause)
            timeout = None if timeout is None else timeout - pause
        found = super().select(timeout)
        self._returned = time.monotonic()
        if found:
            self._found, self._work = self._returned, 0.0
        return found


def event_loop() -> asyncio.AbstractEventLoop:
    """A loop that gathers."""
    return asyncio.SelectorEventLoop(GatheringSelector())
