"""What a ServerHello tells: version, cipher suite, application protocol."""

from __future__ import annotations

import re
import subprocess

import pytest

from prerequisites import need_program
from reading import read
from tls_bytes import (
    CHANGE,
    RETRY_RANDOM,
    SERVER_HELLO,
    SSL_3,
    TLS_1_2,
    TLS_1_3,
    chosen_version,
    handshake,
    message,
    protocols,
    server_hello,
)


def test_a_hello_tells_version_cipher_and_protocol() -> None:
    facts = read(handshake(SERVER_HELLO, server_hello(protocols(b"imap"), cipher=0xC030)))
    assert facts["sender"] == "server"
    assert facts["version"] == "TLSv12"
    assert facts["cipher"] == "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
    assert facts["alpn"] == ["imap"]
    assert not facts["hello_retry"]
    assert facts["ja4"] == ""


def test_supported_versions_decides_the_version() -> None:
    hello = server_hello(chosen_version(TLS_1_3), cipher=0x1302)
    facts = read(handshake(SERVER_HELLO, hello))
    assert (facts["version"], facts["cipher"]) == ("TLSv13", "TLS_AES_256_GCM_SHA384")


def test_of_old_drafts_of_tls_1_3_only_the_version_is_read() -> None:
    """Their ServerHello has no session ID, so that the cipher suite stands elsewhere."""
    facts = read(handshake(SERVER_HELLO, server_hello(version=0x7F10)))
    assert (facts["version"], facts["cipher"]) == ("TLSv13-draft16", "")


def test_a_hello_may_end_without_extensions() -> None:
    hello = server_hello(version=SSL_3, cipher=0x0005, without_extensions=True)
    facts = read(handshake(SERVER_HELLO, hello))
    assert (facts["version"], facts["cipher"]) == ("SSLv3", "TLS_RSA_WITH_RC4_128_SHA")


def test_a_hello_retry_request_is_told_by_its_random() -> None:
    retry = server_hello(chosen_version(TLS_1_3), cipher=0x1301, random=RETRY_RANDOM)
    hello = server_hello(chosen_version(TLS_1_3), cipher=0x1301)
    facts = read(handshake(SERVER_HELLO, retry), CHANGE, handshake(SERVER_HELLO, hello))
    assert facts["hello_retry"]
    assert (facts["version"], facts["cipher"]) == ("TLSv13", "TLS_AES_128_GCM_SHA256")


def test_a_hello_that_is_cut_tells_what_was_whole() -> None:
    hello = server_hello(chosen_version(TLS_1_3))
    facts = [read(handshake(SERVER_HELLO, hello[:length])) for length in range(len(hello) + 1)]
    assert [short["cipher"] for short in facts].index("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256") == 70
    assert [short["version"] for short in facts].index("TLSv12") == 35
    assert [short["version"] for short in facts].index("TLSv13") == len(hello)


def test_what_a_server_does_not_send_is_not_read() -> None:
    body = server_hello((0, b"\0\x0d\0\0\x0amx.example"), (13, b"\0\2\4\3"), version=TLS_1_2)
    facts = read(handshake(SERVER_HELLO, body))
    assert facts["sni"] == ""
    assert facts["ja4"] == ""


@pytest.mark.parametrize(
    ("cipher", "name"),
    [
        (0x0000, "TLS_NULL_WITH_NULL_NULL"),
        (0x00FF, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"),
        (0xCCAE, "TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256"),
        (0x0A0A, "unknown-2570"),
        (0xFFFF, "unknown-65535"),
    ],
)
def test_ciphers_have_the_names_of_the_registry(cipher: int, name: str) -> None:
    assert read(handshake(SERVER_HELLO, server_hello(cipher=cipher)))["cipher"] == name


def test_ciphers_have_the_names_that_openssl_gives_them() -> None:
    need_program("openssl", "openssl")
    listed = subprocess.run(
        ["openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    known = re.findall(r"0x(\w\w),0x(\w\w) - (\w+)", listed)
    assert len(known) > 50
    for high, low, name in known:
        hello = server_hello(cipher=int(high + low, 16))
        assert read(handshake(SERVER_HELLO, hello))["cipher"] == name.replace("_anon_", "_ANON_")


def test_a_message_before_the_hello_is_passed_over() -> None:
    hello_request = message(0, b"")
    both = hello_request + message(SERVER_HELLO, server_hello())
    assert read(b"\x16\x03\x03" + len(both).to_bytes(2, "big") + both)["sender"] == "server"
