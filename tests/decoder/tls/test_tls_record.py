"""The session record's fields of TLS, from both sides and from each alone."""

from __future__ import annotations

import ssl
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from conversation import CLIENT_PORT, C, S, client_only, decode, server_only
from mailtap._engine import Decoder, Side
from tls_bytes import (
    CERTIFICATE,
    CHANGE,
    CLIENT_HELLO,
    RETRY_RANDOM,
    SERVER_HELLO,
    SERVER_HELLO_DONE,
    certificate_message,
    chosen_version,
    client_hello,
    handshake,
    message,
    protocols,
    record,
    records,
    server_hello,
    server_name,
    supported_versions,
)
from tls_certificates import certificate
from tls_sessions import HOST, certificates, contexts, run

if TYPE_CHECKING:
    from random import Random

    from mailtap._engine import Facts
    from tls_sessions import TlsSession

SMTP = [
    S("220 mx ESMTP"),
    C("EHLO x", "STARTTLS"),
    S("250-mx", "250 STARTTLS", "220 Ready to start TLS"),
]
#: Before TLS, and the port on which it comes so.
UPGRADES = {
    "smtp": (25, SMTP),
    "pop3": (110, [S("+OK ready"), C("STLS"), S("+OK Begin TLS negotiation")]),
    "imap": (143, [S("* OK IMAP4rev1"), C("a1 STARTTLS"), S("a1 OK Begin TLS negotiation now")]),
    "submissions": (465, []),
    "pop3s": (995, []),
    "imaps": (993, []),
    "elsewhere": (2525, SMTP),
}
NAMES = (
    "tls_version", "tls_cipher", "sni", "alpn", "ja4", "cert_subject", "cert_issuer", "cert_names",
    "cert_not_before", "cert_not_after", "cert_self_signed",
)  # fmt: skip


def tls_fields(facts: Facts) -> dict[str, object]:
    """Those that are set."""
    return {name: facts[name] for name in NAMES if facts[name] not in (b"", [], None)}  # type: ignore[literal-required]


def session(version: ssl.TLSVersion) -> TlsSession:
    client, server = contexts()
    server.minimum_version = server.maximum_version = version
    client.set_alpn_protocols(["imap", "smtp"])
    server.set_alpn_protocols(["smtp"])
    return run(client, server)


@pytest.mark.parametrize("kind", UPGRADES)
def test_tls_1_2(kind: str) -> None:
    made = session(ssl.TLSVersion.TLSv1_2)
    port, before = UPGRADES[kind]
    turns = [*before, C(made.client), S(made.server)]
    both = tls_fields(decode(*turns, port=port))
    client = tls_fields(decode(*client_only(turns), port=port))
    server = tls_fields(decode(*server_only(turns), port=port))

    assert both["tls_version"] == server["tls_version"] == b"TLSv12"
    assert client == {
        "tls_version": b"TLSv13", "sni": HOST.encode(), "alpn": b"imap,smtp", "ja4": both["ja4"],
    }  # fmt: skip
    assert str(both["ja4"])[2:6] == "t13d"
    assert both["alpn"] == server["alpn"] == b"smtp"
    assert both["cert_names"] == server["cert_names"] == [HOST.encode(), b"192.0.2.25"]
    assert both["cert_self_signed"] is False
    _, leaf = certificates()
    pem = leaf.cert_chain_pems[0].bytes().decode()
    assert isinstance(both["cert_not_after"], int)
    assert both["cert_not_after"] == _not_after(pem)
    assert both == client | server


def _not_after(pem: str) -> int:
    from cryptography import x509

    expires: datetime = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    return int(expires.timestamp())


@pytest.mark.parametrize("kind", UPGRADES)
def test_tls_1_3(kind: str) -> None:
    made = session(ssl.TLSVersion.TLSv1_3)
    port, before = UPGRADES[kind]
    turns = [*before, C(made.client), S(made.server)]
    server = tls_fields(decode(*server_only(turns), port=port))
    assert server == {"tls_version": b"TLSv13", "tls_cipher": made.cipher.encode()}  # type: ignore[union-attr]
    both = tls_fields(decode(*turns, port=port))
    assert both == tls_fields(decode(*client_only(turns), port=port)) | server


