"""Logs of the laboratory's servers against captures of the same sessions: who is who.

Both are of one run of tests/lab; the logs have the times at which the lines were written.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import mailtap
from mailtap.truth import TruthLog, TruthSession
from mailtap.truth.evidence import TapSession
from mailtap.truth.match import match

LAB = Path(__file__).parent / "lab"

#: By server: the least share of the sessions that is found again when ports are taken from the log.
WITHOUT_PORTS = {"postfix": 0.85, "exim": 0.93, "dovecot": 1.0}


def logged(server: str) -> list[TruthSession]:
    return list(TruthLog([LAB / f"{server}.log.gz"], server))


def seen(server: str, folder: Path) -> list[TapSession]:
    lines = folder / "sessions.jsonl"
    with mailtap.analyze(LAB / f"{server}.pcap.gz") as found:
        found.write_sessions(lines)
    return [
        TapSession(
            start=one.ts,
            end=one.ts + (one.duration or 0),
            client_h=str(one.client_h),
            client_p=one.client_p or 0,
            server_h=str(one.server_h),
            server_p=one.server_p or 0,
            service=one.service,
            helo=one.helo,
            mailfrom=one.mailfrom or (),
            rcptto=one.rcptto or (),
            mailfrom_count=one.mailfrom_count,
            rcptto_count=one.rcptto_count,
            message_ids=(one.msg_id,) if one.msg_id else (),
            messages=one.messages,
            user=one.user_name,
            tls=one.starttls in ("requested", "accepted", "tls") or bool(one.implicit_tls),
        )
        for one in mailtap.sessions(lines)
    ]


@pytest.mark.parametrize("server", WITHOUT_PORTS)
def test_with_ports_every_session_is_found_and_without_none_is_mistaken(
    server: str, tmp_path: Path
) -> None:
    truth, tap = logged(server), seen(server, tmp_path)
    sure = {pair.truth: pair.tap for pair in match(truth, tap).matches}
    assert len(set(sure.values())) == len(tap)
    blind = match([replace(session, client_p=None) for session in truth], tap)
    found = {pair.truth: pair.tap for pair in blind.matches}
    assert {number: sure.get(number) for number in found} == found
    assert len(found) >= WITHOUT_PORTS[server] * len(sure)


def test_opensmtpd_logs_no_ports(tmp_path: Path) -> None:
    truth, tap = logged("opensmtpd"), seen("opensmtpd", tmp_path)
    found = match(truth, tap)
    assert (len(found.matches), len(found.ambiguous), len(found.unseen)) == (46, 2, 0)
    # The server writes them in the order in which they began, and so does the tap see them.
    pairs = sorted((truth[pair.truth].order, tap[pair.tap].start) for pair in found.matches)
    assert [start for _, start in pairs] == sorted(start for _, start in pairs)
