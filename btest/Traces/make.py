"""Writes the captures beside it: `PYTHONPATH=python python btest/Traces/make.py`.

Each conversation is a transcript: `C:` and `S:` lines are what client and server send, one segment
a line, with CRLF added; TLS stands for a ClientHello, a ServerHello and application data. `-client`
and `-server` captures are the same conversation as a tap sees it on one side only.

smtp-starttls-certificate has a handshake of OpenSSL's with a certificate made for it (trustme), so
it is written only where it is missing: the tests' baselines name the certificate.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import trustme

from fieldcapture.packets import ACK, FIN, NOTHING, PSH, SYN, Address, Direction, Payload
from fieldcapture.writer import write_pcap

START = 1_700_000_000_000_000  # microseconds since the epoch
STEP = 10_000
FOLDER = Path(__file__).parent

TLS = "TLS"
CLIENT_HELLO = (
    bytes.fromhex("160301002f0100002b0303") + bytes(32) + bytes.fromhex("000004c02b00ff0100")
)
SERVER_HELLO = bytes.fromhex("160303002a020000260303") + bytes(32) + bytes.fromhex("00c02b00")
APPLICATION_DATA = bytes.fromhex("1703030020") + bytes(range(32))


@dataclass(frozen=True)
class Packet:
    time: int
    client: bool
    sequence: int
    acknowledged: int
    flags: int
    payload: bytes = b""


def play(transcript: str | list[tuple[str, bytes]]) -> list[Packet]:
    """The packets of a whole connection."""
    said = spoken(transcript) if isinstance(transcript, str) else transcript
    sent = {"C": 1, "S": 1}
    packets = [
        Packet(0, True, 0, 0, SYN),
        Packet(STEP, False, 0, 1, SYN | ACK),
        Packet(2 * STEP, True, 1, 1, ACK),
    ]

    def send(who: str, flags: int, payload: bytes = b"") -> None:
        other = "S" if who == "C" else "C"
        time = packets[-1].time + STEP
        packets.append(Packet(time, who == "C", sent[who], sent[other], flags, payload))
        sent[who] += len(payload) + bool(flags & FIN)

    for who, data in said:
        send(who, ACK | PSH, data)
        send("S" if who == "C" else "C", ACK)
    for who, flags in (("C", FIN | ACK), ("S", FIN | ACK), ("C", ACK)):
        send(who, flags)
    return packets


def spoken(transcript: str) -> list[tuple[str, bytes]]:
    said: list[tuple[str, bytes]] = []
    for line in filter(None, map(str.strip, transcript.splitlines())):
        if line == TLS:
            said += [("C", CLIENT_HELLO), ("S", SERVER_HELLO), ("C", APPLICATION_DATA)]
        else:
            who, _, words = line.partition(":")
            said.append((who, words.removeprefix(" ").encode() + b"\r\n"))
    return said


def frames_of(
    packets: list[Packet], port: int, v6: bool = False, client_port: int = 50_000
) -> list[tuple[int, bytes, bytes]]:
    hosts = ("2001:db8::c", "2001:db8::5") if v6 else ("192.0.2.1", "198.51.100.2")
    client = Address(bytes.fromhex("020000000001"), hosts[0], client_port, 1_000)
    server = Address(bytes.fromhex("020000000002"), hosts[1], port, 2_000)
    ways = {True: Direction(client, server, None), False: Direction(server, client, None)}
    frames = []
    for packet in packets:
        payload = Payload(packet.payload) if packet.payload else NOTHING
        header = ways[packet.client].header(
            packet.sequence, packet.acknowledged, packet.flags, payload
        )
        frames.append((START + packet.time, header, packet.payload))
    return frames


def write(name: str, packets: list[Packet], port: int, v6: bool = False) -> None:
    write_frames(name, frames_of(packets, port, v6))


def write_frames(name: str, frames: list[tuple[int, bytes, bytes]]) -> None:
    with (FOLDER / f"{name}.pcap").open("wb") as file:
        write_pcap(file, frames)


def write_sessions(name: str, sessions: list[tuple[list[tuple[str, bytes]], int]]) -> None:
    """Conversations of one client with ports of one server, one after the other."""
    frames = []
    for index, (said, port) in enumerate(sessions):
        packets = play(said)
        later = [replace(packet, time=packet.time + index * 1_000_000) for packet in packets]
        frames += frames_of(later, port, client_port=50_000 + index)
    write_frames(name, frames)


def triplet(name: str, transcript: str, port: int) -> None:
    packets = play(transcript)
    write(name, packets, port)
    write(f"{name}-client", [packet for packet in packets if packet.client], port)
    write(f"{name}-server", [packet for packet in packets if not packet.client], port)


def client_only(transcript: str, keep: Callable[[Packet], bool] = lambda _: True) -> list[Packet]:
    return [packet for packet in play(transcript) if packet.client and keep(packet)]


SMTP = """
    S: 220 mx.example.org ESMTP
    C: EHLO client.example.net
    S: 250-mx.example.org
    S: 250 STARTTLS
    C: MAIL FROM:<alice@example.net>
    S: 250 2.1.0 Ok
    C: RCPT TO:<bob@example.org>
    S: 250 2.1.5 Ok
    C: DATA
    S: 354 End data with <CR><LF>.<CR><LF>
    C: From: Alice <alice@example.net>
    C: To: Bob <bob@example.org>
    C: Subject: Lunch
    C: Message-ID: <1@example.net>
    C:
    C: At noon?
    C: .
    S: 250 2.0.0 Ok: queued as 4XYZ
    C: QUIT
    S: 221 2.0.0 Bye
