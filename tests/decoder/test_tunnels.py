"""Mail inside HTTP CONNECT and SOCKS."""

from __future__ import annotations

import pytest

from conversation import CLIENT_HELLO, SERVER_HELLO, C, S, Turn, client_only, decode, server_only

SMTP = [S("220 mx ESMTP"), C("EHLO x.example", "MAIL FROM:<a@example.org>"), S("250 mx", "250 ok")]
HTTP = [
    C("CONNECT mx.example.com:25 HTTP/1.1", "User-Agent: python-socks", ""),
    S("HTTP/1.1 200 Connection established", "Via: proxy", ""),
]
SOCKS5 = [
    C(b"\x05\x01\x00"),
    S(b"\x05\x00"),
    C(b"\x05\x01\x00\x03\x0amx.example\x00\x19"),
    S(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"),
]
SOCKS5_LOGIN = [
    C(b"\x05\x02\x00\x02"),
    S(b"\x05\x02"),
    C(b"\x01\x03bob\x06secret"),
    S(b"\x01\x00"),
    C(b"\x05\x01\x00\x04" + bytes(16) + b"\x00\x19"),
    S(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"),
]
SOCKS4 = [C(b"\x04\x01\x00\x19\xc0\x00\x02\x01bob\x00"), S(b"\x00\x5a" + bytes(6))]
SOCKS4A = [C(b"\x04\x01\x00\x19\x00\x00\x00\x01\x00mx.example\x00"), S(b"\x00\x5a" + bytes(6))]
WAYS = {
    "http": (HTTP, "http"), "socks5": (SOCKS5, "socks"), "socks5_login": (SOCKS5_LOGIN, "socks"),
    "socks4": (SOCKS4, "socks"), "socks4a": (SOCKS4A, "socks"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_smtp_in_a_tunnel(way: str) -> None:
    opening, name = WAYS[way]
    whole = [*opening, *SMTP]
    for seen in whole, client_only(whole), server_only(whole):
        facts = decode(*seen, port=3128)
        assert (facts["service"], facts["tunnel"]) == ("smtp", name)
        assert facts["decode_as"] == ("HTTP" if name == "http" else "MAIL")
    assert decode(*whole, port=3128)["mailfrom"] == [b"a@example.org"]


def test_the_request_names_the_user_agent() -> None:
    assert decode(*HTTP, *SMTP, port=3128)["user_agent"] == b"python-socks"


def test_the_targets_port_lets_weak_evidence_do() -> None:
    assert decode(*HTTP, S("220 mx"), port=3128)["service"] == "smtp"
    assert decode(*server_only(HTTP), S("220 mx"), port=3128)["service"] == ""


def test_the_proxy_asks_for_a_login_first() -> None:
    refusal = S("HTTP/1.1 407 Proxy Authentication Required", "Content-Length: 5", "", b"login")
    facts = decode(HTTP[0], refusal, *HTTP, *SMTP, port=3128)
    assert (facts["service"], facts["tunnel"]) == ("smtp", "http")


def test_tls_in_a_tunnel() -> None:
    facts = decode(*HTTP, C(CLIENT_HELLO), S(SERVER_HELLO), port=3128)
    assert (facts["service"], facts["tunnel"]) == ("", "")
    assert facts["implicit_tls"] is True
    assert facts["decode_as"] == "HTTP"


@pytest.mark.parametrize(
    "turns",
    [
        [C("GET / HTTP/1.1", ""), S("HTTP/1.1 200 OK", "Content-Length: 14", "", "220 mx ESMTP")],
        [S("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "220 mx ESMTP")],
        [C(b"\x05\x01\x00"), S(b"\x05\xff")],
        [C(b"\x05\x01\x00\x05\x02\x00\x01" + bytes(6), "EHLO x.example")],
    ],
)
def test_no_tunnel(turns: list[Turn]) -> None:
    facts = decode(*turns, port=3128)
    assert (facts["service"], facts["tunnel"]) == ("", "")


def test_a_request_to_a_mail_server_opens_no_tunnel() -> None:
    request = C("GET / HTTP/1.1", "Host: mail.example", "")
    facts = decode(S("+OK POP3 ready"), request, S("-ERR what?"), port=110)
    assert (facts["service"], facts["tunnel"], facts["decode_as"]) == ("pop3", "", "MAIL")
    assert decode(request, port=110)["decode_as"] == "HTTP"
