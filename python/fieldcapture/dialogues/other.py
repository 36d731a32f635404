"""What is no mail: scans, refusals, VPNs, other protocols and plain noise on mail's ports."""

from __future__ import annotations

import struct
from random import Random

from .. import names
from ..dialogue import Builder, Closing, Dialogue, Opening, Script, View
from . import tls

IMPLICIT_TLS_PORTS = (465, 993, 995)


def syn_unanswered(_rng: Random) -> Dialogue:
    return Dialogue("syn_unanswered", opening=Opening.UNANSWERED, views=frozenset({View.C2S}))


def syn_scan(_rng: Random) -> Dialogue:
    return Dialogue("syn_scan", opening=Opening.HALF_OPEN)


def syn_refused(_rng: Random) -> Dialogue:
    return Dialogue("syn_refused", opening=Opening.REFUSED)


def handshake_only(rng: Random) -> Dialogue:
    closing = rng.choice(
        (Closing.CLIENT_FIN, Closing.CLIENT_RESET, Closing.SERVER_FIN, Closing.NONE)
    )
    return Dialogue("handshake_only", closing=closing)


def few_bytes(rng: Random) -> Dialogue:
    """Up to five bytes of payload each way, which say nothing."""
    script = Script("few_bytes")
    script.client(rng.choice((b"\r\n", b"\0\0\0\0", b"\n", b"\x03\0\0")))
    return script.dialogue(
        rng.choice((Closing.CLIENT_FIN, Closing.CLIENT_RESET, Closing.SERVER_RESET))
    )


def openvpn(rng: Random) -> Dialogue:
    """OpenVPN over TCP: length, opcode, session id, and its TLS handshake inside that framing."""
    script = Script("openvpn")
    sessions = rng.randbytes(8), rng.randbytes(8)
    script.client(_openvpn_frame(7, sessions[0], b"\0" + struct.pack("!I", 0)))
    script.server(_openvpn_frame(8, sessions[1], b"\0" + struct.pack("!I", 0)))
    script.client(_openvpn_frame(5, sessions[0], b"\1" + struct.pack("!I", 0) + sessions[1]))
    control = b"\0" + struct.pack("!I", 1)
    script.client(_openvpn_frame(4, sessions[0], control + tls.client_hello(rng, names.host(rng))))
    script.server(_openvpn_frame(4, sessions[1], control + tls.server_hello(rng)))
    for _ in range(rng.randrange(2, 5)):
        script.client(_openvpn_frame(9, rng.randbytes(3), rng.randbytes(rng.randrange(40, 900))))
        script.server(_openvpn_frame(9, rng.randbytes(3), rng.randbytes(rng.randrange(40, 900))))
    return script.dialogue(Closing.CLIENT_RESET)


def _openvpn_frame(opcode: int, session: bytes, rest: bytes) -> bytes:
    packet = bytes([opcode << 3]) + session + rest
    return struct.pack("!H", len(packet)) + packet


def random_binary(rng: Random) -> Dialogue:
    script = Script("random_binary")
    for _ in range(rng.randrange(2, 6)):
        script.client(bytes([rng.randrange(128, 256)]) + rng.randbytes(rng.randrange(10, 600)))
        script.server(bytes([rng.randrange(128, 256)]) + rng.randbytes(rng.randrange(10, 600)))
    return script.dialogue(rng.choice((Closing.CLIENT_FIN, Closing.SERVER_RESET)))


def ssh(rng: Random) -> Dialogue:
    script = Script("ssh")
    script.server("SSH-2.0-OpenSSH_9.2p1 Debian-2")
    script.client(
        rng.choice(("SSH-2.0-Go", "SSH-2.0-libssh2_1.10.0", "SSH-2.0-PuTTY_Release_0.78"))
    )
    algorithms = b"curve25519-sha256,ecdh-sha2-nistp256"
    exchange = b"\x14" + rng.randbytes(16) + struct.pack("!I", len(algorithms)) + algorithms
    padded = struct.pack("!IB", len(exchange) + 5, 4) + exchange + rng.randbytes(4)
    script.client(padded)
    script.server(padded)
    return script.dialogue()


