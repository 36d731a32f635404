"""What holds for every side, whatever it sends."""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import composite

from cost import times_as_long
from mailtap._engine import MAX_TLS_READER_BYTES, TlsReader
from tls_bytes import (
    APPLICATION_DATA,
    CERTIFICATE,
    CHANGE,
    CLIENT_HELLO,
    HANDSHAKE,
    HEARTBEAT,
    SERVER_HELLO,
    alert,
    certificate_message,
    client_hello,
    empty,
    handshake,
    message,
    protocols,
    record,
    records,
    server_hello,
    server_name,
    signature_algorithms,
    ssl2_client_hello,
    supported_versions,
)
from tls_certificates import SEQUENCE, der, handmade
from tls_sessions import contexts, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import DrawFn

    from mailtap._engine import TlsFacts

HELLO = client_hello(
    supported_versions(0x0304, 0x0303),
    signature_algorithms(0x0403, 0x0804),
    protocols(b"imap"),
    server_name("mx.example"),
)
DER = handmade(alternative_names=der(SEQUENCE, der(0x82, b"mx.example")))


@cache
def real_streams() -> list[bytes]:
    """Both sides of sessions of OpenSSL."""
    streams = []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client, server = contexts()
        server.minimum_version = server.maximum_version = version
        made = run(client, server)
        streams += [made.client, made.server]
    return streams


@composite
def handmade_streams(draw: DrawFn) -> bytes:
    """Records of all kinds, messages cut over them, broken ones among them."""
    parts = [
        message(CLIENT_HELLO, HELLO),
        message(SERVER_HELLO, server_hello(protocols(b"imap"))),
        message(CERTIFICATE, certificate_message(DER)),
        message(14, b""),
    ]
    stream = b""
    for _ in range(draw(st.integers(1, 5))):
        stream += draw(
            st.one_of(
                st.builds(records, st.just(HANDSHAKE), st.sampled_from(parts), st.integers(1, 600)),
                st.builds(alert, st.integers(0, 3), st.integers(0, 255)),
                st.builds(record, st.sampled_from([21, 22, 23, 24]), st.binary(max_size=30)),
                st.just(CHANGE),
                st.just(ssl2_client_hello(0x0301)),
                st.binary(max_size=8),
            )
        )
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(stream) - 1)) if stream else 0
        stream = stream[:at] + draw(st.binary(max_size=2)) + stream[at + 1 :]
    return stream


def read_cut(stream: bytes, sizes: list[int]) -> TlsFacts:
    reader = TlsReader()
    at = step = 0
    while at < len(stream):
        size = sizes[step % len(sizes)]
        reader.data(stream[at : at + size])
        assert reader.memory <= MAX_TLS_READER_BYTES
        at, step = at + size, step + 1
    return reader.facts()


@given(
    stream=st.one_of(handmade_streams(), st.deferred(lambda: st.sampled_from(real_streams()))),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=30)
    | st.lists(st.integers(1, 1460), min_size=1),
)
def test_the_cut_of_the_bytes_does_not_matter(stream: bytes, sizes: list[int]) -> None:
    assert read_cut(stream, sizes) == read_cut(stream, [max(len(stream), 1)])


@given(
    stream=handmade_streams(),
    cuts=st.lists(st.integers(0, 2000), max_size=4),
    gap=st.integers(0, 50),
)
def test_gaps_are_no_error_and_texts_are_printable(
    stream: bytes, cuts: list[int], gap: int
) -> None:
    reader = TlsReader()
    at = 0
    for cut in sorted(cuts):
        reader.data(stream[at:cut])
        reader.gap(gap)
        at = max(at, cut) + gap
    reader.data(stream[at:])
    facts = reader.facts()
    texts = [facts["sni"], facts["ja4"], *facts["alpn"]]
    if facts["certificate"] is not None:
        texts += [facts["certificate"]["subject"], *facts["certificate"]["names"]]
    assert all(text.isascii() and text.isprintable() for text in texts)
    assert reader.memory <= MAX_TLS_READER_BYTES


@given(stream=handmade_streams())
def test_after_the_end_nothing_changes(stream: bytes) -> None:
    reader = TlsReader()
    for at in range(len(stream)):
        reader.data(stream[at : at + 1])
        if reader.done:
            break
    facts = reader.facts()
    reader.data(handshake(CLIENT_HELLO, HELLO) if reader.done else b"")
    assert reader.facts() == facts


def hello_of(extensions: int) -> bytes:
    body = client_hello(*empty(*range(0x100, 0x100 + extensions)), server_name("mx.example"))
    return records(HANDSHAKE, message(CLIENT_HELLO, body), 16_384)


def certificate_of(size: int) -> bytes:
    many = DER[:40] + bytes([0x30, 0]) * (size // 2)
    body = certificate_message(b"\x30\x84" + len(many).to_bytes(4, "big") + many)
    hello = handshake(SERVER_HELLO, server_hello())
    return hello + records(HANDSHAKE, message(CERTIFICATE, body), 16_384)


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (hello_of, 7_000),
        (certificate_of, 8_000),
        (lambda size: record(HANDSHAKE, b"\0\0\0\0" * 4_000) * size, 10),
        (lambda size: record(HANDSHAKE, b"") * size, 20_000),
        (lambda size: alert(1, 90) * size, 20_000),
        (lambda size: record(HEARTBEAT, bytes(50)) * size, 20_000),
        (lambda size: record(HANDSHAKE, b"\0") * size, 20_000),
    ],
    ids=["hello", "certificate", "messages", "empty records", "alerts", "records", "cut messages"],
)
def test_twice_the_bytes_take_twice_the_time(make: Callable[[int], bytes], size: int) -> None:
    """What is quadratic would take four times as long; three leaves room for a busy machine."""

    def read_often(stream: bytes) -> None:
        for _ in range(20):
            reader = TlsReader()
            for at in range(0, len(stream), 1_000):
                reader.data(stream[at : at + 1_000])

    short, long = make(size), make(2 * size)
    assert times_as_long(lambda: read_often(short), lambda: read_often(long), 3) <= 3


def test_application_data_is_not_read_at_all() -> None:
    reader = TlsReader()
    reader.data(handshake(CLIENT_HELLO, HELLO) + record(APPLICATION_DATA, bytes(16_000)))
    memory = reader.memory
    reader.data(record(APPLICATION_DATA, bytes(16_000)))
    assert reader.done
    assert reader.memory == memory
