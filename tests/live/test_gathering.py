"""The event loop lets a little gather, and neither waits for nothing nor while much comes."""

from __future__ import annotations

import asyncio
import socket
import time

from mailtap.live.gathering import GATHER, MUCH, GatheringSelector, event_loop


def looks(bytes_sent: int, work: float) -> int:
    """How often a loop reads what is sent byte by byte, two milliseconds apart, when each time it
    has so many seconds of work.
    """
    reads = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        with here, there:
            here.setblocking(False)

            def read() -> None:
                reads.append(len(here.recv(1024)))
                time.sleep(work)

            loop.add_reader(here, read)
            sending = loop.run_in_executor(None, send, there)
            while sum(reads) < bytes_sent:
                await asyncio.sleep(GATHER)
            await sending
            loop.remove_reader(here)

    def send(there: socket.socket) -> None:
        for _ in range(bytes_sent):
            there.send(b"x")
            time.sleep(0.002)

    with asyncio.Runner(loop_factory=event_loop) as runner:
        runner.run(scenario())
    assert sum(reads) == bytes_sent
    return len(reads)


def test_what_comes_bit_by_bit_is_read_in_few_turns() -> None:
    assert looks(100, 0.0) <= 50  # some 10, but on a machine that is busy otherwise


def test_where_there_is_much_to_do_nothing_is_waited_for() -> None:
    begun = time.monotonic()
    turns = looks(50, 2 * MUCH)
    assert time.monotonic() - begun < turns * (2 * MUCH + GATHER)


def test_a_timer_is_not_late() -> None:
    here, there = socket.socketpair()
    with GatheringSelector() as selector, here, there:
        selector.register(here, 1)
        there.send(b"x")
        assert selector.select(1.0)
        begun = time.monotonic()
        here.recv(1)
        assert selector.select(0.001) == []
        assert time.monotonic() - begun < GATHER