"""
SMTP_STARTTLS = """
    S: 220 mx.example.org ESMTP
    C: EHLO client.example.net
    S: 250-mx.example.org
    S: 250 STARTTLS
    C: STARTTLS
    S: 220 2.0.0 Ready to start TLS
    TLS
"""
POP3 = """
    S: +OK POP3 server ready
    C: CAPA
    S: +OK Capability list follows
    S: STLS
    S: .
    C: USER bob
    S: +OK
    C: PASS not-for-the-log
    S: +OK Logged in.
    C: RETR 1
    S: +OK 60 octets
    S: From: Alice <alice@example.net>
    S: To: bob@example.org
    S: Subject: Lunch
    S:
    S: At noon?
    S: .
    C: QUIT
    S: +OK Logging out.
"""
POP3_STLS = """
    S: +OK POP3 server ready
    C: STLS
    S: +OK Begin TLS negotiation now.
    TLS
"""
ENVELOPE = (
    '"Tue, 14 Nov 2023 22:13:20 +0000" "Lunch" (("Alice" NIL "alice" "example.net")) NIL NIL '
    '((NIL NIL "bob" "example.org")) NIL NIL NIL "<1@example.net>"'
)
IMAP = f"""
    S: * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] IMAP server ready
    C: a1 LOGIN bob not-for-the-log
    S: a1 OK Logged in
    C: a2 SELECT INBOX
    S: * 1 EXISTS
    S: a2 OK [READ-WRITE] Select completed
    C: a3 FETCH 1 (ENVELOPE)
    S: * 1 FETCH (ENVELOPE ({ENVELOPE}))
    S: a3 OK Fetch completed
    C: a4 LOGOUT
    S: * BYE Logging out
    S: a4 OK Logout completed
"""
IMAP_STARTTLS = """
    S: * OK [CAPABILITY IMAP4rev1 STARTTLS] IMAP server ready
    C: a1 STARTTLS
    S: a1 OK Begin TLS negotiation now
    TLS
"""
# A message and a login in literals (RFC 9051 4.3), the second one not waited for (RFC 7888).
IMAP_LITERALS = [
    ("S", b"* OK IMAP server ready\r\n"),
    ("C", b"a1 LOGIN {3}\r\n"),
    ("S", b"+ Ready\r\n"),
    ("C", b"bob {15+}\r\nnot-for-the-log\r\n"),
    ("S", b"a1 OK Logged in\r\n"),
    ("C", b"a2 SELECT INBOX\r\n"),
    ("S", b"* 1 EXISTS\r\na2 OK [READ-WRITE] Select completed\r\n"),
    ("C", b"a3 FETCH 1 BODY[HEADER]\r\n"),
    ("S", b"* 1 FETCH (BODY[HEADER] {71}\r\nFrom: alice@example.net\r\nTo: bob@example.org\r\n"),
    ("S", b"Subject: In a literal\r\n\r\n)\r\na3 OK Fetch completed\r\n"),
    ("C", b"a4 APPEND Sent {54}\r\n"),
    ("S", b"+ Ready\r\n"),
    ("C", b"From: bob@example.org\r\nSubject: a9 LOGIN mallory x\r\n\r\n\r\n"),
    ("S", b"a4 OK Append completed\r\n"),
    ("C", b"a5 LOGOUT\r\n"),
    ("S", b"* BYE Logging out\r\na5 OK Logout completed\r\n"),
]
TWO_MESSAGES = """
    C: EHLO client.example.net
    C: MAIL FROM:<alice@example.net>
    C: RCPT TO:<bob@example.org>
    C: DATA
    C: From: alice@example.net
    C: Subject: First
    C:
    C: A line that goes missing in smtp-gap.
    C: .
    C: MAIL FROM:<carol@example.net>
    C: RCPT TO:<dave@example.org>
    C: DATA
    C: From: carol@example.net
    C: To: dave@example.org
    C: Subject: Second
    C:
    C: .
    C: QUIT
