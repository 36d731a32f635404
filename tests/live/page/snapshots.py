"""Snapshots as live mode makes them, by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from mailtap.accuracy.funnel import funnel
from mailtap.live.state import (
    AnswerState,
    Delay,
    Gap,
    LabelSourceState,
    NodeState,
    Record,
    Search,
    SensorState,
    Snapshot,
    StoreState,
)
from mailtap.report.model import (
    Agreement,
    Base,
    BaseCause,
    BothDecoded,
    EngineAgreement,
    Example,
    MatrixCell,
    SensorAgreement,
    WindowAgreement,
)
from mailtap.report.statistics import rate
from mailtap.report.tls_model import Certificates, ServerFindings, ServerStartTls, Tls

NOW = 1_800_000_000.0
EVIL = "</script><img src=x onerror=\"document.title='owned'\">\x1b]0;owned\x07\u202e"


def disagreement(number: int, cause: str = "oneway", app: str = "smtp") -> Example:
    return Example(
        verdict="inconsistent",
        cause=cause,
        causes=(cause, "midstream"),
        ts=NOW - number,
        uid=f"CHhAvVGS1DHFjwGM{number}",
        community_id=f"1:LQU9qZlK+B5F3KDmev6m5PMibr{number}=",
        sensor="north-worker-1",
        client=f"198.51.100.{number % 250}:40000",
        server="2001:db8::25:25",
        direction="c2s",
        decode_as="BASE",
        stage="envelope",
        client_pkts=9,
        client_bytes=1_700,
        server_pkts=0,
        server_bytes=0,
        last_reply="250 2.1.5 Ok",
        app=app,
        provenance="payload",
    )


def node(name: str, lost: int = 0) -> NodeState:
    return NodeState(name, received=52_000, lost=lost, duplicates=2, restarts=1, latest=NOW - 0.5)


def sensor(url: str, connected: bool = True, lost: int = 0) -> SensorState:
    return SensorState(
        url=url,
        connected=connected,
        since=NOW - 3_600,
        error=None if connected else "[Errno 111] Connect call failed",
        connections=2,
        received=104_000,
        rate=1_804.2 if connected else 0.0,
        lag=0.41 if connected else None,
        lost=lost,
        duplicates=4,
        restarts=2,
        malformed=0,
        discarded=0,
        nodes=(node("worker-1", lost), node("worker-2")),
        gaps=(Gap("worker-1", NOW - 1_200, NOW - 1_190, lost),) if lost else (),
    )


def usual() -> Snapshot:
    """The field's figures, an hour after the start."""
    consistent, compatible, inconsistent, unexplained = 58_298, 12, 41_690, 1_204
    matched = consistent + compatible + inconsistent
    causes = {
        "label_port_guess": 0,
        "oneway": 21_000,
        "starttls": 9_486,
        "carrier": 3_000,
        "not_mail": 7_000,
        "unexplained": unexplained,
    }
    return Snapshot(
        at=NOW,
        since=NOW - 3_600,
        window=60.0,
        sessions=104_000,
        labels=103_110,
        matched=matched,
        ambiguous=11,
        out_of_scope=900,
        waiting=2_100,
        unlabelled=989,
        unmatched=1_010,
        findings={"command_injected": 2, "cleartext_login": 310},
        tls=Tls(
            starttls=(ServerStartTls("192.0.2.25", 25, 900, 800, 700, 3, 97, 60, (0.5, 0.7)),),
            versions={"TLSv13": 500, "TLSv12": 200},
            certificates=Certificates(200, 3, 9, 1),
            findings=(
                ServerFindings("192.0.2.25", 25, {"cleartext_login": 310}, "C1"),
                ServerFindings("192.0.2.25", 587, {"command_injected": 2}, "C2"),
            ),
        ),
        consistent=rate(consistent, matched),
        compatible=rate(compatible, matched),
        inconsistent=rate(inconsistent, matched),
        unexplained=rate(unexplained, matched),
        both_decoded=BothDecoded(
            matched,
            0,
            0,
            rate(consistent, matched),
            rate(compatible, matched),
            rate(inconsistent, matched),
            rate(unexplained, matched),
        ),
        funnel=tuple(
            funnel(
                [
                    ("effective", "oneway", 21_000),
                    ("recognised", "starttls", 9_486),
                    ("addresses", None, 60_000),
                ]
            )
        ),
        base=Base(100_000, 21_000, (BaseCause("oneway", 21_000, "look", "Look at the mirror."),)),
        actions=(),
        causes=causes,
        matrix=(
            MatrixCell("smtp", "payload", "MAIL", 50_000),
            MatrixCell("smtp", "payload", "BASE", 38_000),
            MatrixCell("imap", "payload", "MAIL", 8_298),
            MatrixCell("pop3.ssl", "payload", "SSL", 12),
            MatrixCell("http.imap", "payload", "HTTP", 3_690),
        ),
        by_sensor=(
            SensorAgreement("worker-1", Agreement(50_000, 30_000, 6, 19_994)),
            SensorAgreement("worker-2", Agreement(50_000, 28_298, 6, 21_696)),
        ),
        by_engine=(
            EngineAgreement("ndpid", Agreement(60_000, 51_000, 12, 8_988)),
            EngineAgreement("nfstream", Agreement(40_000, 10_000, 0, 30_000)),
        ),
        timeline=tuple(
            WindowAgreement(
                NOW - 3_600 + 60 * n, 60.0, Agreement(1_600 + 7 * n, 900 + 5 * n, 20, 680 + 2 * n)
            )
            for n in range(60)
        ),
        disagreements=tuple(
            disagreement(n, cause) for n, cause in enumerate(("oneway", "starttls", "carrier") * 8)
        ),
        delay=Delay(0.052, 0.181),
        sensors=(
            sensor("ws://198.51.100.7:27759"),
            sensor("wss://south.example:27759", connected=False, lost=37),
        ),
        label_sources=(
            LabelSourceState(
                name="/var/log/ndpi/flows.json",
                connected=True,
                since=NOW - 3_600,
                error=None,
                format="ndpi",
                received=103_110,
                other=14,
                malformed=3,
                rate=1_795.0,
            ),
        ),
        store=StoreState("/var/lib/mailtap/verdicts.duckdb", 100_000, None, 0),
        answers=AnswerState(41_690, 0),
    )


