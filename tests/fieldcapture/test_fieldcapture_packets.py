"""What is in the file is what the truth says, packet by packet."""

from __future__ import annotations

import io
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from capture_reader import Packet, parse, read_pcap
from fieldcapture import (
    KINDS,
    Impairments,
    Makeup,
    Row,
    Side,
    View,
    build,
    draw_capture,
    random_makeup,
    views_of,
    write_capture,
)
from fieldcapture.capture import Capture
from fieldcapture.writer import write_pcap

FIN, SYN, RST = 1, 2, 4
VIEW_NAMES = {View.C2S: "c2s", View.S2C: "s2c", View.BOTH: "both"}
seeds = st.integers(min_value=0, max_value=2**31)


def packets_of(capture: Capture) -> list[Packet]:
    file = io.BytesIO()
    write_pcap(file, capture.frames)
    return [parse(time, frame) for time, frame in read_pcap(file.getvalue())]


def every_kind_and_view() -> Makeup:
    rows = [Row(kind, **{VIEW_NAMES[view]: 2}) for kind in KINDS for view in sorted(views_of(kind))]
    return Makeup(tuple(rows), ipv6=0.5)


def stream(packets: list[Packet]) -> bytes:
    """One side's bytes as a receiver would put them together; missing ones are left out."""
    data = [packet for packet in packets if packet.payload]
    if not data:
        return b""
    base = min(
        ((p.sequence + bool(p.flags & SYN)) for p in packets),
        key=lambda sequence: (sequence - data[0].sequence + 2**31) % 2**32,
    )
    octets: dict[int, int] = {}
    for packet in data:
        offset = (packet.sequence - base) % 2**32
        for index, octet in enumerate(packet.payload):
            assert octets.setdefault(offset + index, octet) == octet
    return bytes(octets[offset] for offset in sorted(octets))


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_checksums_hold_and_time_goes_forward(seed: int) -> None:
    packets = packets_of(draw_capture(random_makeup(seed, 20), seed))
    assert all(packet.checksums_hold for packet in packets)
    assert [packet.time for packet in packets] == sorted(packet.time for packet in packets)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    def written(name: str, seed: int) -> tuple[bytes, bytes]:
        pcap, truth = tmp_path / f"{name}.pcap", tmp_path / f"{name}.jsonl"
        write_capture(random_makeup(3), seed, pcap, truth)
        return pcap.read_bytes(), truth.read_bytes()

    assert written("one", 7) == written("other", 7)
    assert written("one", 7) != written("third", 8)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_the_truth_counts_the_packets(seed: int) -> None:
    makeup = random_makeup(seed, 20)
    capture = draw_capture(makeup, seed)
    assert len(capture.sessions) == makeup.sessions
    sent: dict[tuple[str, int], int] = defaultdict(int)
    for packet in packets_of(capture):
        sent[packet.source] += 1
    counted: dict[tuple[str, int], int] = defaultdict(int)
    for session in capture.sessions:
        for end, side in ((session.client, Side.CLIENT), (session.server, Side.SERVER)):
            if session.traffic.packets[side]:
                counted[(end.host, end.port)] += session.traffic.packets[side]
    assert sent == counted


def test_the_streams_are_the_talk() -> None:
    """Without impairments a session's packets carry exactly what its seen sides say."""
    for kind in KINDS:
        for view in sorted(views_of(kind)):
            row = Row(kind, **{VIEW_NAMES[view]: 1})
            capture = draw_capture(Makeup((row,)), 5)
            (session,) = capture.sessions
            packets = packets_of(capture)
            dialogue = build(kind, Random("5 0"))  # the stream of chance of the first session
            for side, end in ((Side.CLIENT, session.client), (Side.SERVER, session.server)):
                own = [packet for packet in packets if packet.source == (end.host, end.port)]
                said = b"".join(turn.data for turn in dialogue.turns if turn.side is side)
                assert stream(own) == (said if view.sees(side) else b""), (kind, view, side)
                assert session.traffic.payload_bytes[side] == len(stream(own))


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_repetition_and_reordering_change_no_stream(seed: int) -> None:
    rows = tuple(Row(kind, both=1) for kind in ("smtp_message", "pop3_retr", "imap_fetch_message"))
    disturbed = Impairments(reordering=1.0, retransmission=1.0, overlap=1.0, vlan=0.5)
    capture = draw_capture(Makeup(rows, disturbed), seed)
    packets = packets_of(capture)
    for session in capture.sessions:
        for side, end in ((Side.CLIENT, session.client), (Side.SERVER, session.server)):
            own = [packet for packet in packets if packet.source == (end.host, end.port)]
            assert len(stream(own)) == session.traffic.payload_bytes[side]
            assert sum(len(packet.payload) for packet in own) >= session.traffic.payload_bytes[side]


