"""Writes the seed corpora of the fuzz targets: what a mail session of each kind looks like to them.

Usage: python tests/fuzz/seeds.py
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "capture"))
sys.path.insert(0, str(HERE.parent / "decoder" / "tls"))

import tls_bytes as tls  # noqa: E402
from packets import ACK, CLIENT, Conversation, Packet, ethernet, ipv4, mail_session  # noqa: E402
from tls_certificates import SEQUENCE, der, handmade  # noqa: E402

ORIG, RESP, ORIG_GAP = 0, 1, 2
PORT_25, PORT_110, PORT_143, PORT_1080, PORT_8025, PORT_40001 = 0, 1, 2, 5, 6, 7

HELLO = b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03" + b"r" * 32 + b"\0\0\2\x13\1\1\0"


def deflated(*parts: bytes) -> bytes:
    """A stream as IMAP's COMPRESS has it, flushed after each part."""
    stream = zlib.compressobj(wbits=-15)
    return b"".join(stream.compress(part) + stream.flush(zlib.Z_SYNC_FLUSH) for part in parts)


DIALOGUES: dict[str, tuple[int, list[tuple[int, bytes]]]] = {
    "smtp": (
        PORT_25,
        [
            (RESP, b"220 mx.example ESMTP\r\n"),
            (ORIG, b"EHLO a.example\r\n"),
            (RESP, b"250-mx.example\r\n250 CHUNKING\r\n"),
            (ORIG, b"MAIL FROM:<a@b.example> SIZE=1\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"),
            (RESP, b"250 Ok\r\n250 Ok\r\n354 Go\r\n"),
            (
                ORIG,
                b"From: =?utf-8?q?A=20B?= <a@b.example>\r\nTo: c@d.example,\r\n e@f.example\r\n",
            ),
            (ORIG, b"Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n"),
            (RESP, b"250 queued\r\n221 Bye\r\n"),
        ],
    ),
    "smtp-chunks": (
        PORT_25,
        [
            (ORIG, b"EHLO a.example\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\n"),
            (ORIG, b"BDAT 17\r\nFrom: a@b.c\r\n\r\n\r\nBDAT 2 LAST\r\nhi"),
        ],
    ),
    "smtp-starttls": (
        PORT_25,
        [
            (RESP, b"220 mx ESMTP\r\n250-mx\r\n250 STARTTLS\r\n220 2.0.0 Ready\r\n"),
            (ORIG, b"EHLO a\r\nSTARTTLS\r\n"),
            (ORIG, HELLO),
        ],
    ),
    "smtp-auth-gap": (
        PORT_8025,
        [
            (ORIG, b"EHLO a\r\nAUTH LOGIN\r\nYQ==\r\nYg==\r\n"),
            (RESP, b"220 mx ESMTP\r\n250 AUTH LOGIN\r\n334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n"),
            (RESP, b"235 ok\r\n"),
            (ORIG_GAP, b"0123456789"),
            (ORIG, b"RCPT TO:<x@y.example>\r\nRSET\r\n"),
        ],
    ),
    "pop3": (
        PORT_110,
        [
            (RESP, b"+OK ready <1.2@mx.example>\r\n"),
            (ORIG, b"CAPA\r\nUSER bob\r\nPASS x\r\nRETR 1\r\nTOP 2 0\r\nQUIT\r\n"),
            (RESP, b"+OK\r\nUSER\r\nSTLS\r\n.\r\n+OK\r\n+OK\r\n+OK 40 octets\r\n"),
            (RESP, b"From: a@b.c\r\nTo: d@e.f\r\n\r\n..x\r\n.\r\n-ERR no\r\n+OK bye\r\n"),
        ],
    ),
    "imap": (
        PORT_143,
        [
            (RESP, b"* OK [CAPABILITY IMAP4rev1 STARTTLS SASL-IR] hi\r\n"),
            (ORIG, b'a1 LOGIN {3}\r\nbob "x"\r\na2 SELECT INBOX\r\na3 FETCH 1 (ENVELOPE)\r\n'),
            (RESP, b"+ go\r\na1 OK\r\n* 1 EXISTS\r\na2 OK\r\n"),
            (
                RESP,
                b'* 1 FETCH (ENVELOPE ("d" "s" (("A" NIL "a" "b.c")) NIL NIL NIL NIL NIL NIL "m"))',
            ),
            (RESP, b"\r\na3 OK\r\n* 1 FETCH (BODY[HEADER] {14}\r\nFrom: a@b.c\r\n)\r\n"),
            (ORIG, b"a4 APPEND x {13+}\r\nFrom: a@b.c\r\n\r\na5 LOGOUT\r\n"),
        ],
    ),
    "imap-compressed": (
        PORT_143,
        [
            (ORIG, b"a1 LOGIN a b\r\na2 COMPRESS DEFLATE\r\n"),
            (RESP, b"* OK IMAP4rev1\r\na1 OK Logged in\r\na2 OK DEFLATE active\r\n"),
            (ORIG, deflated(b"a3 COMPRESS DEFLATE\r\na4 FETCH 1 BODY[]\r\n", b"a5 LOGOUT\r\n")),
            (RESP, deflated(b"a3 OK DEFLATE\r\n* 1 FETCH (BODY[] {9}\r\nFrom: a\r\n)\r\n")),
        ],
    ),
    "smtp-bare-line-ends": (
        PORT_25,
        [
            (ORIG, b"EHLO a\r\nMAIL FROM:<a@b.c>\r\nDATA\r\nSubject: s\r\n\r\nx\n.\n"),
            (ORIG, b"MAIL FROM:<d@e.f>\nDATA\nSubject: t\n\n\r\n.\r\nQUIT\r\n"),
            (RESP, b"220 mx ESMTP\r\n250 mx\r\n250 ok\r\n354 go\r\n250 ok\r\n250 ok\r\n354 go\r\n"),
        ],
    ),
    "smtp-after-a-gap": (
        PORT_25,
        [
            (ORIG, b"EHLO a\r\nDATA\r\nSubject: s\r\n\r\ntext\r\n"),
            (ORIG_GAP, b"0123456789"),
            (ORIG, b"MAIL FROM:<x@y.z>\r\nmore text\r\n.\r\nMAIL FROM:<a@b.c>\r\nDATA\r\n"),
        ],
    ),
    "pop3-capabilities": (
        PORT_8025,
        [
            (RESP, b"CAPA\r\nTOP\r\nUIDL\r\nSASL PLAIN\r\n.\r\n+OK Begin TLS\r\n"),
            (ORIG, b"CAPA\r\nSTLS\r\n" + HELLO),
        ],
    ),
    "http-tunnel": (
        PORT_1080,
        [
            (ORIG, b"CONNECT mx:143 HTTP/1.1\r\nUser-Agent: python-socks\r\n\r\na1 NOOP\r\n"),
            (RESP, b"HTTP/1.1 200 OK\r\n\r\n* OK IMAP4rev1\r\na1 OK\r\n"),
        ],
    ),
    "socks5-tunnel": (
        PORT_1080,
        [
            (ORIG, b"\5\1\0\5\1\0\3\2mx\0\x19EHLO a\r\nMAIL FROM:<a@b.c>\r\n"),
            (RESP, b"\5\0\5\0\0\1\0\0\0\0\0\0220 mx ESMTP\r\n250 ok\r\n250 ok\r\n"),
        ],
    ),
}


