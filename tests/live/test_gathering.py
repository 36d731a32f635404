"""The event loop lets a little gather, and neither waits for nothing nor while much comes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from mailtap.live import gathering
from mailtap.live.gathering import GATHER, MUCH, GatheringSelector, event_loop


@dataclass
class Clock:
    """Stands still but where it is set or slept by."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass(frozen=True)
class Look:
    """A selector that has just found something, which is read by now."""

    selector: GatheringSelector
    there: socket.socket
    clock: Clock


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Iterator[Look]:
    clock = Clock(now=1000.0)
    monkeypatch.setattr(gathering, "time", clock)
    here, there = socket.socketpair()
    with GatheringSelector() as selector, here, there:
        selector.register(here, 1)
        there.send(b"x")
        assert selector.select(1.0)
        assert not clock.slept
        here.recv(1)
        yield Look(selector, there, clock)


def test_what_comes_soon_after_waits_for_more(look: Look) -> None:
    look.there.send(b"x")
    look.clock.now += MUCH / 2
    assert look.selector.select(1.0)
    assert look.clock.slept == [pytest.approx(GATHER - MUCH / 2)]


def test_what_comes_later_waits_for_nothing(look: Look) -> None:
    look.there.send(b"x")
    look.selector.select(0)
    look.clock.now += GATHER
    assert look.selector.select(1.0)
    assert not look.clock.slept


def test_where_there_is_much_to_do_nothing_is_waited_for(look: Look) -> None:
    look.there.send(b"x")
    look.clock.now += MUCH
    assert look.selector.select(1.0)
    assert not look.clock.slept


@pytest.mark.parametrize(("timeout", "slept"), [(0, []), (GATHER / 5, [GATHER / 5])])
def test_a_timer_is_not_late(look: Look, timeout: float, slept: list[float]) -> None:
    assert look.selector.select(timeout) == []
    assert look.clock.slept == slept


def test_a_loop_that_gathers_reads_what_is_sent() -> None:
    async def received() -> bytes:
        here, there = socket.socketpair()
        with there:
            reader, writer = await asyncio.open_connection(sock=here)
            there.sendall(b"one")
            first = await reader.readexactly(3)
            there.sendall(b"another")
            second = await reader.readexactly(7)
            writer.close()
            return first + second

    with asyncio.Runner(loop_factory=event_loop) as runner:
        assert runner.run(received()) == b"oneanother"
