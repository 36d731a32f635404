"""A reader of what the generator wrote, small and independent of the code that wrote it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address


@dataclass(frozen=True)
class Packet:
    time: int  # microseconds
    vlan: int | None
    source: tuple[str, int]
    destination: tuple[str, int]
    sequence: int
    flags: int
    payload: bytes
    checksums_hold: bool


def folded_sum(data: bytes) -> int:
    """RFC 1071, word by word."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def read_pcap(data: bytes) -> Iterator[tuple[int, bytes]]:
    magic, _, _, _, _, _, link = struct.unpack_from("<IHHiIII", data)
    assert (magic, link) == (0xA1B2C3D4, 1)
    offset = 24
    while offset < len(data):
        seconds, microseconds, captured, original = struct.unpack_from("<IIII", data, offset)
        assert captured == original
        yield seconds * 1_000_000 + microseconds, data[offset + 16 : offset + 16 + captured]
        offset += 16 + captured


def parse(time: int, frame: bytes) -> Packet:
    (ether_type,) = struct.unpack_from("!H", frame, 12)
    vlan, offset = None, 14
    if ether_type == 0x8100:
        vlan, ether_type = struct.unpack_from("!HH", frame, 14)
        offset = 18
    network_holds = True
    if ether_type == 0x0800:
        header = frame[offset : offset + 20]
        network_holds = folded_sum(header) == 0xFFFF
        (total,) = struct.unpack_from("!H", header, 2)
        addresses, segment = header[12:20], frame[offset + 20 : offset + total]
        pseudo_header = addresses + struct.pack("!HH", 6, len(segment))
    else:
        assert ether_type == 0x86DD
        (length,) = struct.unpack_from("!H", frame, offset + 4)
        addresses = frame[offset + 8 : offset + 40]
        segment = frame[offset + 40 : offset + 40 + length]
        pseudo_header = addresses + struct.pack("!II", length, 6)
    half = len(addresses) // 2
    source_port, destination_port, sequence, _, offset_and_flags = struct.unpack_from(
        "!HHIIH", segment
    )
    return Packet(
        time,
        vlan,
        (str(ip_address(addresses[:half])), source_port),
        (str(ip_address(addresses[half:])), destination_port),
        sequence,
        offset_and_flags & 0x3F,
        segment[(offset_and_flags >> 12) * 4 :],
        network_holds and folded_sum(pseudo_header + segment) == 0xFFFF,
    )
