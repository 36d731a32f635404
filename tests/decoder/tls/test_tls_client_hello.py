"""What a ClientHello tells: SNI, ALPN, the highest version offered."""

from __future__ import annotations

import pytest

from mailtap._engine import MAX_TLS_READER_BYTES, TlsReader
from reading import read, read_client_hello
from tls_bytes import (
    ALPN,
    CLIENT_HELLO,
    HANDSHAKE,
    KEY_SHARE,
    SERVER_HELLO,
    SNI,
    SSL_3,
    SUPPORTED_VERSIONS,
    TLS_1_0,
    TLS_1_1,
    TLS_1_2,
    TLS_1_3,
    client_hello,
    handshake,
    message,
    number,
    protocols,
    record,
    server_name,
    ssl2_client_hello,
    supported_versions,
    vector,
)

GREASE = 0x2A2A


def test_a_hello_tells_name_protocols_and_version() -> None:
    facts = read_client_hello(
        supported_versions(TLS_1_2, TLS_1_3), protocols(b"imap", b"h2"), server_name("mx.example")
    )
    assert facts["sender"] == "client"
    assert facts["sni"] == "mx.example"
    assert facts["alpn"] == ["imap", "h2"]
    assert facts["version"] == "TLSv13"
    assert facts["cipher"] == ""
    assert facts["certificate"] is None
    assert facts["ending"] == ""


@pytest.mark.parametrize(
    ("versions", "highest"),
    [
        ([TLS_1_2, TLS_1_3], "TLSv13"),
        ([GREASE, TLS_1_1, TLS_1_0], "TLSv11"),
        ([TLS_1_2, 0xFAFA], "TLSv12"),
        ([0x7F17, TLS_1_2], "TLSv13-draft23"),
        ([GREASE], "TLSv12"),
    ],
)
def test_the_version_is_the_highest_supported_without_grease(
    versions: list[int], highest: str
) -> None:
    assert read_client_hello(supported_versions(*versions))["version"] == highest


@pytest.mark.parametrize(
    ("version", "name"),
    [
        (SSL_3, "SSLv3"),
        (TLS_1_0, "TLSv10"),
        (TLS_1_1, "TLSv11"),
        (TLS_1_2, "TLSv12"),
        (0x0399, "unknown-921"),
    ],
)
def test_without_supported_versions_it_is_the_hellos_own(version: int, name: str) -> None:
    assert read_client_hello(version=version)["version"] == name


def test_a_hello_may_end_without_extensions() -> None:
    hello = client_hello(version=TLS_1_0, without_extensions=True)
    facts = read(handshake(CLIENT_HELLO, hello))
    assert facts["version"] == "TLSv10"
    assert facts["ja4"].startswith("t10i0300")


@pytest.mark.parametrize(
    "name",
    [b"mx\x1b[2J.example", b"mx example", b"m\xc3\xbcller.example", b"a\0b", b"", b"a" * 256],
)
def test_a_name_that_no_host_has_is_left_out(name: bytes) -> None:
    assert read_client_hello(server_name(name))["sni"] == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0",
        vector(2, b""),
        vector(2, b"\1" + vector(2, b"mx.example")),  # a type of name that isn't host_name
        b"\xff\xff\0\0\x0amx.example",
        vector(2, b"\0\xff\xffmx.example"),
    ],
)
def test_a_malformed_server_name_is_left_out(body: bytes) -> None:
    facts = read_client_hello((SNI, body), protocols(b"imap"))
    assert facts["sni"] == ""
    assert facts["alpn"] == ["imap"]


def test_protocols_that_are_no_text_are_left_out() -> None:
    facts = read_client_hello(protocols(b"\xba\xba", b"", b"im ap", b"imap"))
    assert facts["alpn"] == ["imap"]


def test_of_many_protocols_the_first_are_kept() -> None:
    facts = read_client_hello(protocols(*(b"p%d" % i for i in range(1000))))
    assert facts["alpn"] == [f"p{i}" for i in range(8)]