def test_a_web_servers_tls_is_not_read() -> None:
    made = session(ssl.TLSVersion.TLSv1_2)
    assert tls_fields(decode(C(made.client), S(made.server), port=443)) == {}


def test_the_sides_may_be_the_other_way_round() -> None:
    made = session(ssl.TLSVersion.TLSv1_2)
    turns = [C(made.client), S(made.server)]
    swapped = decode(*turns, port=993, client_is_orig=False)
    assert tls_fields(swapped) == tls_fields(decode(*turns, port=993))


RETRIED = client_hello(server_name("mx.example"), supported_versions(0x304), (51, bytes(70)))
RETRY_REQUEST = server_hello(chosen_version(0x304), cipher=0x1302, random=RETRY_RANDOM)
RETRY = [
    C(handshake(CLIENT_HELLO, RETRIED)),
    S(handshake(SERVER_HELLO, RETRY_REQUEST), CHANGE),
    C(CHANGE, handshake(CLIENT_HELLO, RETRIED)),
    S(handshake(SERVER_HELLO, server_hello(chosen_version(0x304), cipher=0x1302))),
]


def test_hello_retry_request() -> None:
    fields = tls_fields(decode(*RETRY, port=993))
    assert fields["tls_version"] == b"TLSv13"
    assert fields["tls_cipher"] == b"TLS_AES_256_GCM_SHA384"
    assert fields["sni"] == b"mx.example"


def test_a_rejected_server_behind_a_hello_retry_request() -> None:
    facts = decode(*RETRY, S(record(23, bytes(500))), C(record(23, bytes(19))), port=993)
    assert facts["findings"] == [b"tls_failed"]


HELLO_OF_CLIENT = message(CLIENT_HELLO, client_hello(server_name(HOST), protocols(b"imap")))
HELLO_OF_SERVER = message(SERVER_HELLO, server_hello(protocols(b"imap"), cipher=0xC02F))
FLIGHT_OF_SERVER = (
    HELLO_OF_SERVER
    + message(CERTIFICATE, certificate_message(certificate(names=[x509.DNSName(HOST)])))
    + message(SERVER_HELLO_DONE, b"")
)
FLIGHTS = {Side.ORIG: HELLO_OF_CLIENT, Side.RESP: FLIGHT_OF_SERVER}


def streams(kind: str, record_size: int) -> dict[Side, bytes]:
    """Both sides up to the server's first flight, whose messages are cut into records."""
    _, before = UPGRADES[kind]
    return {
        side: b"".join(turn.data for turn in only(before)) + records(22, FLIGHTS[side], record_size)
        for side, only in ((Side.ORIG, client_only), (Side.RESP, server_only))
    }


def fields_of(port: int, feed: list[tuple[Side, bytes]]) -> dict[str, object]:
    decoder = Decoder(CLIENT_PORT, port)
    for side, data in feed:
        decoder.data(side, data)
    sides = {side for side, _ in feed}
    return tls_fields(decoder.facts(Side.ORIG in sides, Side.RESP in sides))


@given(
    kind=st.sampled_from(sorted(UPGRADES)),
    record_size=st.integers(1, 900),
    sizes=st.lists(st.integers(1, 60) | st.integers(1, 1460), min_size=1, max_size=40),
    sides=st.sampled_from([(Side.ORIG,), (Side.RESP,), (Side.ORIG, Side.RESP)]),
    order=st.randoms(use_true_random=False),
)
def test_neither_segments_nor_records_nor_their_order_matter(
    kind: str, record_size: int, sizes: list[int], sides: tuple[Side, ...], order: Random
) -> None:
    port, _ = UPGRADES[kind]
    whole = streams(kind, 16_384)
    left = {side: stream for side, stream in streams(kind, record_size).items() if side in sides}
    feed = []
    while left:
        side = order.choice(sorted(left, key=lambda side: side.value))
        size = sizes[len(feed) % len(sizes)]
        feed.append((side, left[side][:size]))
        left[side] = left[side][size:]
        left = {side: stream for side, stream in left.items() if stream}
    fields = fields_of(port, feed)
    assert fields == fields_of(port, [(side, whole[side]) for side in sides])
    if Side.ORIG in sides:
        assert fields["sni"] == HOST.encode()
        assert fields["ja4"]
    if Side.RESP in sides:
        assert fields["tls_cipher"] == b"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        assert fields["cert_names"] == [HOST.encode()]
