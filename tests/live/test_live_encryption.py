"""The figures of TLS in live mode: those of a report over the same sessions, in bounded memory."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtap.live.batches.sessions import SESSIONS, SessionReader
from mailtap.live.core import encryption
from mailtap.live.core.database import Database
from mailtap.live.core.encryption import LOOK, Encryption
from mailtap.report.tls import report_tls
from mailtap.report.tls_model import Tls
from mailtap.sessions.vocabulary import FINDINGS, STAGES, STARTTLS_STEPS
from records import session
from running import running, until
from stand_in import StandIn, frame

HOUR = 1_700_002_800.0
READ = SessionReader()


def counted(records: list[dict[str, Any]], batch: int = 7, redact: tuple[str, ...] = ()) -> Tls:
    """What live mode shows of the records, which come in batches."""
    live = Encryption(redact)
    for first in range(0, len(records), batch):
        live.add(READ([json.dumps(one) for one in records[first : first + batch]]).fields)
    live.count(live.take(), 0.0)
    live.close()
    assert live.figures is not None
    return live.figures


def reported(records: list[dict[str, Any]]) -> Tls:
    """What a report says of them."""
    engine = Database()
    fields = READ([json.dumps(one) for one in records]).fields.table(SESSIONS)
    engine.take_in(fields, "CREATE TEMP TABLE whole_sessions AS SELECT * FROM incoming")
    made = report_tls(engine, ())
    engine.close()
    return made


RECORDS = st.fixed_dictionaries(
    {
        "ts": st.sampled_from([HOUR + 600 * n for n in range(100)]),
        "client_h": st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
        "server_h": st.sampled_from(["192.0.2.25", "192.0.2.26"]),
        "service": st.sampled_from(["smtp", "imap", None]),
        "starttls": st.sampled_from([*STARTTLS_STEPS, None]),
        "direction": st.sampled_from(["bidirectional", "s2c", "c2s"]),
        "stage": st.sampled_from([*STAGES, None]),
        "findings": st.none() | st.lists(st.sampled_from(FINDINGS), unique=True),
        "implicit_tls": st.booleans(),
        "tls_version": st.sampled_from(["TLSv12", "TLSv13", None]),
        "sni": st.sampled_from(["mx.example", None]),
        "cert_subject": st.sampled_from(["CN=mx", "CN=other", None]),
        "cert_issuer": st.sampled_from(["CN=ca", None]),
        "cert_not_after": st.sampled_from([HOUR + 9_000, None]),
    }
)


@settings(max_examples=8)
@given(several=st.lists(RECORDS, min_size=1, max_size=150), batch=st.integers(5, 150))
def test_the_figures_are_those_of_a_report(several: list[dict[str, Any]], batch: int) -> None:
    records = [session(n, **fields) for n, fields in enumerate(several)]
    assert counted(records, batch) == reported(records)


def stripped(hour: int, clients: int = 20) -> list[dict[str, Any]]:
    """A day of sessions with one server that offers TLS, but for one hour."""
    return [
        session(
            100 * n + one,
            ts=HOUR + 3600 * n + one,
            client_h=f"10.0.0.{one}",
            starttls="none" if n == hour else "tls",
        )
        for n in range(24)
        for one in range(clients)
    ]


def test_an_offer_that_vanished_is_a_finding_of_its_server() -> None:
    (found,) = counted(stripped(hour=20)).findings
    assert (found.server, found.findings) == ("192.0.2.25", {"starttls_vanished": 20})


def test_hours_go_as_others_come() -> None:
    old = [session(1, ts=HOUR - 3600, findings=["smuggled"])]
    assert counted([*old, *stripped(hour=30)]).findings == ()
    assert counted([*old, *stripped(hour=30)[:-20]]).findings != ()


def test_many_clients_and_servers_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption, "MAXIMUM_ROWS", 1_000)
    live = Encryption(())
    for batch in range(5):
        records = [
            session(
                n,
                client_h=f"10.{batch}.{n // 250}.{n % 250}",
                server_h=f"192.0.{n // 250}.{n % 250}",
                starttls="tls",
                sni=f"{batch}-{n}.example",
                cert_subject="x" * 3_000,
            )
            for n in range(2_000)
        ]
        flagged = [session(1, server_h="198.51.100.7", findings=["smuggled"])]
        live.add(READ([json.dumps(one) for one in [*records, *flagged]]).fields)
        live.count(live.take(), batch * LOOK)
        assert live.rows <= 1_000
    assert live.figures is not None
    servers = live.figures.starttls
    assert sum(one.sessions for one in servers) == 5 * 2_001
    assert servers[0].server is None  # the others, together
    (found,) = live.figures.findings
    assert (found.server, found.findings) == ("198.51.100.7", {"smuggled": 5})
    live.close()


def test_what_is_redacted_is_not_shown() -> None:
    records = [session(1, sni="mx.example", cert_subject="CN=mx", findings=["smuggled"])]
    shown = repr(counted(records, redact=("server_h", "sni", "cert_subject", "uid")))
    assert not any(text in shown for text in ("192.0.2.25", "mx.example", "CN=mx", "C1"))


def test_the_figures_are_shown_as_sessions_come() -> None:
    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url]) as mode:
            await zeek.connected()
            await zeek.send([frame(session(1, findings=["smuggled"], starttls="offered"))])
            state = await until(mode, lambda state: state.tls is not None)
            assert state.tls is not None
            (found,) = state.tls.findings
            assert (found.findings, found.example) == ({"smuggled": 1}, "C1")

    asyncio.run(scenario())
