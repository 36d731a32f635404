"""What is mail and what only looks like it; who is the client."""

from __future__ import annotations

import pytest

from conversation import C, S, Turn, client_only, decode, server_only
from mailtap._engine import Side

FTP = [
    S("220 ready"),
    C("USER anonymous"),
    S("331 Please specify the password."),
    C("PASS x@example.org"),
    S("230 Login successful."),
    C("SYST"),
    S("215 UNIX Type: L8"),
    C("PASV", "LIST", "RETR 1", "QUIT"),
    S("227 Entering", "150 Here", "226 Done", "221 Goodbye."),
]
REDIS = [
    C(b"*2\r\n$4\r\nAUTH\r\n$4\r\nzeek\r\n"),
    S("+OK"),
    C("AUTH secret", "SET a 1", "PING"),
    S("+OK", "+OK", "+PONG", "-ERR unknown command", "$5", "hello"),
]
IRC = [
    C("NICK x", "STARTTLS"),
    S(":irc 670 x :STARTTLS successful"),
    C(b"\x16\x03\x01\x02\x00\x01" * 3),
]
NNTP = [
    S("200 news.example.org InterNetNews ready"),
    C("AUTHINFO USER x", "GROUP a.b", "QUIT"),
    S("381 more", "211 3 1 3 a.b", "205 bye"),
]
SSH = [S("SSH-2.0-OpenSSH_9.6"), C("SSH-2.0-OpenSSH_9.6")]
HTTP = [
    C("GET /mail.txt HTTP/1.1", "Host: x.example", ""),
    S("HTTP/1.1 200 OK", "Content-Type: text/plain", "", "220 mx ESMTP", "MAIL FROM:<a@b.example>"),
]
OPENVPN = [
    C(b"\x00\x0e\x38" + bytes(13), b"\x01\x14\x20" + b"\x16\x03\x01\x02\x00\x01" + bytes(64)),
    S(b"\x00\x1a\x40" + bytes(25), b"\x00\x40\x20" + b"\x16\x03\x03\x00\x3d\x02" + bytes(56)),
]
LOOKALIKES = {
    "ftp": FTP, "redis": REDIS, "irc": IRC, "nntp": NNTP, "ssh": SSH, "http": HTTP,
    "openvpn": OPENVPN,
}  # fmt: skip


@pytest.mark.parametrize("port", [25, 110, 143, 8025])
@pytest.mark.parametrize("name", LOOKALIKES)
def test_look_alikes_are_no_mail_on_any_port(name: str, port: int) -> None:
    turns = LOOKALIKES[name]
    for seen in turns, client_only(turns), server_only(turns):
        facts = decode(*seen, port=port)
        assert facts["service"] == ""
        assert facts["starttls"] == "none"


def test_redis_with_nothing_but_ok_on_a_mail_port() -> None:
    turns = [C("AUTH secret"), S("+OK"), C("SET key value"), S("+OK"), C("QUIT"), S("+OK")]
    for port in 25, 110, 143:
        for seen in turns, client_only(turns), server_only(turns):
            facts = decode(*seen, port=port)
            assert facts["service"] == ""
            assert facts["auth"] == b""


def test_http_and_its_decode_as() -> None:
    assert decode(*HTTP, port=25)["decode_as"] == "HTTP"
    assert decode(*OPENVPN, port=25)["decode_as"] == "BASE"


@pytest.mark.parametrize(
    ("turn", "port", "service"),
    [
        (S("220 mx"), 25, "smtp"),
        (S("220 mx"), 2100, ""),
        (S("220 mx ESMTP"), 2100, "smtp"),
        (C("QUIT"), 25, "smtp"),
        (C("QUIT"), 110, "pop3"),
        (C("QUIT"), 2100, ""),
        (C("EHLO x.example"), 2100, "smtp"),
        (S("+OK hello"), 110, "pop3"),
        (S("+OK"), 110, ""),
        (S("+OK hello"), 2100, ""),
        (S("+OK POP3 ready"), 2100, "pop3"),
        (S("+OK ready <1896.697170952@mail.example.org>"), 2100, "pop3"),
        (C("USER bob"), 110, "pop3"),
        (C("USER bob", "PASS x", "QUIT"), 2100, ""),
        (C("USER bob", "PASS x", "UIDL"), 2100, "pop3"),
        (S("* OK hello"), 143, "imap"),
        (S("* OK hello"), 2100, ""),
        (S("* OK IMAP4rev1 hello"), 2100, "imap"),
        (C("a1 LOGOUT"), 143, "imap"),
        (C("a1 CAPABILITY"), 2100, "imap"),
        (C("a1 LOGOUT"), 2100, ""),
    ],
)
def test_weak_evidence_is_enough_on_the_protocols_own_port(
    turn: Turn, port: int, service: str
) -> None:
    assert decode(turn, port=port)["service"] == service


def test_lines_of_one_side_lend_no_weight_to_another_protocol() -> None:
    assert decode(S("220 mx"), C("USER anonymous", "PASS x"), port=2100)["service"] == ""


@pytest.mark.parametrize("client_is_orig", [True, False])
@pytest.mark.parametrize(
    "turn",
    [C("EHLO x.example"), S("220 mx ESMTP"), S("250 2.1.0 Ok"), C("MAIL FROM:<a@b.example>")],
)
def test_roles_come_from_the_content(turn: Turn, client_is_orig: bool) -> None:
    facts = decode(turn, port=25, midstream=True, client_is_orig=client_is_orig)
    assert facts["client"] == (Side.ORIG if client_is_orig else Side.RESP)


def test_a_proxy_header_may_stand_before_the_session() -> None:
    facts = decode(C("PROXY TCP4 192.0.2.1 192.0.2.2 4000 25", "EHLO x.example"))
    assert facts["helo"] == b"x.example"


def test_strange_lines_first_do_not_hide_a_session_on_a_mail_port() -> None:
    facts = decode(C("hello there", "EHLO x.example", "MAIL FROM:<a@example.org>"))
    assert facts["mailfrom"] == [b"a@example.org"]


LONG = "A" * 5000


@pytest.mark.parametrize(
    ("turns", "port", "commands", "replies"),
    [
        ([C(f"EHLO {LONG}", "QUIT")], 25, 2, 0),
        ([S(f"220 mx ESMTP {LONG}", "221 bye")], 25, 0, 2),
        ([C(f"USER {LONG}", "QUIT")], 110, 2, 0),
        ([C(f"a1 LOGIN {LONG} x", "a2 LOGOUT")], 143, 2, 0),
        ([C(f"EHLO {LONG}", "QUIT")], 2525, 2, 0),
    ],
)
def test_a_first_line_longer_than_any_should_be(
    turns: list[Turn], port: int, commands: int, replies: int
) -> None:
    """Exploits of mail servers send such lines."""
    facts = decode(*turns, port=port)
    assert (facts["commands"], facts["replies"]) == (commands, replies)


@pytest.mark.parametrize("line", [LONG, "GET / HTTP/1.1 " + LONG, "USER " + LONG])
def test_other_long_lines_are_no_mail(line: str) -> None:
    assert decode(C(line, "QUIT"), port=2525)["service"] == ""
