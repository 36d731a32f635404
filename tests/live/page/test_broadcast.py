"""One stream of messages to several clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from mailtap.live.page import broadcast as module
from mailtap.live.page.broadcast import MAXIMUM_WAITING, Broadcast


def joined(broadcast: Broadcast, first: bytes = b"first") -> AsyncIterator[bytes]:
    client = broadcast.join(first)
    assert client is not None
    return client


def test_every_client_gets_the_first_message_and_all_later_ones() -> None:
    async def run() -> None:
        broadcast = Broadcast(2)
        clients = [joined(broadcast), joined(broadcast)]
        broadcast.send(b"second")
        for client in clients:
            assert [await anext(client), await anext(client)] == [b"first", b"second"]
        broadcast.close()
        for client in clients:
            assert [message async for message in client] == []

    asyncio.run(run())


def test_clients_beyond_the_limit_are_turned_away_until_one_leaves() -> None:
    async def run() -> None:
        broadcast = Broadcast(1)
        first = joined(broadcast)
        assert broadcast.join(b"") is None
        await anext(first)
        await first.aclose()  # type: ignore[attr-defined]
        assert broadcast.join(b"") is not None

    asyncio.run(run())


def test_a_client_that_reads_nothing_is_let_go_and_holds_up_nobody() -> None:
    async def run() -> None:
        broadcast = Broadcast(2)
        slow, quick = joined(broadcast), joined(broadcast)
        read = []
        for number in range(3 * MAXIMUM_WAITING):
            broadcast.send(str(number).encode())
            read.append(await anext(quick))
        assert len(broadcast) == 1
        assert [message async for message in slow] == []
        assert read[:2] == [b"first", b"0"]

    asyncio.run(run())


def test_silence_is_filled_with_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP_ALIVE_SECONDS", 0.01)

    async def run() -> None:
        client = joined(Broadcast(1))
        await anext(client)
        assert (await anext(client)).startswith(b":")

    asyncio.run(run())