def schedule(port: int, turns: Iterable[tuple[int, bytes]]) -> bytes:
    """A dialogue as the decoder's target reads it: runs of at most 63 bytes."""
    content = bytes([PORT_40001, port])
    for code, text in turns:
        for begin in range(0, len(text), 63):
            run = text[begin : begin + 63]
            content += bytes([len(run) << 2 | code]) + run
    return content


def capture(packets: Iterable[Packet], link: int = 0) -> bytes:
    """Packets as the packet layer's target reads them."""
    content = bytes([link])
    for packet in packets:
        content += struct.pack(">BBH", 0, 0, len(packet.data)) + packet.data
    return content


def captures() -> dict[str, bytes]:
    """A few sessions and encapsulations."""
    short = Conversation().handshake().say(b"EHLO a\r\n", b"250 b\r\n").close().packets
    v6 = Conversation(client=("2001:db8::1", 4), server=("2001:db8::2", 143)).handshake()
    hole = Conversation().handshake()
    hole.send(CLIENT, ACK, b"EHLO a\r\n", skip=8)
    tunnel = [
        Packet(
            p.time,
            ethernet(ipv4("192.0.2.8", "192.0.2.9", b"\0\0\x08\0" + p.data[14:], 47)),
        )
        for p in short[:4]
    ]
    vlan = [Packet(p.time, p.data[:12] + b"\x81\0\0\1" + p.data[12:]) for p in short[:4]]
    return {
        "session": capture(mail_session().packets),
        "ipv6": capture(v6.say(b"a1 NOOP\r\n", b"* OK IMAP4rev1\r\n").packets),
        "hole": capture(hole.packets),
        "gre": capture(tunnel),
        "vlan": capture(vlan),
        "raw": capture((Packet(p.time, p.data[14:]) for p in short), 3),
        "fragments": capture(
            Packet(0.0, ethernet(ipv4("192.0.2.1", "192.0.2.2", part, fragment=field)))
            for part, field in (
                (b"\0\x19\x9c\x41" + b"\0" * 8 + b"\x50\2\0\0", 0x2000),
                (b"\0" * 8, 2),
            )
        ),
    }