"""
FTP = """
    S: 220 FTP server ready
    C: USER anonymous
    S: 331 Please specify the password.
    C: PASS guest@
    S: 230 Login successful.
    C: QUIT
    S: 221 Goodbye.
"""
REDIS = [
    ("C", b"*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n"),
    ("S", b"+OK\r\n"),
    ("C", b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n"),
    ("S", b"+OK\r\n"),
    ("C", b"*1\r\n$4\r\nQUIT\r\n"),
    ("S", b"+OK\r\n"),
]
REDIS_INLINE = """
    C: AUTH secret
    S: +OK
    C: SET key value
    S: +OK
    C: QUIT
    S: +OK
"""
BDAT_MESSAGE = (
    b"From: alice@example.net\r\nTo: bob@example.org\r\nSubject: In chunks\r\n\r\nAt noon?\r\n"
)
BDAT = [
    ("S", b"220 mx.example.org ESMTP\r\n"),
    ("C", b"EHLO client.example.net\r\n"),
    ("S", b"250-mx.example.org\r\n250 CHUNKING\r\n"),
    ("C", b"MAIL FROM:<alice@example.net>\r\n"),
    ("S", b"250 2.1.0 Ok\r\n"),
    ("C", b"RCPT TO:<bob@example.org>\r\n"),
    ("S", b"250 2.1.5 Ok\r\n"),
    ("C", b"BDAT 30\r\n" + BDAT_MESSAGE[:30]),
    ("S", b"250 2.0.0 Ok\r\n"),
    ("C", b"BDAT %d LAST\r\n" % len(BDAT_MESSAGE[30:]) + BDAT_MESSAGE[30:]),
    ("S", b"250 2.0.0 Ok: queued\r\n"),
    ("C", b"QUIT\r\n"),
    ("S", b"221 2.0.0 Bye\r\n"),
]
CONNECT = """
    C: CONNECT mx.example.org:25 HTTP/1.1
    C: User-Agent: python-socks
    C:
    S: HTTP/1.1 200 Connection established
    S:
"""
SOCKS5 = [
    ("C", bytes.fromhex("050100")),
    ("S", bytes.fromhex("0500")),
    ("C", bytes.fromhex("05010001c6336402008f")),
    ("S", bytes.fromhex("05000001c000020104d2")),
]
OFFERED = """
    S: 220 mx.example.org ESMTP
    C: EHLO client.example.net
    S: 250-mx.example.org
    S: 250 STARTTLS
"""
POP3_LOGIN = """
    S: +OK POP3 server ready
    C: USER bob
    S: +OK
    C: PASS secret
    S: +OK Logged in.
