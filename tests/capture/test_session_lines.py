"""Session lines are JSON that nothing in the traffic can break."""

from __future__ import annotations

import json

import communityid
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_runner import run
from mailtap._engine import Engine
from packets import CLIENT6, SERVER6, Conversation, mail_session


def session_with_hello(name: bytes) -> Conversation:
    return (
        Conversation()
        .handshake()
        .say(b"EHLO " + name + b"\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n")
    )


def raw_line(conversation: Conversation) -> bytes:
    engine = Engine()
    for packet in conversation.packets:
        engine.packet(packet.time, packet.data, len(packet.data))
    engine.finish()
    return engine.take()


@given(st.binary(min_size=1, max_size=60).filter(lambda name: not set(name) & set(b"\r\n")))
@settings(max_examples=300)
def test_a_line_is_one_line_of_printable_json(name: bytes) -> None:
    raw = raw_line(session_with_hello(name))
    assert raw.count(b"\n") == 1
    assert raw.endswith(b"}\n")
    text = raw[:-1].decode("utf-8")
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in text)
    assert json.loads(text)["mailfrom"] == ["a@b.example"]


def test_bytes_that_are_not_utf8_are_written_as_zeek_does() -> None:
    line = json.loads(raw_line(session_with_hello(b"m\xff\xc3\xa9\xed\xa0\x80.example")))
    assert line["helo"] == r"m\xffé\xed\xa0\x80.example"


@pytest.mark.parametrize("seed", [0, 1, 65535])
@pytest.mark.parametrize(
    ("client", "server"),
    [
        (("192.0.2.1", 40001), ("198.51.100.2", 25)),
        (("198.51.100.2", 25), ("192.0.2.1", 40001)),
        (("192.0.2.1", 9), ("192.0.2.1", 8)),
        (CLIENT6, SERVER6),
    ],
)
def test_community_ids_are_everybody_elses(
    client: tuple[str, int], server: tuple[str, int], seed: int
) -> None:
    [line] = run(mail_session(client=client, server=server).packets, community_id_seed=seed)
    expected = communityid.CommunityID(seed=seed).calc(
        communityid.FlowTuple.make_tcp(client[0], server[0], client[1], server[1])
    )
    assert line["community_id"] == expected


def test_unset_fields_are_absent_and_counts_are_there() -> None:
    [line] = run(Conversation().handshake().packets)
    assert line["stage"] == "connect"
    assert line["mailfrom_count"] == 0
    assert line["decode_as"] == "BASE"
    for field in ("service", "helo", "mailfrom", "subject", "tunnel", "empty_cause", "auth_result"):
        assert field not in line
