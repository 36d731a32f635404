"""Where a session begins and ends, and who is who in it."""

from __future__ import annotations

import random

import pytest

from engine_runner import run, run_counted
from mailtap._engine import Engine
from packets import (
    ACK,
    CLIENT,
    FIN,
    PUSH,
    RST,
    SERVER,
    SYN,
    Conversation,
    Packet,
    ethernet,
    ip,
    ipv4,
    mail_session,
    tcp,
)

START = 1_700_000_000.0


def later(packets: list[Packet], seconds: float) -> list[Packet]:
    """The same packets again, later."""
    return [Packet(packet.time + seconds, packet.data) for packet in packets]


def unrelated(count: int, start: float) -> list[Packet]:
    """Packets of other hosts, 10 ms apart, by which time goes on."""
    return [
        Packet(start + index / 100, ethernet(ipv4("203.0.113.7", "203.0.113.8", b"", 1)))
        for index in range(count)
    ]


@pytest.mark.parametrize(
    "client",
    ["192.0.2.1", "10.20.0.100", "203.0.113.255", "1.2.3.4", "2001:db8::1", "2001:db8::1:0:0:1"],
)
def test_addresses_are_written_as_elsewhere(client: str) -> None:
    server = "2001:db8::25" if ":" in client else "198.51.100.25"
    segment = tcp((client, 50000), (server, 25), 1, 0, SYN)
    packet = Packet(START, ethernet(ip(client, server, segment)))
    [line] = run([packet])
    assert (line["id.orig_h"], line["id.resp_h"]) == (client, server)


def test_times_and_traffic_of_a_session() -> None:
    conversation = mail_session()
    [line] = run(conversation.packets)
    assert line["ts"] == START
    assert line["duration"] == pytest.approx(0.01 * (len(conversation.packets) - 1), abs=1e-6)
    assert line["client_pkts"] == len(conversation.sides(CLIENT))
    assert line["server_pkts"] == len(conversation.sides(SERVER))
    assert line["direction"] == "bidirectional"
    assert line["midstream"] is False
    assert line["effective"] is True


@pytest.mark.parametrize(("sender", "direction"), [(CLIENT, "c2s"), (SERVER, "s2c")])
def test_one_side_alone_has_the_same_roles(sender: tuple[str, int], direction: str) -> None:
    [line] = run(mail_session().sides(sender))
    assert line["direction"] == direction
    assert (line["id.orig_h"], line["id.orig_p"]) == CLIENT
    assert (line["client_h"], line["client_p"]) == CLIENT
    assert line["service"] == "smtp"
    assert line["midstream"] is False


def test_without_a_handshake_the_likely_server_port_decides() -> None:
    conversation = Conversation()
    conversation.send(SERVER, ACK | PUSH, b"\x01\x02\x03")
    [line] = run(conversation.packets)
    assert (line["id.resp_h"], line["id.resp_p"]) == SERVER
    assert line["midstream"] is True


def test_without_handshake_or_likely_port_the_first_sender_is_the_originator() -> None:
    conversation = Conversation(server=("198.51.100.2", 41000))
    conversation.send(conversation.server, ACK | PUSH, b"\x01\x02\x03")
    [line] = run(conversation.packets)
    assert (line["id.orig_h"], line["id.orig_p"]) == conversation.server


def test_content_decides_the_mail_roles_against_the_handshake() -> None:
    """The mail server's side opened the connection, as through a reversed tunnel."""
    conversation = Conversation(client=("192.0.2.1", 40001), server=("198.51.100.2", 42000))
    conversation.handshake()
    conversation.send(conversation.client, ACK, b"220 mx.example.net ESMTP Postfix\r\n")
    conversation.send(conversation.server, ACK, b"EHLO a.example\r\n")
    conversation.send(conversation.client, ACK, b"250-mx.example.net\r\n250 PIPELINING\r\n")
    conversation.send(conversation.server, ACK, b"MAIL FROM:<a@b.example>\r\n")
    [line] = run(conversation.packets)
    assert (line["id.orig_h"], line["id.orig_p"]) == conversation.client
    assert (line["server_h"], line["server_p"]) == conversation.client
    assert line["service"] == "smtp"


