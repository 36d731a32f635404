"""TCP sessions in recorded packets: segments, each side's bytes in order, and packets made anew."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from ipaddress import ip_address

FIN, SYN, RST, PUSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
CLIENT, SERVER = "client", "server"
MAC = bytes.fromhex("020000000001")


@dataclass(frozen=True)
class Segment:
    """A TCP segment; `sequence` counts from the side's SYN, which has number 0."""

    time: float
    side: str
    sequence: int
    flags: int
    payload: bytes = b""

    @property
    def start(self) -> int:
        """Where the payload lies in the side's stream of bytes."""
        return self.sequence - 1

    @property
    def end(self) -> int:
        """Where the payload ends in the side's stream of bytes."""
        return self.start + len(self.payload)


@dataclass(frozen=True)
class TcpSession:
    """All segments between two ports, in the order of their recording."""

    client: tuple[str, int]
    server: tuple[str, int]
    segments: tuple[Segment, ...]

    @cached_property
    def streams(self) -> dict[str, bytes]:
        """Each side's bytes, in order and each once.

        Raises:
            ValueError: bytes are missing, so the recording isn't whole.
        """
        return {side: _in_order(self.segments, side) for side in (CLIENT, SERVER)}

    @property
    def closed(self) -> bool:
        """Whether both sides have ended it, or one has reset it."""
        ended = {segment.side for segment in self.segments if segment.flags & FIN}
        return len(ended) == 2 or any(segment.flags & RST for segment in self.segments)

    def frames(self) -> list[tuple[float, bytes]]:
        """The session as Ethernet frames with times."""
        acknowledged = {CLIENT: 0, SERVER: 0}
        frames = []
        for segment in self.segments:
            peer = SERVER if segment.side == CLIENT else CLIENT
            frames.append((segment.time, _frame(self, segment, acknowledged[peer])))
            taken = segment.sequence + len(segment.payload)
            taken += bool(segment.flags & SYN) + bool(segment.flags & FIN)
            acknowledged[segment.side] = max(acknowledged[segment.side], taken)
        return frames


def _in_order(segments: Iterable[Segment], side: str) -> bytes:
    stream = bytearray()
    for segment in sorted((s for s in segments if s.side == side), key=lambda s: s.sequence):
        if not segment.payload:
            continue
        if segment.start > len(stream):
            raise ValueError(f"bytes from {len(stream)} to {segment.start} weren't recorded")
        stream += segment.payload[len(stream) - segment.start :]
    return bytes(stream)


def _checksum(data: bytes) -> int:
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


# The first sequence numbers of both sides: any will do, but near 2**32 they wrap.
FIRST = {CLIENT: 0x10000000, SERVER: 0x20000000}


def _frame(session: TcpSession, segment: Segment, acknowledged: int) -> bytes:
    by_client = segment.side == CLIENT
    source, target = (
        (session.client, session.server) if by_client else (session.server, session.client)
    )
    sequence = (FIRST[segment.side] + segment.sequence) % 2**32
    peer = SERVER if by_client else CLIENT
    acknowledgement = (FIRST[peer] + acknowledged) % 2**32 if segment.flags & ACK else 0
    addresses = ip_address(source[0]).packed + ip_address(target[0]).packed

    def tcp(check: int) -> bytes:
        ports = (source[1], target[1])
        rest = (5 << 4, segment.flags, 65535, check, 0)
        return struct.pack(">HHIIBBHHH", *ports, sequence, acknowledgement, *rest) + segment.payload

    length = 20 + len(segment.payload)
    payload = tcp(_checksum(addresses + struct.pack(">HH", 6, length) + tcp(0)))
    if len(addresses) == 32:
        header = struct.pack(">IHBB", 6 << 28, length, 6, 64) + addresses
        return MAC + MAC + b"\x86\xdd" + header + payload

    def ipv4(check: int) -> bytes:
        fixed = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64, 6, check)
        return fixed + addresses

    return MAC + MAC + b"\x08\x00" + ipv4(_checksum(ipv4(0))) + payload


@dataclass(frozen=True)
class _Raw:
    time: float
    source: tuple[str, int]
    target: tuple[str, int]
    sequence: int
    flags: int
    payload: bytes


def _parse(time: float, frame: bytes) -> _Raw | None:
    kind = frame[12:14]
    if kind == b"\x08\x00":
        header = (frame[14] & 0x0F) * 4
        protocol, length = frame[23], struct.unpack_from(">H", frame, 16)[0]
        packed = frame[26:30], frame[30:34]
        tcp = frame[14 + header : 14 + length]
    elif kind == b"\x86\xdd":
        protocol, length = frame[20], struct.unpack_from(">H", frame, 18)[0]
        packed = frame[22:38], frame[38:54]
        tcp = frame[54 : 54 + length]
    else:
        return None
    if protocol != 6:
        return None
    source, target, sequence, _, offset, flags = struct.unpack_from(">HHIIBB", tcp)
    return _Raw(
        time,
        (str(ip_address(packed[0])), source),
        (str(ip_address(packed[1])), target),
        sequence,
        flags,
        tcp[(offset >> 4) * 4 :],
    )


def sessions(frames: Iterable[tuple[float, bytes]]) -> list[TcpSession]:
    """The TCP sessions in frames, by their start. Every session must begin with its SYN."""
    found: list[tuple[tuple[str, int], tuple[str, int], list[_Raw]]] = []
    latest: dict[frozenset[tuple[str, int]], int] = {}
    for time, frame in frames:
        raw = _parse(time, frame)
        if raw is None:
            continue
        ends = frozenset((raw.source, raw.target))
        if raw.flags & (SYN | ACK) == SYN:
            again = latest.get(ends)
            if again is None or found[again][2][0].sequence != raw.sequence:
                latest[ends] = len(found)
                found.append((raw.source, raw.target, []))
        if ends in latest:
            found[latest[ends]][2].append(raw)
    return [_session(client, server, raw) for client, server, raw in found]


def _session(client: tuple[str, int], server: tuple[str, int], raw: list[_Raw]) -> TcpSession:
    first: dict[str, int] = {}
    segments = []
    for packet in raw:
        side = CLIENT if packet.source == client else SERVER
        if side not in first:
            first[side] = packet.sequence
        sequence = (packet.sequence - first[side]) % 2**32
        if sequence >= 2**31:
            sequence -= 2**32
        segments.append(Segment(packet.time, side, sequence, packet.flags, packet.payload))
    return TcpSession(client, server, tuple(segments))


def resegmented(segments: Sequence[Segment], size: int) -> tuple[Segment, ...]:
    """The same bytes in segments of at most `size`."""
    small: list[Segment] = []
    for segment in segments:
        cuts = range(0, max(1, len(segment.payload)), size)
        for at in cuts:
            last = at + size >= len(segment.payload)
            flags = segment.flags if last else segment.flags & ~(FIN | PUSH)
            part = segment.payload[at : at + size]
            small.append(
                replace(segment, sequence=segment.sequence + at, flags=flags, payload=part)
            )
    return tuple(small)