def http(rng: Random) -> Dialogue:
    script = Script("http")
    path = rng.choice(("/", "/index.html", "/mail?from=a@example.org", "/.env"))
    script.client(
        f"GET {path} HTTP/1.1\r\nHost: {names.host(rng)}\r\nUser-Agent: curl/8.5.0\r\n", http=True
    )
    page = b"<html><body>MAIL FROM:&lt;a@example.org&gt; 220 ready</body></html>"
    script.server(f"HTTP/1.1 400 Bad Request\r\nContent-Length: {len(page)}\r\n", http=True)
    script.server(page, http=True)
    return script.dialogue(Closing.SERVER_FIN)


def ftp(rng: Random) -> Dialogue:
    """FTP greets with 220 and asks USER and PASS, as mail does, and is none."""
    script = Script("ftp")
    script.server(
        rng.choice(
            (
                "220 (vsFTPd 3.0.3)",
                "220 ProFTPD Server (Debian) [192.0.2.9]",
                "220 FTP server ready",
            )
        )
    )
    script.client("USER anonymous")
    script.server("331 Please specify the password.")
    script.client("PASS guest@example.org")
    script.server("230 Login successful.")
    script.client("SYST")
    script.server("215 UNIX Type: L8")
    script.client("PASV")
    script.server("227 Entering Passive Mode (192,0,2,9,156,64).")
    script.client("QUIT")
    script.server("221 Goodbye.")
    return script.dialogue()


def redis(rng: Random) -> Dialogue:
    """Redis answers +OK and knows AUTH, as POP3 does, and is no mail."""
    script = Script("redis")
    if rng.random() < 0.5:
        script.client("*2\r\n$4\r\nAUTH\r\n$8\r\nfoobared")
        script.server("+OK")
        script.client("*1\r\n$4\r\nPING")
        script.server("+PONG")
    else:
        script.client("PING")
        script.server("-NOAUTH Authentication required.")
        script.client(f"AUTH {names.secret(rng)}")
        script.server("+OK")
    script.client("*2\r\n$4\r\nLLEN\r\n$5\r\nqueue")
    script.server(":12")
    script.client("*2\r\n$3\r\nGET\r\n$3\r\nkey")
    script.server("$5\r\nhello")
    return script.dialogue()


def remote_desktop(rng: Random) -> Dialogue:
    """A scanner's RDP connection request (TPKT, X.224)."""
    script = Script("rdp")
    script.client(
        bytes.fromhex("0300002b26e00000000000")
        + b"Cookie: mstshash=user\r\n"
        + bytes.fromhex("0100080003000000")
    )
    script.server(bytes.fromhex("030000130ed000001234000209080002000000"))
    script.client(b"\x03\0\0\x0c\x02\xf0\x80" + rng.randbytes(5))
    script.server(b"\x03\0\0\x0b\x02\xf0\x80" + rng.randbytes(4))
    return script.dialogue()


def tls_on_mail_port(rng: Random) -> Dialogue:
    """TLS from the first byte where plaintext is due."""
    script = Script("tls")
    tls.talk_tls(script, rng, names.host(rng), implicit_tls=True)
    return script.dialogue()


def implicit_tls(rng: Random) -> Dialogue:
    script = Script("implicit_tls", port=rng.choice(IMPLICIT_TLS_PORTS))
    tls.talk_tls(script, rng, names.host(rng), implicit_tls=True)
    return script.dialogue()


BUILDERS: dict[str, Builder] = {
    "syn_unanswered": syn_unanswered,
    "syn_scan": syn_scan,
    "syn_refused": syn_refused,
    "handshake_only": handshake_only,
    "few_bytes": few_bytes,
    "openvpn": openvpn,
    "random_binary": random_binary,
    "ssh": ssh,
    "http": http,
    "ftp": ftp,
    "redis": redis,
    "rdp": remote_desktop,
    "tls": tls_on_mail_port,
    "implicit_tls": implicit_tls,
}
