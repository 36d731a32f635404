"""`redact` of the policy holds in what live mode shows, stores and answers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import duckdb

from records import label, session
from running import append, running, until
from stand_in import StandIn, frame


def test_what_is_redacted_is_hidden_under_every_name(tmp_path: Path) -> None:
    labels, store, policy = (tmp_path / n for n in ("labels.jsonl", "live.duckdb", "policy.yaml"))
    append(labels, [label(1, app="imap")])
    policy.write_text("redact: [id.orig_h, node, app]\n")

    async def scenario() -> None:
        async with (
            StandIn() as zeek,
            running([zeek.url], [labels], store, policy, answer=True) as mode,
        ):
            await zeek.connected()
            await zeek.send([frame(session(1))])
            # The answer goes out before the next state shows what it is about.
            state = await until(mode, lambda state: bool(zeek.received and state.disagreements))
            (shown,) = state.disagreements
            assert (shown.sensor, shown.app) == ("***", "***")
            assert shown.client is not None and shown.client.startswith("***:")
            (text,) = zeek.received
            body = json.loads(json.loads(text)["data"][2]["data"][1]["data"][0]["data"])
            assert not body.keys() & {"client_h", "server_h"}
            assert (body["sensor"], body["app"]) == ("***", "***")  # Zeek wants them said
            await until(mode, lambda state: state.store is not None and state.store.stored > 0)

    asyncio.run(scenario())
    with duckdb.connect(str(store), read_only=True) as connection:
        stored = connection.execute("SELECT client_h, server_h, sensor FROM sessions").fetchall()
    assert stored == [(None, None, None)]
