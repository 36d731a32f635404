"""Fragmented IP packets are put together, within bounds."""

from __future__ import annotations

import random
import struct

from hypothesis import given
from hypothesis import strategies as st

from engine_runner import facts, run, run_counted
from packets import CLIENT6, SERVER6, Packet, ethernet, ipv4, ipv6, mail_session


def fragmented(packet: Packet, size: int, identification: int) -> list[Packet]:
    """An Ethernet and IPv4 packet in fragments of `size` bytes (a multiple of 8)."""
    header, payload = packet.data[14:34], packet.data[34:]
    source, destination = (".".join(map(str, header[at : at + 4])) for at in (12, 16))
    pieces = []
    for begin in range(0, len(payload), size):
        more = 0x2000 if begin + size < len(payload) else 0
        piece = ipv4(
            source,
            destination,
            payload[begin : begin + size],
            identification=identification,
            fragment=more | begin // 8,
        )
        pieces.append(Packet(packet.time, ethernet(piece)))
    return pieces


@given(st.sampled_from([8, 16, 24, 40]), st.randoms(use_true_random=False))
def test_fragments_in_any_order_are_the_packet(size: int, order: random.Random) -> None:
    whole = mail_session().packets
    packets = []
    for number, packet in enumerate(whole):
        pieces = fragmented(packet, size, number + 1)
        order.shuffle(pieces)
        packets += pieces
    assert run(packets) == run(whole)


def test_fragments_of_ipv6() -> None:
    whole = mail_session(client=CLIENT6, server=SERVER6).sides(CLIENT6)
    packets = []
    for number, packet in enumerate(whole):
        payload = packet.data[54:]
        for begin in range(0, len(payload), 16):
            more = begin + 16 < len(payload)
            header = struct.pack(">BBHI", 6, 0, begin | more, number + 1)
            piece = ipv6(CLIENT6[0], SERVER6[0], header + payload[begin : begin + 16], 44)
            packets.append(Packet(packet.time, ethernet(piece)))
    assert run(packets) == run(whole)


def test_a_lost_fragment_loses_its_packet() -> None:
    whole = mail_session().packets
    index = next(i for i, p in enumerate(whole) if b"MAIL FROM" in p.data)
    [_, *pieces] = fragmented(whole[index], 24, 1)
    [line], counts = run_counted(whole[:index] + pieces + whole[index + 1 :])
    assert line["mailfrom_count"] == 0
    assert line["gap_bytes"] > 0
    assert counts["fragments"] == len(pieces)


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
    pieces = [piece for n, p in enumerate(whole) for piece in fragmented(p, 24, n + 1)]
    [line] = run(flood + pieces)
    assert facts(line) == facts(run(whole)[0])
