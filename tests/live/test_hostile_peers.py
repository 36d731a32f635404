"""Whatever a sensor or a label source does, it is refused alone: the others go on, with the same
figures, and it is tried again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mailtap.live import answer
from mailtap.live.answer import Publisher
from mailtap.live.batches.sessions import SessionReader
from mailtap.live.core import inbox
from mailtap.live.core.inbox import Inbox
from mailtap.live.core.intake import SensorIntake, read_in_parts
from mailtap.live.sensors.frames import MAXIMUM_COMPLAINT
from mailtap.live.sensors.transport import Connection
from records import label, session
from running import append, running, until
from stand_in import StandIn, frame
from test_answers import JUDGEMENT


@asynccontextmanager
async def raw_server(answers: bytes) -> AsyncIterator[str]:
    """A server that sends these bytes to whoever asks anything, and its URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answers)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


REPLIES = [
    b"HTTP/1.1 301 Moved\r\nLocation: ws://[\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 301 Moved\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\n\r\n",
    b"HTTP/1.1 " + b"x" * 100_000,
    b"\x00\xff" * 5_000,
    b"",
]


@pytest.mark.parametrize("reply", REPLIES, ids=range(len(REPLIES)))
def test_a_sensor_that_answers_nonsense_is_refused_alone_and_tried_again(
    reply: bytes, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.jsonl"
    append(labels, [label(n) for n in range(1, 6)])

    async def scenario() -> None:
        async with (
            StandIn() as good,
            raw_server(reply) as bad,
            running([bad, good.url], [labels]) as mode,
        ):
            await good.connected()
            await good.send(frame(session(n)) for n in range(1, 6))
            state = await until(mode, lambda state: state.matched == 5)
            state = await until(mode, lambda state: state.sensors[0].error is not None)
            error = state.sensors[0].error or ""
            assert error.isprintable()
            assert len(error) <= 256
            assert state.sensors[1].connected

    asyncio.run(scenario())


def test_an_acknowledgement_that_is_nested_too_deep_is_none() -> None:
    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url]) as mode:
            zeek.acknowledgement = "[" * 200_000
            state = await until(mode, lambda state: bool(state.sensors[0].error))
            assert state.sensors[0].error == "the subscription was not acknowledged"
            zeek.acknowledgement = zeek.ACKNOWLEDGEMENT
            await until(mode, lambda state: state.sensors[0].connected)

    asyncio.run(scenario())


def test_a_complaint_has_a_bounded_length() -> None:
    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url]) as mode:
            await zeek.connected()
            text = json.dumps({"type": "error", "code": "c" * 1_000_000, "context": "x" * 1_000})
            await zeek.send([text, frame(session(1))])
            state = await until(mode, lambda state: state.sessions == 1)
            assert len(state.sensors[0].error or "") <= MAXIMUM_COMPLAINT

    asyncio.run(scenario())


LABEL_LINES = [
    b"a,b\rc,d\ne,f\n",
    b'"' + b"x" * 200_000 + b'",src_ip\n',
    b"," * 5_000 + b"\n",
    b"[" * 200_000 + b"\n",
    b"\xff\xfe\x00\n",
]


@pytest.mark.parametrize("lines", LABEL_LINES, ids=range(len(LABEL_LINES)))
def test_a_label_file_of_nonsense_is_refused_alone(lines: bytes, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.csv"
    append(good, [label(n) for n in range(1, 6)])
    bad.write_bytes(lines)

    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url], [bad, good]) as mode:
            await zeek.connected()
            await zeek.send(frame(session(n)) for n in range(1, 6))
            state = await until(mode, lambda state: state.matched == 5)
            state = await until(mode, lambda state: bool(state.label_sources[0].error))
            assert state.label_sources[1].error is None

    asyncio.run(scenario())


def test_an_item_that_can_not_be_read_costs_only_itself() -> None:
    def read(items: list[int]) -> list[int]:
        if 13 in items or 77 in items:
            raise RecursionError
        return items

    parts = read_in_parts(read, list(range(100)))
    assert [n for _, part in parts for n in part or ()] == [
        n for n in range(100) if n not in (13, 77)
    ]
    assert [list(items) for items, part in parts if part is None] == [[13], [77]]


