"""Whatever is in the strings of records, it harms no page, terminal or metric."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import duckdb
import pytest

from mailtap.live.page.metrics import exposition
from mailtap.records.fields import sanitise
from records import label, session
from running import append, running, until
from stand_in import StandIn, frame

HOSTILE = "a\x00\x07\x1b[2J\x1b]0;x\x07\x9b\r\n\u202e\u2028\ufeff<b>'\"\\"
SESSION_TEXTS = (
    "uid",
    "community_id",
    "service",
    "direction",
    "starttls",
    "tunnel",
    "decode_as",
    "empty_cause",
    "stage",
    "user_agent",
    "subject",
    "node",
)
LABEL_TEXTS = ("app", "provenance")


@pytest.mark.parametrize("name", [*SESSION_TEXTS, *LABEL_TEXTS])
def test_control_characters_in_a_string_stay_behind(name: str, tmp_path: Path) -> None:
    labels, store = tmp_path / "labels.jsonl", tmp_path / "live.duckdb"
    of_session = {name: HOSTILE} if name in SESSION_TEXTS else {}
    of_label = {name: HOSTILE} if name in LABEL_TEXTS else {}
    append(labels, [label(1), label(2, **of_label)])

    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url], [labels], store) as mode:
            await zeek.connected()
            await zeek.send([frame(session(1)), frame(session(2, **of_session))])
            state = await until(mode, lambda state: state.sessions == 2 and state.waiting == 0)
            assert (state.sensors[0].malformed, state.sensors[0].lost) == (0, 0)
            shown = json.dumps(asdict(state), ensure_ascii=False, default=str)
            assert shown.isprintable()
            metrics = exposition(state).decode()
            assert metrics.replace("\n", "").isprintable()

    asyncio.run(scenario())
    with duckdb.connect(str(store), read_only=True) as database:
        for table in ("sessions", "labels", "judgements", "tally", "nodes"):
            for row in database.execute(f"SELECT * FROM {table}").fetchall():
                texts = [value for value in row if isinstance(value, str)]
                assert texts == list(map(sanitise, texts)), table


@pytest.mark.parametrize("name", ["id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "ts"])
def test_a_session_whose_flow_is_no_flow_is_malformed(name: str) -> None:
    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url]) as mode:
            await zeek.connected()
            await zeek.send([frame(session(1)), frame(session(2, **{name: HOSTILE}))])
            await zeek.send([frame(session(3))])
            state = await until(mode, lambda state: state.sessions == 2)
            assert (state.sensors[0].malformed, state.sensors[0].lost) == (1, 0)

    asyncio.run(scenario())
