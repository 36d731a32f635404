"""Sensors over WebSocket: what is subscribed to, what survives, and what is tried again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from mailtap.live.mode import LiveError
from records import label, session
from running import append, running, until
from stand_in import StandIn, frame


def test_a_session_and_its_label_give_a_verdict(tmp_path: Path) -> None:
    async def scenario() -> None:
        labels = tmp_path / "labels.jsonl"
        append(labels, [label(n) for n in range(1, 11)])
        async with StandIn() as zeek, running([zeek.url], [labels]) as mode:
            await zeek.connected()
            await zeek.send(frame(session(n)) for n in range(1, 11))
            state = await until(mode, lambda state: state.matched == 10)
            assert zeek.subscriptions == [["/mailtap/sessions/"]]
            assert (state.sessions, state.labels, state.waiting) == (10, 10, 0)
            assert state.consistent.n == 10
            (sensor,) = state.sensors
            assert (sensor.connected, sensor.received, sensor.lost) == (True, 10, 0)
            (source,) = state.label_sources
            assert (source.format, source.received) == ("jsonl", 10)

    asyncio.run(scenario())