def test_reordering_and_repetition_happen() -> None:
    rows = (Row("smtp_message", c2s=50),)
    disturbed = Makeup(rows, Impairments(reordering=1.0, retransmission=1.0))
    packets = packets_of(draw_capture(disturbed, 1))
    seen: dict[tuple[str, int], list[int]] = defaultdict(list)
    for packet in packets:
        if packet.payload:
            seen[packet.source].append(packet.sequence)
    assert len(seen) == 50
    assert all(len(sequences) > len(set(sequences)) for sequences in seen.values())
    assert any(sequences != sorted(sequences) for sequences in seen.values())


def test_a_lost_segment_is_a_hole_of_the_size_told() -> None:
    rows = (Row("smtp_message", c2s=60),)
    whole = draw_capture(Makeup(rows), 1)
    holed = draw_capture(Makeup(rows, Impairments(loss=1.0)), 1)
    lost = [session.traffic.gap_bytes for session in holed.sessions]
    assert any(lost) and not any(session.traffic.gap_bytes for session in whole.sessions)
    packets = packets_of(holed)
    for session in holed.sessions:
        own = [p for p in packets if p.source == (session.client.host, session.client.port)]
        (start,) = [p.sequence + 1 for p in own if p.flags & SYN]
        (end,) = {p.sequence for p in own if p.flags & FIN}
        assert len(stream(own)) + session.traffic.gap_bytes == (end - start) % 2**32
        assert session.facts.messages == 1


def test_a_late_tap_sees_no_handshake() -> None:
    rows = tuple(Row(kind, both=5) for kind in ("smtp_message", "imap_select", "openvpn"))
    capture = draw_capture(Makeup(rows, Impairments(midstream=1.0)), 1)
    assert all(session.traffic.midstream for session in capture.sessions)
    assert not any(packet.flags & SYN for packet in packets_of(capture))


def test_ports_are_reused_only_after_a_close() -> None:
    rows = (Row("smtp_hello_only", c2s=400),)
    capture = draw_capture(Makeup(rows, Impairments(reused_tuple=1.0)), 1)
    ends = [(session.client, session.server) for session in capture.sessions]
    assert len(set(ends)) < len(ends)
    history: dict[tuple[str, int], list[Packet]] = defaultdict(list)
    for packet in packets_of(capture):
        if packet.flags & SYN and history[packet.source]:
            assert any(earlier.flags & (FIN | RST) for earlier in history[packet.source])
            history[packet.source].clear()
        history[packet.source].append(packet)


def test_sessions_overlap_in_time() -> None:
    capture = draw_capture(every_kind_and_view(), 1)
    order = [min(p.source, p.destination) for p in packets_of(capture)]
    changes = sum(one != other for one, other in pairwise(order))
    assert changes > 2 * len(capture.sessions)


def test_bulk_is_tls_after_an_upgrade() -> None:
    makeup = Makeup((Row("smtp_starttls", c2s=1), Row("smtp_message", c2s=1)), tls_bulk=30)
    sizes = {
        session.kind: session.traffic.payload_bytes for session in draw_capture(makeup, 1).sessions
    }
    assert sizes["smtp_starttls"][Side.CLIENT] > 30 * 1380
    assert sizes["smtp_message"][Side.CLIENT] < 30 * 1380