@pytest.mark.parametrize("closing", [FIN | ACK, RST])
@pytest.mark.parametrize("isn", [1000, 77_000])
@pytest.mark.parametrize("gap", [0.5, 30.0, 300.0])
def test_a_syn_after_the_close_begins_another_session(closing: int, isn: int, gap: float) -> None:
    first = Conversation().handshake().say(b"EHLO a.example\r\n", b"250 mx\r\n")
    first.send(CLIENT, closing)
    first.send(SERVER, closing)
    second = mail_session(client_isn=isn, start=first.time + gap)
    lines = run(first.packets + second.packets)
    assert [line["mailfrom_count"] for line in lines] == [0, 1]


def test_a_one_way_session_is_closed_by_the_seen_sides_fin() -> None:
    first, second = mail_session(), mail_session(client_isn=70_000, start=START + 2)
    lines = run(first.sides(CLIENT) + second.sides(CLIENT))
    assert [line["mailfrom_count"] for line in lines] == [1, 1]


def test_a_server_only_session_is_renewed_by_its_syn_ack() -> None:
    first = Conversation().handshake().say(server=b"220 mx ESMTP\r\n")
    second = Conversation(client_isn=9, server_isn=70_000, start=START + 1).handshake()
    lines = run(first.sides(SERVER) + second.sides(SERVER))
    assert len(lines) == 2


def test_another_initial_number_begins_another_session_without_a_close() -> None:
    first = Conversation().handshake().say(b"EHLO a.example\r\n")
    second = mail_session(client_isn=70_000, start=START + 1)
    assert len(run(first.packets + second.packets)) == 2


def test_a_syn_sent_again_is_the_same_session() -> None:
    conversation = Conversation()
    conversation.send(CLIENT, SYN)
    again = later(conversation.packets, 3.0)
    rest = mail_session(start=START + 4)
    lines = run(conversation.packets + again + rest.packets)
    assert len(lines) == 1


def test_refused_attempts_with_one_number_are_one_session() -> None:
    conversation = Conversation()
    conversation.send(CLIENT, SYN)
    conversation.send(SERVER, RST | ACK)
    lines = run(conversation.packets + later(conversation.packets, 0.5))
    assert len(lines) == 1
    assert lines[0]["effective"] is False


def test_a_half_closed_session_goes_on() -> None:
    conversation = Conversation().handshake()
    conversation.send(CLIENT, FIN | ACK)
    for _ in range(20):
        conversation.time += 4
        conversation.say(server=b"250 still here\r\n")
    assert len(run(conversation.packets)) == 1


def test_late_packets_belong_to_the_closed_session() -> None:
    conversation = mail_session()
    conversation.time += 3
    conversation.send(SERVER, ACK)
    assert len(run(conversation.packets)) == 1
    conversation.time += 6
    conversation.send(SERVER, ACK)
    assert len(run(conversation.packets)) == 2


def test_quiet_for_more_than_five_minutes_ends_a_session() -> None:
    conversation = Conversation().handshake().say(b"EHLO a.example\r\n")
    conversation.time += 299
    conversation.say(b"NOOP\r\n")
    assert len(run(conversation.packets)) == 1
    conversation.time += 301
    conversation.say(b"NOOP\r\n")
    lines = run(conversation.packets)
    assert [line["midstream"] for line in lines] == [False, True]


def test_ended_sessions_are_given_out_and_forgotten() -> None:
    """Memory holds the open sessions only."""
    packets: list[Packet] = []
    for number in range(300):
        packets += mail_session(client=("192.0.2.1", 20_000 + number), start=START + number).packets
    _, counts = run_counted(packets)
    assert counts["sessions"] == 300

    engine = Engine()
    most = 0
    for packet in packets:
        engine.packet(packet.time, packet.data, len(packet.data))
        most = max(most, engine.statistics()["open_sessions"])
    assert most <= 7


