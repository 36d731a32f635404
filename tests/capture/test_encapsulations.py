"""A mail session is the same session whatever carries its packets."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from engine_runner import facts, run, run_counted
from packets import (
    CLIENT6,
    SERVER6,
    Packet,
    ether_type,
    ethernet,
    ipv4,
    ipv6,
    mail_session,
    udp,
)

Wrap = Callable[[bytes], bytes]

NULL, PPP, PPP_ETHER, RAW, RAW_BSD, LINKTYPE_RAW, LOOP = 0, 9, 51, 12, 14, 101, 108
COOKED, IPV4, IPV6, COOKED2 = 113, 228, 229, 276

LINKS: dict[str, tuple[int, Wrap]] = {
    "raw IP": (RAW, lambda packet: packet),
    "raw IP, OpenBSD's number": (RAW_BSD, lambda packet: packet),
    "raw IP, file number": (LINKTYPE_RAW, lambda packet: packet),
    "Linux cooked": (
        COOKED,
        lambda packet: struct.pack(">HHH8sH", 0, 1, 6, b"", ether_type(packet)) + packet,
    ),
    "Linux cooked, version 2": (
        COOKED2,
        lambda packet: struct.pack(">HHIHBB8s", ether_type(packet), 0, 1, 1, 0, 6, b"") + packet,
    ),
    "BSD loopback": (
        NULL,
        lambda packet: struct.pack("<I", 2 if packet[0] >> 4 == 4 else 30) + packet,
    ),
    "BSD loopback, the other byte order": (
        NULL,
        lambda packet: struct.pack(">I", 2 if packet[0] >> 4 == 4 else 24) + packet,
    ),
    "OpenBSD loopback": (
        LOOP,
        lambda packet: struct.pack(">I", 2 if packet[0] >> 4 == 4 else 24) + packet,
    ),
    "PPP": (PPP, lambda packet: b"\xff\x03" + ppp(packet)),
    "PPP, short header": (PPP, lambda packet: ppp(packet)[1:]),
    "PPPoE without Ethernet": (PPP_ETHER, lambda packet: pppoe(packet)),
}


def ppp(packet: bytes) -> bytes:
    return struct.pack(">H", 0x0021 if packet[0] >> 4 == 4 else 0x0057) + packet


def pppoe(packet: bytes) -> bytes:
    return struct.pack(">BBHH", 0x11, 0, 7, len(packet) + 2) + ppp(packet)


def tag(packet: bytes, inner: int | None = None) -> bytes:
    """A VLAN tag before a packet, or before another tag."""
    return struct.pack(">HH", 100, ether_type(packet) if inner is None else inner) + packet


def mpls(*labels: int) -> bytes:
    return b"".join(
        struct.pack(">I", label << 12 | (index == len(labels) - 1) << 8 | 64)
        for index, label in enumerate(labels)
    )


def outer(protocol: int, payload: bytes) -> bytes:
    return ethernet(ipv4("203.0.113.1", "203.0.113.2", payload, protocol))


FRAMES: dict[str, Wrap] = {
    "Ethernet": ethernet,
    "Ethernet with padding": lambda packet: ethernet(packet) + b"\0" * 26,
    "802.1Q": lambda packet: ethernet(tag(packet), 0x8100),
    "QinQ": lambda packet: ethernet(tag(tag(packet), 0x8100), 0x88A8),
    "QinQ, old number": lambda packet: ethernet(tag(tag(packet), 0x8100), 0x9100),
    "802.1ah": lambda packet: ethernet(struct.pack(">I", 99) + ethernet(packet), 0x88E7),
    "Cisco MetaData (TrustSec)": lambda packet: ethernet(
        bytes.fromhex("010100010002") + struct.pack(">H", ether_type(packet)) + packet, 0x8909
    ),
    "LLC and SNAP": lambda packet: ethernet(
        bytes.fromhex("aaaa03000000") + struct.pack(">H", ether_type(packet)) + packet,
        len(packet) + 8,
    ),
    "MPLS": lambda packet: ethernet(mpls(16, 17) + packet, 0x8847),
    "MPLS pseudowire": lambda packet: ethernet(mpls(16) + ethernet(packet), 0x8847),
    "MPLS pseudowire with a control word": lambda packet: ethernet(
        mpls(16) + b"\0\0\0\0" + ethernet(packet), 0x8847
    ),
    "PPPoE": lambda packet: ethernet(pppoe(packet), 0x8864),
    "IP in IPv4": lambda packet: outer(4 if packet[0] >> 4 == 4 else 41, packet),
    "IP in IPv6": lambda packet: ethernet(
        ipv6("2001:db8::a", "2001:db8::b", packet, 4 if packet[0] >> 4 == 4 else 41)
    ),
    "GRE": lambda packet: outer(47, struct.pack(">HH", 0, ether_type(packet)) + packet),
    "GRE with checksum, key and number": lambda packet: outer(
        47, struct.pack(">HHIII", 0xB000, ether_type(packet), 0, 1, 2) + packet
    ),
    "GRE with Ethernet": lambda packet: outer(47, struct.pack(">HH", 0, 0x6558) + ethernet(packet)),
    "GRE with PPP": lambda packet: outer(
        47, struct.pack(">HHHHII", 0x3081, 0x880B, len(packet), 1, 1, 1) + ppp(packet)
    ),
    "ERSPAN I": lambda packet: outer(47, struct.pack(">HH", 0, 0x88BE) + ethernet(packet)),
    "ERSPAN II": lambda packet: outer(
        47, struct.pack(">HHIQ", 0x1000, 0x88BE, 1, 0x1000_0000_0000_0000) + ethernet(packet)
    ),
    "ERSPAN III": lambda packet: outer(
        47, struct.pack(">HHI12s", 0x1000, 0x22EB, 1, b"\x20") + ethernet(packet)
    ),
    "EoIP": lambda packet: outer(
        47, struct.pack(">HHHH", 0x2001, 0x6400, len(packet) + 14, 1) + ethernet(packet)
    ),
    "VXLAN": lambda packet: outer(
        17, udp(4789, struct.pack(">II", 0x08000000, 42 << 8) + ethernet(packet))
    ),
    "Geneve": lambda packet: outer(
        17, udp(6081, struct.pack(">BBHI4s", 1, 0, 0x6558, 42 << 8, b"") + ethernet(packet))
    ),
    "GTP-U": lambda packet: outer(
        17, udp(2152, struct.pack(">BBHI", 0x30, 255, len(packet), 1) + packet)
    ),
    "GTP-U with an extension header": lambda packet: outer(
        17,
        udp(
            2152,
            struct.pack(">BBHIHBB4s", 0x34, 255, len(packet), 1, 0, 0, 0x85, b"\x01\0\0\0")
            + packet,
        ),
    ),
    "tunnels in tunnels": lambda packet: outer(
        47,
        struct.pack(">HH", 0, 0x0800)
        + ipv4("203.0.113.3", "203.0.113.4", ipv4("203.0.113.5", "203.0.113.6", packet, 4), 4)
        if packet[0] >> 4 == 4
        else struct.pack(">HH", 0, 0x86DD) + packet,
    ),
}

VERSIONS = {
    "IPv4": mail_session(),
    "IPv6": mail_session(client=CLIENT6, server=SERVER6),
}


def rewrapped(version: str, wrap: Wrap) -> list[Packet]:
    """The session's packets with another link layer instead of Ethernet."""
    return [Packet(p.time, wrap(p.data[14:])) for p in VERSIONS[version].packets]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_of_any_kind_carries_the_session(name: str, version: str) -> None:
    [line] = run(rewrapped(version, FRAMES[name]))
    assert line["mailfrom"] == ["alice@example.org"]
    assert [line] == run(VERSIONS[version].packets)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", LINKS)