def test_many_names_of_nodes_take_time_in_proportion() -> None:
    read = SessionReader()

    def seconds(nodes: int) -> float:
        batch = read([json.dumps(session(1, node=f"node-{n}")) for n in range(nodes)])
        begun = time.process_time()
        SensorIntake("ws://zeek", one_of_several=False).take(batch, 0.0, 0.0)
        return time.process_time() - begun

    assert seconds(8_000) < 40 * max(seconds(400), 0.005)


def test_two_sensors_with_one_name_of_a_node_are_two(tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    append(labels, [label(1)])
    client, server = session(1, direction="c2s"), session(1, uid="S1", direction="s2c")

    async def scenario() -> None:
        async with (
            StandIn() as north,
            StandIn() as south,
            running([north.url, south.url], [labels]) as mode,
        ):
            for zeek, half in ((north, client), (south, server)):
                await zeek.connected()
                await zeek.send([frame(half)])
            state = await until(mode, lambda state: (state.sessions, state.waiting) == (2, 0))
            assert state.matched == 1
            (agreement,) = state.by_sensor
            assert agreement.sensor == f"{north.url} zeek + {south.url} zeek"

    asyncio.run(scenario())


def test_a_sensor_gets_no_verdict_on_a_session_that_another_sent(tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    append(labels, [label(1), label(2)])

    async def scenario() -> None:
        async with (
            StandIn() as real,
            StandIn() as liar,
            running([real.url, liar.url], [labels], answer=True) as mode,
        ):
            await real.connected()
            await liar.connected()
            await liar.send([frame(session(9, node="w1"))])
            await until(mode, lambda state: state.sessions == 1)
            await real.send([frame(session(1, node="w1"))])
            await until(mode, lambda state: bool(state.answers and state.answers.sent == 1))
            await liar.send([frame(session(2, node="w1", seq=10))])
            await until(mode, lambda state: bool(state.answers and state.answers.sent == 2))
            assert [len(real.received), len(liar.received)] == [1, 1]
            body = json.loads(json.loads(real.received[0])["data"][2]["data"][1]["data"][0]["data"])
            assert (body["uid"], body["sensor"]) == ("C1", "w1")

    asyncio.run(scenario())


class Stuck:
    """A sensor that reads nothing."""

    def __init__(self) -> None:
        self.connection = Connection("ws://stuck")

    async def run(self, receive: object) -> None:
        raise NotImplementedError

    async def publish(self, *_: str) -> bool:
        await asyncio.Event().wait()
        return True


class Reading(Stuck):
    def __init__(self) -> None:
        self.connection = Connection("ws://reading")
        self.read: list[str] = []

    async def publish(self, _topic: str, _event: str, line: str) -> bool:
        self.read.append(line)
        return True


def test_a_sensor_that_stops_reading_keeps_no_answer_from_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answer, "MAXIMUM_QUEUED", 10)

    async def scenario() -> None:
        stuck, reading = Stuck(), Reading()
        publisher = Publisher(frozenset(), [stuck, reading], asyncio.get_running_loop())
        running = asyncio.ensure_future(publisher.run())
        for _ in range(50):
            judgement = JUDGEMENT | {"sources": ["ws://stuck", "ws://reading"]}
            publisher.put([judgement], 1)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        async with asyncio.timeout(30):
            while len(reading.read) < 50:
                await asyncio.sleep(0.01)
        assert publisher.state().withheld == 50 - 10 - 1
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())


def test_one_sensor_can_not_take_the_others_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MAXIMUM_BYTES", 4_000)
    box = Inbox(4)
    taken = [box.put_frame(0, b"x" * 100, 0.0) for _ in range(20)]
    assert taken == [True] * 10 + [False] * 10
    assert box.put_frame(1, b"x" * 100, 0.0)
    assert not box.is_full(0)
    box.take()
    assert box.put_frame(0, b"x" * 100, 0.0)


def test_a_batch_is_bounded_by_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "BATCH_BYTES", 1_000)
    box = Inbox(1)
    for _ in range(100):
        box.put_frame(0, b"x" * 100, 0.0)
    assert len(box.take().frames[0]) == 10


def test_the_numbers_that_many_nodes_remember_are_bounded_together() -> None:
    intake = SensorIntake("ws://zeek", one_of_several=False)
    read = SessionReader()
    for first in range(1, 2_000, 200):
        lines = [
            json.dumps(session(1, node=f"node-{n}", seq=number))
            for n in range(500)
            for number in (first, first + 1)
        ]
        assert intake.take(read(lines), 0.0, 0.0) is not None
    assert sum(len(one._seen) for one in intake.numberings()) <= 8 * 8_192
