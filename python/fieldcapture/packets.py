"""Frames: Ethernet, 802.1Q, IPv4 and IPv6, TCP (RFC 791, 8200, 9293), with their checksums."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import ip_address

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
TCP_PROTOCOL = 6
WINDOW = 64240
HOP_LIMIT = 58


def residue(data: bytes) -> int:
    """The ones' complement sum of `data` as 16-bit words (RFC 1071): its value modulo 65,535."""
    value = int.from_bytes(data, "big") % 0xFFFF
    return value << 8 if len(data) % 2 else value


def checksum(total: int) -> int:
    return -total % 0xFFFF


class Payload:
    """Bytes whose sum is taken once, however often they are sent."""

    __slots__ = ("data", "residue")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.residue = residue(data)

    def __len__(self) -> int:
        return len(self.data)


NOTHING = Payload(b"")


@dataclass(frozen=True, slots=True)
class Address:
    """One end of a session, with the sequence number it starts from."""

    hardware: bytes
    host: str
    port: int
    initial_sequence: int


class Direction:
    """Builds the frames from `source` to `destination`; `vlan` is the 802.1Q VLAN id or None."""

    def __init__(self, source: Address, destination: Address, vlan: int | None) -> None:
        sender, receiver = ip_address(source.host), ip_address(destination.host)
        tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
        self._version = sender.version
        ether_type = 0x0800 if self._version == 4 else 0x86DD
        self._link = destination.hardware + source.hardware + tag + ether_type.to_bytes(2, "big")
        self._addresses = sender.packed + receiver.packed
        self._pseudo_header = (
            residue(self._addresses) + TCP_PROTOCOL + source.port + destination.port
        )
        self._ports = struct.pack("!HH", source.port, destination.port)
        self._source, self._destination = source, destination
        self._identification = source.initial_sequence & 0xFFFF

    def header(
        self, sequence: int, acknowledged: int, flags: int, payload: Payload, options: bytes = b""
    ) -> bytes:
        """The frame up to `payload`. Sequence numbers count from the SYN; both wrap around."""
        sequence = (sequence + self._source.initial_sequence) & 0xFFFFFFFF
        if flags & ACK:
            acknowledged = (acknowledged + self._destination.initial_sequence) & 0xFFFFFFFF
        length = 20 + len(options) + len(payload)
        offset_and_flags = (5 + len(options) // 4) << 12 | flags
        rest = struct.pack("!IIHH", sequence, acknowledged, offset_and_flags, WINDOW)
        total = self._pseudo_header + length + residue(rest) + residue(options) + payload.residue
        tcp = self._ports + rest + struct.pack("!HH", checksum(total), 0) + options
        return self._link + self._network(length) + tcp

    def _network(self, length: int) -> bytes:
        if self._version == 6:
            return struct.pack("!IHBB", 6 << 28, length, TCP_PROTOCOL, HOP_LIMIT) + self._addresses
        self._identification = (self._identification + 1) & 0xFFFF
        start = struct.pack(
            "!BBHHHBB", 0x45, 0, 20 + length, self._identification, 0x4000, HOP_LIMIT, TCP_PROTOCOL
        )
        total = residue(start) + residue(self._addresses)
        return start + checksum(total).to_bytes(2, "big") + self._addresses


def syn_options(maximum_segment: int) -> bytes:
    """Maximum segment size, window scale 7, SACK permitted (RFC 9293, 7323, 2018), padded."""
    return struct.pack("!BBHBBBBBBBB", 2, 4, maximum_segment, 1, 3, 3, 7, 1, 1, 4, 2)