def certificates() -> dict[str, bytes]:
    """Certificates with names of each kind, and without."""
    names = der(SEQUENCE, der(0x82, b"mx.example"), der(0x87, bytes(4)), der(0x87, bytes(16)))
    return {"names": handmade(alternative_names=names), "none": handmade()}


def tls_operation(content: bytes, code: int = 0) -> bytes:
    """An operation as the TLS reader's target reads it."""
    return bytes([len(content) >> 8 << 2 | code, len(content) & 0xFF]) + content


def tls_sides() -> dict[str, bytes]:
    """One side each."""
    gap, message = 1, 2
    client = tls.client_hello(
        tls.server_name("mx.example"),
        tls.protocols(b"imap", b"h2"),
        tls.signature_algorithms(0x0403, 0x0804),
        tls.supported_versions(tls.TLS_1_3, tls.TLS_1_2),
    )
    retry = tls.server_hello(tls.chosen_version(tls.TLS_1_3), random=tls.RETRY_RANDOM)
    server = tls.handshake(tls.SERVER_HELLO, tls.server_hello(tls.protocols(b"imap")))
    chain = tls.message(tls.CERTIFICATE, tls.certificate_message(*certificates().values()))
    alone = tls.handshake(tls.CLIENT_HELLO, client)
    return {
        "client": tls_operation(alone + tls.CHANGE + tls.record(tls.APPLICATION_DATA, bytes(19))),
        "client-message": tls_operation(bytes([tls.CLIENT_HELLO]) + client, message),
        "server": tls_operation(server + tls.records(tls.HANDSHAKE, chain, 300)),
        "retry": tls_operation(tls.handshake(tls.SERVER_HELLO, retry) + tls.CHANGE),
        "alert": tls_operation(alone) + tls_operation(tls.alert(2, 48) + b"QUIT\r\n"),
        "gap": tls_operation(alone[:80]) + tls_operation(bytes(20), gap) + tls_operation(alone),
        "ssl2": tls_operation(tls.ssl2_client_hello(0x0301)),
    }


def main() -> None:
    """Write the corpora beside this file."""
    decoder = {name: schedule(port, turns) for name, (port, turns) in DIALOGUES.items()}
    corpora = {
        "decoder-corpus": decoder,
        "packet-corpus": captures(),
        "tls-corpus": tls_sides(),
        "certificate-corpus": certificates(),
    }
    for folder, seeds in corpora.items():
        (HERE / folder).mkdir(exist_ok=True)
        for name, content in seeds.items():
            (HERE / folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
