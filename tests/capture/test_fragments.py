"""Fragmented IP packets are put together, within bounds."""

from __future__ import annotations

import random
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_runner import facts, run, run_counted
from packets import (
    CLIENT,
    CLIENT6,
    SERVER,
    SERVER6,
    Packet,
    ethernet,
    ipv4,
    ipv6,
    mail_session,
    tcp,
)


def fragmented(packet: Packet, size: int, identification: int) -> list[Packet]:
    """An Ethernet and IPv4 packet in fragments of `size` bytes (a multiple of 8)."""
    header, payload = packet.data[14:34], packet.data[34:]
    source, destination = (".".join(map(str, header[at : at + 4])) for at in (12, 16))
    fragments = []
    for begin in range(0, len(payload), size):
        more = 0x2000 if begin + size < len(payload) else 0
        fragment = ipv4(
            source,
            destination,
            payload[begin : begin + size],
            identification=identification,
            fragment=more | begin // 8,
        )
        fragments.append(Packet(packet.time, ethernet(fragment)))
    return fragments


@given(st.sampled_from([8, 16, 24, 40]), st.randoms(use_true_random=False))
def test_fragments_in_any_order_are_the_packet(size: int, order: random.Random) -> None:
    whole = mail_session().packets
    packets = []
    for number, packet in enumerate(whole):
        fragments = fragmented(packet, size, number + 1)
        order.shuffle(fragments)
        packets += fragments
    assert run(packets) == run(whole)


def test_fragments_of_ipv6() -> None:
    whole = mail_session(client=CLIENT6, server=SERVER6).sides(CLIENT6)
    packets = []
    for number, packet in enumerate(whole):
        payload = packet.data[54:]
        for begin in range(0, len(payload), 16):
            more = begin + 16 < len(payload)
            header = struct.pack(">BBHI", 6, 0, begin | more, number + 1)
            fragment = ipv6(CLIENT6[0], SERVER6[0], header + payload[begin : begin + 16], 44)
            packets.append(Packet(packet.time, ethernet(fragment)))
    assert run(packets) == run(whole)


def test_a_lost_fragment_loses_its_packet() -> None:
    whole = mail_session().packets
    index = next(i for i, p in enumerate(whole) if b"MAIL FROM" in p.data)
    [_, *fragments] = fragmented(whole[index], 24, 1)
    [line], counts = run_counted(whole[:index] + fragments + whole[index + 1 :])
    assert line["mailfrom_count"] == 0
    assert line["gap_bytes"] > 0
    assert counts["fragments"] == len(fragments)


def test_a_flood_of_first_fragments_does_not_stop_the_next_packet() -> None:
    flood = [
        Packet(
            1.0,
            ethernet(
                ipv4("192.0.2.1", "192.0.2.2", b"x" * 800, 6, identification=n, fragment=0x2000)
            ),
        )
        for n in range(5000)
    ]
    whole = mail_session().packets
    fragments = [fragment for n, p in enumerate(whole) for fragment in fragmented(p, 24, n + 1)]
    [line] = run(flood + fragments)
    assert facts(line) == facts(run(whole)[0])


def fragment(packet: Packet, begin: int, end: int | None, identification: int = 7) -> Packet:
    """The bytes from `begin` to `end` of an IPv4 packet's payload, as a fragment of its own."""
    payload = packet.data[34:]
    more = 0 if end is None else 0x2000
    fragment = ipv4(
        CLIENT[0],
        SERVER[0],
        payload[begin:end],
        identification=identification,
        fragment=more | begin // 8,
    )
    return Packet(packet.time, ethernet(fragment))


def lone_segment(client_port: int, server_port: int, time: float, payload: bytes) -> Packet:
    """A segment of a session of which nothing else was seen."""
    segment = tcp((CLIENT[0], client_port), (SERVER[0], server_port), 1000, payload=payload)
    return Packet(time, ethernet(ipv4(CLIENT[0], SERVER[0], segment)))


OLD_MAIL = b"EHLO old.example\r\nMAIL FROM:<old@a.example>\r\n"
NEW_MAIL = b"EHLO new.example\r\nMAIL FROM:<new@b.example>\r\n"


@pytest.mark.parametrize(("seconds_later", "sessions"), [(29, 1), (31, 0), (-31, 0)])
def test_a_fragment_waits_thirty_seconds_for_the_others(seconds_later: int, sessions: int) -> None:
    packet = lone_segment(40000, 25, 1000.0, OLD_MAIL)
    first, last = fragment(packet, 0, 24), fragment(packet, 24, None)
    lines = run([first, replace(last, time=first.time + seconds_later)])
    assert len(lines) == sessions


def test_what_is_left_of_an_old_packet_does_not_become_part_of_a_new_one() -> None:
    old = lone_segment(40000, 25, 1000.0, OLD_MAIL)
    new = lone_segment(50000, 80, 1200.0, NEW_MAIL)
    [line] = run([fragment(old, 24, None), fragment(new, 0, 24), fragment(new, 24, None)])
    assert (line["client_p"], line["server_p"], line["helo"]) == (50000, 80, "new.example")


def test_where_fragments_overlap_the_newest_counts() -> None:
    old = lone_segment(40000, 25, 1000.0, OLD_MAIL)
    new = lone_segment(40001, 25, 1001.0, NEW_MAIL)
    [line] = run([fragment(old, 0, 48), fragment(new, 0, 24), fragment(new, 24, None)])
    assert (line["client_p"], line["mailfrom"]) == (40001, ["new@b.example"])


def test_the_newest_last_fragment_says_how_long_the_packet_is() -> None:
    old = lone_segment(40000, 25, 1000.0, OLD_MAIL + b"RCPT TO:<bob@c.example>\r\n")
    new = lone_segment(40001, 25, 1001.0, NEW_MAIL)
    [line] = run([fragment(old, 48, None), fragment(new, 24, None), fragment(new, 0, 24)])
    assert (line["mailfrom"], line["rcptto_count"]) == (["new@b.example"], 0)
