"""Verdicts published to the sensors: what they say, how large and how many they are."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mailtap.correlation.verdicts import mask_of
from mailtap.live.answer import MAXIMUM_BYTES, MAXIMUM_RATE, MAXIMUM_TEXT, Publisher, message
from records import label, session
from running import append, running, until
from stand_in import StandIn, frame

JUDGEMENT: dict[str, Any] = {
    "ts": 1_700_000_001.0,
    "uid": "C1",
    "community_id": None,
    "sensor": "ws://zeek zeek",
    "node": "zeek",
    "sources": ["ws://zeek"],
    "client_h": "10.0.0.1",
    "client_p": 40_000,
    "server_h": "192.0.2.25",
    "server_p": 25,
    "service": "smtp",
    "app": "imap",
    "label_provenance": "payload",
    "decode_as": "MAIL",
    "verdict": "inconsistent",
    "cause": "conflict",
    "causes": mask_of(["conflict"]),
}


def test_a_verdict_reaches_the_sensor_whose_session_it_is_about(tmp_path: Path) -> None:
    async def scenario() -> None:
        labels = tmp_path / "labels.jsonl"
        append(labels, [label(1, app="imap")])
        async with (
            StandIn() as north,
            StandIn() as south,
            running([north.url, south.url], [labels], answer=True) as mode,
        ):
            for zeek in (north, south):
                await zeek.connected()
            await south.send([frame(session(9, node="south"))])
            await until(mode, lambda state: state.sessions == 1)
            await north.send([frame(session(1, node="north"))])
            state = await until(mode, lambda state: bool(state.answers and state.answers.sent))
            assert state.answers is not None
            assert (state.answers.sent, state.answers.withheld) == (1, 0)
            await asyncio.sleep(0.3)
            assert south.received == []
            (text,) = north.received
            said = json.loads(text)
            assert said["topic"] == "/mailtap/verdicts/"
            name, arguments = said["data"][2]["data"]
            assert name == {"@data-type": "string", "data": "MailTap::mail_verdict"}
            body = json.loads(arguments["data"][0]["data"])
            assert body["uid"] == "C1"
            assert (body["app"], body["decode_as"]) == ("imap", "MAIL")
            assert (body["verdict"], body["cause"]) == ("inconsistent", "conflict")

    asyncio.run(scenario())


def test_nothing_is_published_unless_it_is_asked_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        labels = tmp_path / "labels.jsonl"
        append(labels, [label(1)])
        async with StandIn() as zeek, running([zeek.url], [labels]) as mode:
            await zeek.connected()
            await zeek.send([frame(session(1))])
            state = await until(mode, lambda state: state.matched == 1)
            assert state.answers is None
            assert zeek.received == []

    asyncio.run(scenario())


def test_what_is_not_known_or_not_let_out_is_left_out() -> None:
    body = json.loads(message(JUDGEMENT, {"client_h"}) or "")
    assert "community_id" not in body
    assert "client_h" not in body
    assert body["v"] == 1
    assert body["wrong"] == "label"
    assert body["evidence"] == (
        "the decoder read commands or replies of another protocol; the label rests on: payload"
    )


def test_what_has_no_verdict_is_not_published() -> None:
    assert message(JUDGEMENT | {"verdict": "ambiguous"}, ()) is None
    assert message(JUDGEMENT | {"verdict": None}, ()) is None


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("uid", "app", "node"), st.text())))
def test_no_message_is_larger_than_zeek_takes_or_has_control_characters(
    texts: dict[str, str],
) -> None:
    text = message(JUDGEMENT | texts, ())
    assert text is not None
    assert len(text.encode()) <= MAXIMUM_BYTES
    assert text.isprintable()
    assert all(
        len(value.encode()) <= MAXIMUM_TEXT
        for value in json.loads(text).values()
        if isinstance(value, str)
    )


def test_so_many_go_a_second_and_the_others_are_counted() -> None:
    async def scenario() -> None:
        publisher = Publisher(frozenset(), [], asyncio.get_running_loop())
        room = publisher.room(100.0)
        assert room == MAXIMUM_RATE
        publisher.put([JUDGEMENT] * room, room + 500)
        assert publisher.room(100.0) == 0
        assert publisher.room(100.5) == MAXIMUM_RATE // 2
        assert publisher.state().withheld == 500

    asyncio.run(scenario())
