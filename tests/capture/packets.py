"""Builds the packets of TCP sessions, layer by layer, and capture files of them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

FIN, SYN, RST, PUSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
ETHERNET = 1

CLIENT = ("192.0.2.1", 40001)
SERVER = ("198.51.100.2", 25)
CLIENT6 = ("2001:db8::1", 40001)
SERVER6 = ("2001:db8::2", 25)
Endpoint = tuple[str, int]


@dataclass(frozen=True)
class Packet:
    """A captured packet: seconds, bytes, and the length on the wire when some were cut."""

    time: float
    data: bytes
    wire_length: int | None = None

    def cut(self, length: int) -> Packet:
        """The packet as a snapshot length leaves it."""
        return Packet(self.time, self.data[:length], len(self.data))


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def tcp(
    source: Endpoint,
    destination: Endpoint,
    sequence: int,
    acknowledgement: int = 0,
    flags: int = ACK,
    payload: bytes = b"",
) -> bytes:
    """A TCP segment (RFC 9293) with its checksum."""
    addresses = ip_address(source[0]).packed + ip_address(destination[0]).packed

    def segment(check: int) -> bytes:
        header = struct.pack(
            ">HHIIBBHHH",
            source[1],
            destination[1],
            sequence % 2**32,
            acknowledgement % 2**32,
            5 << 4,
            flags,
            65535,
            check,
            0,
        )
        return header + payload

    pseudo_header = addresses + struct.pack(">HH", 6, 20 + len(payload))
    return segment(checksum(pseudo_header + segment(0)))


def ipv4(
    source: str,
    destination: str,
    payload: bytes,
    protocol: int = 6,
    *,
    identification: int = 0,
    fragment: int = 0,
) -> bytes:
    """An IPv4 packet (RFC 791); `fragment` is the field of flags and offset."""

    def header(check: int) -> bytes:
        return (
            struct.pack(
                ">BBHHHBBH",
                0x45,
                0,
                20 + len(payload),
                identification,
                fragment,
                64,
                protocol,
                check,
            )
            + ip_address(source).packed
            + ip_address(destination).packed
        )

    return header(checksum(header(0))) + payload


def ipv6(source: str, destination: str, payload: bytes, next_header: int = 6) -> bytes:
    """An IPv6 packet (RFC 8200)."""
    fixed = struct.pack(">IHBB", 6 << 28, len(payload), next_header, 64)
    return fixed + ip_address(source).packed + ip_address(destination).packed + payload


def ip(source: str, destination: str, payload: bytes) -> bytes:
    """An IP packet of the addresses' version."""
    build = ipv6 if ip_address(source).version == 6 else ipv4
    return build(source, destination, payload)


def ether_type(packet: bytes) -> int:
    """The EtherType of an IP packet."""
    return 0x0800 if packet[0] >> 4 == 4 else 0x86DD


def ethernet(payload: bytes, kind: int | None = None) -> bytes:
    """An Ethernet frame; without `kind` of an IP packet."""
    kind = ether_type(payload) if kind is None else kind
    return bytes.fromhex("020000000002 020000000001") + struct.pack(">H", kind) + payload


def udp(port: int, payload: bytes) -> bytes:
    """A UDP datagram to a port."""
    return struct.pack(">HHHH", 50000, port, 8 + len(payload), 0) + payload