def beginning() -> Snapshot:
    """Before anything came."""
    nothing = rate(0, 0)
    return replace(
        usual(),
        sessions=0,
        labels=0,
        matched=0,
        ambiguous=0,
        out_of_scope=0,
        waiting=0,
        unlabelled=0,
        unmatched=0,
        consistent=nothing,
        compatible=nothing,
        inconsistent=nothing,
        unexplained=nothing,
        both_decoded=BothDecoded(0, 0, 0, nothing, nothing, nothing, nothing),
        funnel=(),
        base=None,
        actions=(),
        causes=dict.fromkeys(usual().causes, 0),
        matrix=(),
        by_sensor=(),
        by_engine=(),
        timeline=(),
        disagreements=(),
        delay=None,
        sensors=(
            replace(
                sensor("ws://127.0.0.1:27759", connected=False),
                since=None,
                nodes=(),
                received=0,
                connections=0,
            ),
        ),
        label_sources=(),
        store=None,
        answers=None,
    )


def hostile() -> Snapshot:
    """Names and texts as an attacker would choose them."""
    attacked = replace(
        sensor("ws://198.51.100.7:27759", connected=False, lost=5),
        error=EVIL,
        nodes=(node(EVIL, lost=5), node("\udcff")),
        gaps=(Gap(EVIL, NOW - 9, NOW - 8, 5),),
    )
    return replace(
        usual(),
        matrix=(MatrixCell(EVIL, EVIL, EVIL, 3), MatrixCell("smtp", "payload", "MAIL", 1)),
        by_sensor=(
            SensorAgreement(EVIL, Agreement(3, 1, 1, 1)),
            SensorAgreement(None, Agreement(1, 1, 0, 0)),
        ),
        disagreements=(
            replace(
                disagreement(1, app=EVIL),
                sensor=EVIL,
                uid=EVIL,
                community_id=None,
                client=None,
                server=EVIL,
                decode_as=EVIL,
                ts=1e300,
            ),
        ),
        sensors=(attacked,),
        label_sources=(replace(usual().label_sources[0], name=EVIL, error=EVIL, format=EVIL),),
        store=StoreState("/var/lib/mailtap/verdicts.duckdb", 1, EVIL, 2),
    )


class Live:
    """Shows what it is given."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._changed = asyncio.Event()

    def snapshot(self) -> Snapshot:
        return self._snapshot

    def show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._changed.set()

    async def subscribe(self) -> AsyncIterator[Snapshot]:
        while True:
            yield self._snapshot
            await self._changed.wait()
            self._changed.clear()

    async def stored(self, what: str, search: Search, most: int) -> list[Record] | None:
        if self._snapshot.store is None:
            return None
        return [{"what": what, "address": search.address, "most": most}]
