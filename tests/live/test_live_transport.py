"""Sensors over WebSocket: what survives, what is tried again, and what is lost."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from pathlib import Path

import pytest

from mailtap.live.sensors import websocket
from mailtap.live.sensors.transport import SensorError, Tls
from mailtap.live.sensors.url import transport
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


def test_several_sensors_are_several_though_their_nodes_have_the_same_name() -> None:
    async def scenario() -> None:
        async with (
            StandIn() as north,
            StandIn() as south,
            running([north.url, south.url]) as mode,
        ):
            for zeek in (north, south):
                await zeek.connected()
            await north.send(frame(session(n)) for n in range(1, 4))
            await south.send(frame(session(n, uid=f"S{n}")) for n in range(1, 6))
            state = await until(mode, lambda state: state.sessions == 8)
            assert [sensor.received for sensor in state.sensors] == [3, 5]
            assert [sensor.duplicates for sensor in state.sensors] == [0, 0]

    asyncio.run(scenario())


def test_frames_as_only_zeek_writes_them_survive() -> None:
    hostile = [
        b"\\v and \x01 and \xff\xfe in a text frame",
        "\x1b[31m\u202e\u2066[red]markup[/]".encode(),
        b"\\ud800 half of a pair",
    ]

    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url]) as mode:
            await zeek.connected()
            for number, text in enumerate(hostile, 1):
                inner = json.dumps(session(number, subject="@", user_agent="@"))
                escaped = json.dumps(inner).encode().replace(b"@", text)
                await zeek.send([frame("@").encode().replace(b'"@"', escaped)])
            await zeek.send([frame(session(len(hostile) + 1))])
            state = await until(mode, lambda state: state.sessions == len(hostile) + 1)
            assert state.sensors[0].malformed == 0

    asyncio.run(scenario())


def test_what_is_no_session_is_counted_and_passed_over() -> None:
    junk: list[str | bytes] = [
        "",
        "nonsense",
        "[]",
        "{}",
        "[" * 100_000,
        '{"topic":"/mailtap/sessions/","data":7}',
        frame("not JSON"),
        frame("[1]"),
        frame('{"uid":NaN}'),
        frame({"uid": "C1"}),
        frame({key: [] for key in session(1)}),
        b"\x00\xff",
    ]

    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url]) as mode:
            await zeek.connected()
            other = frame(session(1), topic="/mailtap/sessionsx")
            await zeek.send([*junk, other, frame(session(2))])
            state = await until(mode, lambda state: state.sessions == 1)
            assert state.sensors[0].malformed == len(junk)

    asyncio.run(scenario())


def test_an_event_of_ten_megabytes_is_one_malformed_record() -> None:
    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url]) as mode:
            await zeek.connected()
            await zeek.send(
                [frame(session(1)), frame(session(2, subject="x" * 10_000_000)), frame(session(3))]
            )
            state = await until(mode, lambda state: state.sessions == 2)
            assert state.sensors[0].malformed == 1
            assert state.sensors[0].connections == 1

    asyncio.run(scenario())


def test_an_error_of_the_sensor_is_shown_and_not_the_end() -> None:
    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url]) as mode:
            await zeek.connected()
            complaint = '{"type":"error","code":"deserialization_failed","context":"bad"}'
            await zeek.send([complaint, frame(session(1))])
            state = await until(mode, lambda state: state.sessions == 1)
            assert state.sensors[0].error == "deserialization_failed: bad"

    asyncio.run(scenario())


def test_a_sensor_that_is_killed_is_connected_to_again_and_its_restart_is_no_loss() -> None:
    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url]) as mode:
            await zeek.connected()
            await zeek.send(frame(session(n)) for n in range(1, 11))
            await until(mode, lambda state: state.sessions == 10)
            zeek.cut()
            await zeek.stop()
            state = await until(mode, lambda state: not state.sensors[0].connected)
            assert state.sensors[0].error
            await zeek.start()
            await zeek.connected()
            await zeek.send(frame(session(n, uid=f"D{n}")) for n in range(1, 6))
            state = await until(mode, lambda state: state.sessions == 15)
            (sensor,) = state.sensors
            assert (sensor.connections, sensor.restarts, sensor.lost) == (2, 1, 0)

    asyncio.run(scenario())


def test_what_was_sent_while_the_connection_was_gone_is_lost_and_counted_with_its_time() -> None:
    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url]) as mode:
            await zeek.connected()
            await zeek.send([frame(session(1)), frame(session(2))])
            await until(mode, lambda state: state.sessions == 2)
            zeek.cut()
            await until(mode, lambda state: state.sensors[0].connections == 2)
            await zeek.send([frame(session(10))])
            state = await until(mode, lambda state: state.sessions == 3)
            (sensor,) = state.sensors
            assert (sensor.lost, sensor.restarts) == (7, 0)
            (gap,) = sensor.gaps
            assert gap.missed == 7
            assert state.since <= gap.after <= gap.before <= state.at

    asyncio.run(scenario())


def test_a_half_open_connection_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sensor's machine is gone without a word: nothing answers, and nothing ends."""
    monkeypatch.setattr(websocket, "PING", 0.2)
    monkeypatch.setattr(websocket, "PONG", 0.3)

    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url]) as mode:
            await zeek.connected()
            await until(mode, lambda state: state.sensors[0].connected)
            zeek.fall_silent()
            state = await until(mode, lambda state: state.sensors[0].connections == 2)
            assert state.sensors[0].connected

    asyncio.run(scenario())