def test_a_link_of_any_type_carries_the_session(name: str, version: str) -> None:
    link_type, wrap = LINKS[name]
    [line] = run(rewrapped(version, wrap), link_type)
    assert [line] == run(VERSIONS[version].packets)


@pytest.mark.parametrize(("link_type", "version"), [(IPV4, "IPv4"), (IPV6, "IPv6")])
def test_link_types_of_one_version(link_type: int, version: str) -> None:
    assert len(run(rewrapped(version, lambda packet: packet), link_type)) == 1


EXTENSIONS = {
    "hop-by-hop": (0, b"\x06\x00" + b"\x01\x04\0\0\0\0"),
    "routing": (43, b"\x06\x02" + b"\0" * 22),
    "destination options": (60, b"\x06\x00" + b"\x01\x04\0\0\0\0"),
    "authentication": (51, b"\x06\x04" + b"\0" * 22),
    "fragment that is the whole": (44, b"\x06\0\0\0\0\0\0\x01"),
    "several": (
        0,
        b"\x2b\x00\x01\x04\0\0\0\0" + b"\x3c\x00\0\0\0\0\0\0" + b"\x06\x00\x01\x04\0\0\0\0",
    ),
}


@pytest.mark.parametrize("name", EXTENSIONS)
def test_ipv6_extension_headers_are_passed(name: str) -> None:
    number, header = EXTENSIONS[name]

    def extended(packet: bytes) -> bytes:
        return ethernet(ipv6(CLIENT6[0], SERVER6[0], header + packet[40:], number))

    packets = [Packet(p.time, extended(p.data[14:])) for p in VERSIONS["IPv6"].sides(CLIENT6)]
    [line] = run(packets)
    assert line["mailfrom"] == ["alice@example.org"]
    assert line["direction"] == "c2s"