@dataclass
class Conversation:
    """A TCP session being written down, packet by packet."""

    client: Endpoint = CLIENT
    server: Endpoint = SERVER
    client_isn: int = 1000
    server_isn: int = 5000
    start: float = 1_700_000_000.0
    step: float = 0.01

    def __post_init__(self) -> None:
        self.packets: list[Packet] = []
        self.time = self.start
        self._next = {self.client: self.client_isn, self.server: self.server_isn}

    def send(self, sender: Endpoint, flags: int, payload: bytes = b"", *, skip: int = 0) -> None:
        """One segment, after `skip` bytes that were lost before the tap."""
        receiver = self.server if sender == self.client else self.client
        self._next[sender] += skip
        acknowledgement = self._next[receiver] if flags & ACK else 0
        segment = tcp(sender, receiver, self._next[sender], acknowledgement, flags, payload)
        self.packets.append(Packet(self.time, ethernet(ip(sender[0], receiver[0], segment))))
        self._next[sender] += len(payload) + bool(flags & SYN) + bool(flags & FIN)
        self.time += self.step

    def handshake(self) -> Conversation:
        self.send(self.client, SYN)
        self.send(self.server, SYN | ACK)
        self.send(self.client, ACK)
        return self

    def say(self, client: bytes = b"", server: bytes = b"") -> Conversation:
        """One segment of the client's, then one of the server's; empty ones aren't sent."""
        if client:
            self.send(self.client, ACK | PUSH, client)
        if server:
            self.send(self.server, ACK | PUSH, server)
        return self

    def close(self) -> Conversation:
        self.send(self.client, FIN | ACK)
        self.send(self.server, FIN | ACK)
        self.send(self.client, ACK)
        return self

    def sides(self, sender: Endpoint) -> list[Packet]:
        """Only the packets of one side, as a tap on one of two ways sees them."""
        marker = ip_address(sender[0]).packed
        offset = 14 + (8 if len(marker) == 16 else 12)
        return [p for p in self.packets if p.data[offset : offset + len(marker)] == marker]


def mail_session(**changes: object) -> Conversation:
    """A whole SMTP session that delivers one message."""
    return (
        Conversation(**changes)  # type: ignore[arg-type]
        .handshake()
        .say(server=b"220 mx.example.net ESMTP\r\n")
        .say(b"EHLO client.example.org\r\n", b"250-mx.example.net\r\n250 PIPELINING\r\n")
        .say(b"MAIL FROM:<alice@example.org>\r\n", b"250 2.1.0 Ok\r\n")
        .say(b"RCPT TO:<bob@example.net>\r\n", b"250 2.1.5 Ok\r\n")
        .say(b"DATA\r\n", b"354 End data with <CR><LF>.<CR><LF>\r\n")
        .say(
            b"From: Alice <alice@example.org>\r\nTo: bob@example.net\r\nSubject: hello\r\n\r\n"
            b"The body.\r\n.\r\n",
            b"250 2.0.0 Ok: queued\r\n",
        )
        .say(b"QUIT\r\n", b"221 2.0.0 Bye\r\n")
        .close()
    )


def pcap(
    packets: list[Packet], link_type: int = ETHERNET, *, nanoseconds: bool = False, order: str = "<"
) -> bytes:
    """A capture file in libpcap's classic format."""
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    parts = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 262144, link_type)]
    unit = 10**9 if nanoseconds else 10**6
    for packet in packets:
        whole, fraction = divmod(round(packet.time * 10**6), 10**6)
        parts.append(
            struct.pack(
                f"{order}IIII",
                whole,
                fraction * unit // 10**6,
                len(packet.data),
                len(packet.data) if packet.wire_length is None else packet.wire_length,
            )
        )
        parts.append(packet.data)
    return b"".join(parts)


def pcapng(packets: list[Packet], link_type: int = ETHERNET) -> bytes:
    """A capture file in the pcapng format, with one interface."""

    def block(kind: int, body: bytes) -> bytes:
        body += b"\0" * (-len(body) % 4)
        length = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + length + body + length

    parts = [
        block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)),
        block(1, struct.pack("<HHI", link_type, 0, 262144)),
    ]
    for packet in packets:
        stamp = round(packet.time * 10**6)
        wire = len(packet.data) if packet.wire_length is None else packet.wire_length
        fixed = struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(packet.data), wire)
        parts.append(block(6, fixed + packet.data))
    return b"".join(parts)


def write(path: Path, content: bytes) -> Path:
    """Write a file and give its path."""
    path.write_bytes(content)
    return path