def test_a_sensor_that_does_not_acknowledge_is_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "ACKNOWLEDGE", 0.2)

    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url]) as mode:
            zeek.acknowledge = False
            state = await until(mode, lambda state: bool(state.sensors[0].error))
            assert state.sensors[0].error == "the subscription was not acknowledged"

    asyncio.run(scenario())


def test_a_sensor_that_refuses_has_an_error_and_is_tried_again() -> None:
    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url]) as mode:
            zeek.refuse = (1008, "Invalid application name")
            state = await until(mode, lambda state: bool(state.sensors[0].error))
            assert state.sensors[0].error == "closed by the sensor: 1008 Invalid application name"
            zeek.refuse = None
            await until(mode, lambda state: state.sensors[0].connected)

    asyncio.run(scenario())


def test_nobody_listening_is_tried_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def scenario() -> None:
        async with running([f"ws://127.0.0.1:{port}"]) as mode:
            await until(mode, lambda state: bool(state.sensors[0].error))
            async with StandIn(port):
                await until(mode, lambda state: state.sensors[0].connected)

    asyncio.run(scenario())


def test_pings_are_answered_while_the_correlator_is_busy(tmp_path: Path) -> None:
    async def scenario() -> None:
        labels = tmp_path / "labels.jsonl"
        append(labels, [label(n) for n in range(20_000)])
        async with StandIn() as zeek, running([zeek.url], [labels]) as mode:
            await zeek.connected()
            await zeek.send(frame(session(n)) for n in range(1, 20_000))
            begun = time.monotonic()
            slowest = await zeek.slowest_pong(until(mode, lambda state: state.matched == 19_999))
            # On a machine that is busy with other things everything takes longer.
            assert slowest < max(2.0, (time.monotonic() - begun) / 4)

    asyncio.run(scenario())


def test_tls_options_reach_the_connection(tmp_path: Path) -> None:
    nothing = tmp_path / "ca.pem"
    nothing.write_text("no certificate")
    with pytest.raises(SensorError, match="TLS"):
        transport("wss://127.0.0.1:1", Tls(ca=nothing))
    for url in ("http://x:1", "ws://x", "ws://:1", "ws://[::1:2", "broker://x"):
        with pytest.raises(SensorError):
            transport(url, Tls())