@pytest.mark.parametrize("body", [b"", b"\0", b"\0\5\x04ima", b"\0\xff"])
def test_malformed_protocols_are_left_out(body: bytes) -> None:
    assert read_client_hello((ALPN, body))["alpn"] == []


@pytest.mark.parametrize("body", [b"", b"\x04\x03", b"\x03\x03\x04"])
def test_malformed_versions_are_left_out(body: bytes) -> None:
    assert read_client_hello((SUPPORTED_VERSIONS, body))["version"] == "TLSv12"


def test_large_key_shares_are_passed_over() -> None:
    body = client_hello((KEY_SHARE, bytes(60_000)), server_name("mx.example"))
    stream = message(CLIENT_HELLO, body)
    reader = TlsReader()
    for at in range(0, len(stream), 16_384):
        reader.data(record(HANDSHAKE, stream[at : at + 16_384]))
        assert reader.memory < 1000
    assert reader.facts()["sni"] == "mx.example"


def test_a_hello_beyond_64_kib_is_not_read() -> None:
    body = client_hello(server_name("mx.example")) + bytes(64 * 1024)
    stream = message(CLIENT_HELLO, body)
    facts = read(*(record(HANDSHAKE, stream[at : at + 16_384]) for at in range(0, 70_000, 16_384)))
    assert facts["sender"] == "client"
    assert facts["sni"] == ""
    assert facts["ja4"] == ""


def test_a_hello_that_is_cut_tells_what_was_whole() -> None:
    hello = client_hello(server_name("mx.example"), supported_versions(TLS_1_3))
    without_extensions = len(client_hello(without_extensions=True))
    facts = [read(handshake(CLIENT_HELLO, hello[:length])) for length in range(len(hello))]
    assert all(short["sender"] == "client" for short in facts)
    assert facts[34]["version"] == ""
    assert facts[35]["version"] == "TLSv12"
    assert facts[-8]["sni"] == ""
    assert facts[-7]["sni"] == "mx.example"
    whole = [length for length, short in enumerate(facts) if short["ja4"]]
    assert whole == [without_extensions]


def test_an_extension_longer_than_all_of_them_ends_the_hello() -> None:
    hello = client_hello(without_extensions=True) + vector(2, number(SNI) + b"\xff\xff")
    facts = read(handshake(CLIENT_HELLO, hello + bytes(200)))
    assert facts["version"] == "TLSv12"
    assert facts["ja4"] == ""


def test_only_the_first_hello_is_read() -> None:
    facts = read(
        handshake(CLIENT_HELLO, client_hello(server_name("first.example"))),
        handshake(CLIENT_HELLO, client_hello(server_name("second.example"))),
        handshake(SERVER_HELLO, bytes(40)),
    )
    assert facts["sni"] == "first.example"
    assert facts["sender"] == "client"


@pytest.mark.parametrize(("version", "name"), [(0x0002, "SSLv2"), (0x0301, "TLSv10")])
def test_a_hello_in_the_form_of_ssl_2_tells_the_version(version: int, name: str) -> None:
    facts = read(ssl2_client_hello(version), record(HANDSHAKE, b"\x10\0\0\1\0"))
    assert facts["sender"] == "client"
    assert facts["version"] == name
    assert facts["ja4"] == ""
    assert facts["ending"] == ""


def test_the_form_of_ssl_2_is_taken_only_at_the_beginning() -> None:
    facts = read(record(HANDSHAKE, b"\0\0\0\0"), ssl2_client_hello(0x0301))
    assert facts["sender"] == ""
    assert facts["ending"] == "other"


def test_what_a_hello_holds_until_it_is_whole_is_bounded() -> None:
    ciphers = [(7 * i + 1) % 0x8000 for i in range(30_000)]
    stream = message(CLIENT_HELLO, client_hello(ciphers=ciphers))
    reader = TlsReader()
    for at in range(0, len(stream), 1000):
        reader.data(record(HANDSHAKE, stream[at : at + 1000]))
        assert reader.memory <= MAX_TLS_READER_BYTES
    assert reader.facts()["version"] == "TLSv12"
    assert reader.facts()["ja4"] == ""