@pytest.mark.parametrize("wrong", [2**32 - 1.0, 0.0])
@pytest.mark.parametrize("place", [1, 5, 12])
def test_a_wrong_stamp_neither_ends_nor_splits_a_session(wrong: float, place: int) -> None:
    packets = unrelated(20, START - 1) + mail_session().packets
    other = Conversation(client=("192.0.2.9", 50_000), start=START - 2).handshake().packets
    marked = packets.copy()
    marked[20 + place] = Packet(wrong, packets[20 + place].data)
    lines = run(other + marked)
    assert len(lines) == 2
    assert lines[-1]["mailfrom"] == ["alice@example.org"]
    assert max(line["duration"] for line in lines) < 10


def test_a_capture_that_goes_on_a_day_later_ends_what_was_open() -> None:
    first = Conversation().handshake().packets
    lines = run(first + unrelated(10, START + 100_000) + later(first, 100_001))
    assert len(lines) == 2


def test_numbering_and_identity() -> None:
    first, second = mail_session(), mail_session(client=("192.0.2.5", 50_000))
    lines = run(first.packets + second.packets)
    assert [line["seq"] for line in lines] == [1, 2]
    assert {line["node"] for line in lines} == {"embedded"}
    assert len({line["uid"] for line in lines}) == 2
    assert all(line["uid"].startswith("C") and line["uid"].isalnum() for line in lines)
    assert [line["uid"] for line in run(first.packets)] == [lines[0]["uid"]]


def test_thresholds_of_effective_sessions_are_options() -> None:
    packets = Conversation().handshake().say(b"12345").packets  # 4 packets, 5 bytes
    assert run(packets)[0]["effective"] is False
    assert run(packets, effective_bytes=4)[0]["effective"] is True
    assert run(packets, effective_bytes=4, effective_packets=4)[0]["effective"] is False


def test_checksums_count_when_asked_for() -> None:
    packets = mail_session().packets
    index = next(i for i, p in enumerate(packets) if b"MAIL FROM" in p.data)
    spoilt = bytearray(packets[index].data)
    spoilt[50] ^= 0xFF
    packets[index] = Packet(packets[index].time, bytes(spoilt))
    assert run(packets)[0]["mailfrom_count"] == 1
    [line], counts = run_counted(packets, verify_checksums=True)
    assert line["mailfrom_count"] == 0
    assert counts["bad_checksum"] == 1
    [line], counts = run_counted(mail_session().packets, verify_checksums=True)
    assert counts["bad_checksum"] == 0


def test_odd_ports_may_be_named_as_mail_ports() -> None:
    packets = mail_session(server=("198.51.100.2", 4025)).packets
    assert run(packets, smtp_ports=[4025])[0]["service"] == "smtp"


def test_junk_on_the_same_tuple_is_survived() -> None:
    """Random flags and numbers: lines come out, each with counts that add up."""
    source = random.Random(7)
    packets = []
    for number in range(3000):
        sender, receiver = (CLIENT, SERVER) if source.random() < 0.5 else (SERVER, CLIENT)
        data = tcp(
            sender,
            receiver,
            source.getrandbits(32),
            source.getrandbits(32),
            source.getrandbits(6),
            source.randbytes(source.randrange(20)),
        )
        packet = ethernet(ipv4(sender[0], receiver[0], data))
        packets.append(Packet(START + number / 1000, packet))
    lines, counts = run_counted(packets)
    assert counts["packets"] == 3000
    assert sum(line["client_pkts"] + line["server_pkts"] for line in lines) == 3000
    assert len(lines) == counts["sessions"] > 1


def test_a_port_that_the_user_adds_is_a_servers_where_the_beginning_was_not_seen() -> None:
    server = ("198.51.100.2", 2626)
    packets = mail_session(server=server).packets[3:]  # the server's greeting comes first
    [line] = run(packets, smtp_ports=[25, 2626])
    assert (line["id.resp_p"], line["server_p"]) == (2626, 2626)
