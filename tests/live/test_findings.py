"""Findings of sessions are counted as they come, by kind."""

from __future__ import annotations

import asyncio

from mailtap.sessions.vocabulary import FINDINGS
from records import session
from running import running, until
from stand_in import StandIn, frame


def test_findings_are_counted_each_record_once() -> None:
    found = [["cleartext_login"], ["smuggled", "cleartext_login"], ["no such finding"], None]
    records = [session(n, findings=names) for n, names in enumerate(found, 1)]

    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url]) as mode:
            await zeek.connected()
            await zeek.send(map(frame, [*records, records[1]]))
            state = await until(mode, lambda state: state.sessions == len(records))
            assert set(state.findings) == set(FINDINGS)
            counted = {name: n for name, n in state.findings.items() if n}
            assert counted == {"cleartext_login": 2, "smuggled": 1}

    asyncio.run(scenario())