def test_an_ip_length_of_zero_means_all_there_is() -> None:
    """Packets captured before the network card cut them (TSO) say so."""

    def zero_length(packet: bytes) -> bytes:
        return ethernet(packet[:2] + b"\0\0" + packet[4:])

    assert run(rewrapped("IPv4", zero_length)) == run(VERSIONS["IPv4"].packets)


def test_endless_nesting_is_given_up() -> None:
    packet = b"\x45"
    for _ in range(100):
        packet = ipv4("203.0.113.1", "203.0.113.2", packet, 4)
    lines, counts = run_counted([Packet(0.0, ethernet(packet))])
    assert lines == []
    assert counts["malformed"] == 1


def test_packets_without_tcp_are_counted_by_what_they_are() -> None:
    packets = [
        Packet(0.0, ethernet(b"\0\x01", 0x0806)),
        Packet(0.0, ethernet(ipv4("192.0.2.1", "192.0.2.2", udp(53, b"x"), 17))),
        Packet(0.0, ethernet(ipv4("192.0.2.1", "192.0.2.2", b"short"))),
        Packet(0.0, b"\0"),
    ]
    _, counts = run_counted(packets)
    assert counts["packets"] == 4
    assert counts["not_ip"] == 1
    assert counts["not_tcp"] == 1
    assert counts["malformed"] == 2


def test_cut_packets_leave_gaps() -> None:
    """With a snapshot length of 80 the rest of each segment is known to be missing."""
    packets = [packet.cut(80) for packet in VERSIONS["IPv4"].packets]
    [whole] = run(VERSIONS["IPv4"].packets)
    [line] = run(packets)
    assert line["service"] == "smtp"
    assert line["client_bytes"] == whole["client_bytes"]
    assert line["server_bytes"] == whole["server_bytes"]
    captured = sum(max(0, len(p.data) - 54) for p in packets)
    assert line["gap_bytes"] == line["client_bytes"] + line["server_bytes"] - captured
    assert facts(line) != facts(whole)
