"""Logs of the laboratory's servers against captures of their cables: who is who.

Both are of one run of `make lab`, which judges all of its sessions in the same way.
"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

import mailtap
from lab.own_logs import SERVERS, Found, found, known, seen
from mailtap.truth import TruthLog, TruthSession
from mailtap.truth.evidence import TapSession
from mailtap.truth.match import match

LAB = Path(__file__).parent / "lab"

#: By server: sessions in its log, and those of them that were TLS from the first byte, in which
#: nobody but the server sees mail. Counted by the laboratory's clients.
SESSIONS = {"postfix": (95, 3), "exim": (93, 3), "dovecot": (129, 4), "opensmtpd": (48, 0)}


def files(server: str) -> tuple[Path, Path]:
    return LAB / f"{server}.log.gz", LAB / f"{server}.pcap.gz"


@cache
def sessions(server: str) -> tuple[list[TruthSession], list[TapSession]]:
    log, capture = files(server)
    return list(TruthLog([log], server)), seen(capture)


@pytest.mark.parametrize("server", SERVERS)
def test_every_session_is_found_with_ports_and_without_and_none_is_mistaken(server: str) -> None:
    every, _ = SESSIONS[server]
    ports = None if server == "opensmtpd" else every
    assert found(*sessions(server)) == Found(server, every, ports, every, mistaken=0)


@pytest.mark.parametrize("server", SERVERS)
def test_where_the_mirror_loses_sessions_the_others_are_still_found(server: str) -> None:
    truth, tap = sessions(server)
    right = known(truth, tap)
    blind = [replace(session, client_p=None) for session in truth]
    there = there_and_found = mistaken = 0
    for seed in range(3):
        generator = random.Random(seed)
        kept = [number for number in range(len(tap)) if generator.random() > 0.05]
        pairs = {one.truth: kept[one.tap] for one in match(blind, [tap[n] for n in kept]).matches}
        there += len(set(right.values()) & set(kept))
        there_and_found += len(pairs)
        mistaken += sum(right[logged] != on_tap for logged, on_tap in pairs.items())
    assert mistaken == 0
    assert there_and_found >= 0.97 * there


@pytest.mark.parametrize("server", SERVERS)
def test_the_decoders_sensitivity_is_the_share_that_the_clients_did_not_encrypt(
    server: str,
) -> None:
    log, capture = files(server)
    with mailtap.analyze(capture, truth=[log]) as report:
        document = report.to_dict()
    every, encrypted = SESSIONS[server]
    logs = document["accuracy"]["server_logs"]
    assert (logs["sessions"], logs["matched"], logs["unseen"]) == (every, every, 0)
    assert (logs["unrecognised"], logs["other_protocol"]) == (encrypted, 0)
    of_mail = next(
        rater
        for rater in document["accuracy"]["raters"]
        if (rater["rater"], rater["of"], rater["direction"]) == ("mailtap", "mail", None)
    )
    assert of_mail["sensitivity"]["n"] == every
    assert of_mail["sensitivity"]["share"] == pytest.approx((every - encrypted) / every)
    assert of_mail["ppv"]["share"] == 1.0


def test_the_log_decides_who_is_wrong_about_a_session(tmp_path: Path) -> None:
    log, capture = files("opensmtpd")
    rows = (
        f"{one.client_h},{one.client_p},{one.server_h},{one.server_p},{one.start},imap,payload\n"
        for one in sessions("opensmtpd")[1]
    )
    labels, listed = tmp_path / "labels.csv", tmp_path / "sessions.jsonl"
    labels.write_text("src_ip,src_port,dst_ip,dst_port,start,app,provenance\n" + "".join(rows))
    with mailtap.analyze(capture, labels=[labels], truth=[log]) as report:
        report.write_sessions(listed)
        (example, *_) = report.figures.examples
    lines = [json.loads(line) for line in listed.read_text().splitlines()]
    judged = [line for line in lines if line["cause"] == "conflict"]
    assert len(judged) > 20
    assert {line["wrong"] for line in judged} == {"label"}
    assert all(
        "; the server's log says: smtp; the label rests on: payload" in line["evidence"]
        for line in judged
    )
    assert "the server's log says: smtp" in example.evidence