"""
SMUGGLED = [
    ("C", b"MAIL FROM:<alice@example.net>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"),
    (
        "C",
        b"Subject: s\r\n\r\ntext\n.\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<b@example.org>\r\n",
    ),
    ("C", b"DATA\r\nsecond\r\n.\r\n"),
]
#: A session with each of the decoder's findings, in its order; the last of them once more.
FINDINGS = [
    (spoken(OFFERED + "C: STARTTLS\nC: MAIL FROM:<injected@example.net>\n" + TLS), 25),
    (spoken(SMTP_STARTTLS.removesuffix(TLS + "\n") + "S: 250 2.0.0 injected\n" + TLS), 25),
    (spoken(OFFERED.replace("STARTTLS", "XXXXXXXA")), 25),
    (spoken(SMTP_STARTTLS.removesuffix(TLS + "\n") + "C: NOOP\nS: 250 2.0.0 Ok"), 25),
    (spoken("S: * PREAUTH IMAP4rev1 logged in\nC: a1 SELECT INBOX\nS: a1 OK done"), 143),
    (
        spoken(
            "S: * OK IMAP4rev1 ready\nC: a1 CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: a1 OK done"
        )
        + spoken("C: a2 NOOP\nS: a2 NO [REFERRAL imap://bob@imap.example.net/] go there"),
        143,
    ),
    (
        [
            *spoken(SMTP_STARTTLS.removesuffix(TLS + "\n")),
            ("C", CLIENT_HELLO),
            ("S", b"454 4.7.0 TLS not available\r\n"),
        ],
        25,
    ),
    (spoken(OFFERED) + SMUGGLED, 25),
    (spoken(POP3_LOGIN), 110),
    (spoken(POP3_LOGIN), 110),
]
OPENVPN = [
    ("C", bytes.fromhex("000e38") + bytes(range(8)) + bytes(5)),
    ("S", bytes.fromhex("001a40") + bytes(range(8, 16)) + bytes(17)),
    ("C", bytes.fromhex("002220") + bytes(range(33))),
]


def tls12_handshake(host: str) -> list[tuple[str, bytes]]:
    """What both sides send until TLS 1.2 is established, and a command behind it."""
    ca = trustme.CA()
    contexts = [ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)]
    ca.configure_trust(contexts[0])
    ca.issue_cert(host).configure_cert(contexts[1])
    contexts[1].maximum_version = ssl.TLSVersion.TLSv1_2
    wires = [ssl.MemoryBIO(), ssl.MemoryBIO()]
    client = contexts[0].wrap_bio(wires[0], wires[1], server_hostname=host)
    server = contexts[1].wrap_bio(wires[1], wires[0], server_side=True)
    flights: list[tuple[str, bytes]] = []

    def send(who: str, end: ssl.SSLObject, wire: ssl.MemoryBIO) -> None:
        try:
            end.do_handshake()
            end.write(b"EHLO client.example.net\r\n" if who == "C" else b"250 mx.example.org\r\n")
        except ssl.SSLWantReadError:
            pass
        sent = wire.read()
        wire.write(sent)
        flights.append((who, sent))

    for _ in range(2):
        send("C", client, wires[1])
        send("S", server, wires[0])
    return flights


def main() -> None:
    triplet("smtp", SMTP, 25)
    triplet("smtp-starttls", SMTP_STARTTLS, 25)
    triplet("pop3", POP3, 110)
    triplet("pop3-stls", POP3_STLS, 110)
    triplet("imap", IMAP, 143)
    triplet("imap-starttls", IMAP_STARTTLS, 143)
    triplet("http-connect", CONNECT + SMTP, 3128)
    write("smtp-several", play(TWO_MESSAGES), 25)
    write("smtp-several-client", client_only(TWO_MESSAGES), 25)
    write("smtp-ipv6", play(SMTP), 25, v6=True)
    write("smtp-port-8025-client", client_only(SMTP), 8025)
    write("smtp-bdat", play(BDAT), 25)
    write("imap-socks5", play(SOCKS5 + spoken(IMAP)), 1080)
    write("ftp-port-25", play(FTP), 25)
    write("redis-port-25", play(REDIS), 25)
    write("redis-inline-port-110", play(REDIS_INLINE), 110)
    write("openvpn-port-143", play(OPENVPN), 143)

    mail = b"MAIL FROM:<alice"
    whole = play(SMTP)
    begun = next(at for at, packet in enumerate(whole) if packet.payload.startswith(mail))
    write("smtp-midstream", whole[begun:], 25)
    write("smtp-midstream-client", [packet for packet in whole[begun:] if packet.client], 25)
    write(
        "smtp-gap-client", client_only(TWO_MESSAGES, lambda p: b"goes missing" not in p.payload), 25
    )
    flipped = [replace(whole[1], time=0), replace(whole[0], time=STEP), *whole[2:]]
    write("smtp-flipped", flipped, 25)
    write("smtp-midstream-port-2626", whole[3:], 2626)  # the greeting comes first
    starttls = play(SMTP_STARTTLS)
    # TLS starts while too little of the client was seen to know where its payload begins.
    write("smtp-starttls-midstream", starttls[5:], 25)
    # The responder is seen late, without its SYN, and neither side's end is.
    late = [p for p in whole if (p.client or p.time > 150_000) and not p.flags & FIN]
    write("smtp-late-server", late, 25)
    write_sessions("findings", FINDINGS)
    write("silent-port-25", play([]), 25)
    if not (FOLDER / "smtp-starttls-certificate.pcap").exists():
        before = SMTP_STARTTLS.rpartition(TLS)[0]
        handshake = tls12_handshake("mx.example.org")
        write("smtp-starttls-certificate", play(spoken(before) + handshake), 25)
    write("imap-literals", play(IMAP_LITERALS), 143)
    fetched = b"* 1 FETCH (ENV"
    gap = [packet for packet in play(IMAP) if not packet.payload.startswith(fetched)]
    write("imap-gap", gap, 143)
    # Zeek ends what it takes for an unanswered attempt 5 s after the SYN.
    slow = [replace(packet, time=packet.time * 50) for packet in client_only(SMTP)]
    write("smtp-slow-client", slow, 25)


if __name__ == "__main__":
    main()
