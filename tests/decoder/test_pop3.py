"""POP3: commands, answers of one and of several lines."""

from __future__ import annotations

import pytest

from conversation import C, S, Turn, client_only, decode, server_only

LOGIN = [
    S("+OK Dovecot ready."),
    C("USER bob"),
    S("+OK"),
    C("PASS secret"),
    S("+OK Logged in."),
]
RETRIEVAL = [
    *LOGIN,
    C("STAT"),
    S("+OK 1 120"),
    C("RETR 1"),
    S("+OK 120 octets", "From: a@example.org", "To: b@example.com", "Subject: s", ""),
    S("..text", "+OK no", "."),
    C("QUIT"),
    S("+OK Logging out."),
]  # fmt: skip


def test_a_retrieval() -> None:
    facts = decode(*RETRIEVAL, port=110)
    assert facts["service"] == "pop3"
    assert (facts["auth"], facts["user"], facts["auth_result"]) == (b"USER", b"bob", "success")
    assert facts["from"] == [b"a@example.org"]
    assert facts["to"] == [b"b@example.com"]
    assert facts["messages"] == 1
    assert (facts["commands"], facts["replies"]) == (5, 6)
    assert facts["stage"] == "logout"


def test_the_server_alone_delivers_the_headers() -> None:
    facts = decode(*server_only(RETRIEVAL), port=110)
    assert facts["service"] == "pop3"
    assert facts["from"] == [b"a@example.org"]
    assert facts["messages"] == 1
    assert facts["user"] == b""


def test_the_client_alone_has_none() -> None:
    facts = decode(*client_only(RETRIEVAL), port=110)
    assert facts["service"] == "pop3"
    assert facts["user"] == b"bob"
    assert facts["empty_cause"] == "client_side_only"


def test_top_delivers_headers_too() -> None:
    facts = decode(*LOGIN, C("TOP 1 0"), S("+OK", "From: a@example.org", "", "."), port=110)
    assert facts["from"] == [b"a@example.org"]


def test_a_list_ends_where_the_next_reply_starts() -> None:
    facts = decode(
        *LOGIN,
        C("LIST"),
        S("+OK 2 messages", "1 120", "2 200"),
        C("RETR 1"),
        S("+OK message follows", "From: a@example.org", "", "."),
        port=110,
    )
    assert facts["from"] == [b"a@example.org"]


def test_capabilities_offer_stls() -> None:
    facts = decode(S("+OK ready"), C("CAPA"), S("+OK", "TOP", "STLS", "UIDL", "."), port=110)
    assert facts["starttls"] == "offered"
    assert facts["empty_cause"] == "hello_only"


@pytest.mark.parametrize(
    ("lines", "auth", "user"),
    [
        (["APOP bob c4c9334bac560ecc979e58001b3e22fb"], b"APOP", b"bob"),
        (["AUTH PLAIN AGJvYgBzZWNyZXQ="], b"PLAIN", b"bob"),
        (["AUTH PLAIN", "AGJvYgBzZWNyZXQ="], b"PLAIN", b"bob"),
        (["AUTH", "CAPA"], b"", b""),
        (["USER bob@example.org", "PASS QUIT"], b"USER", b"bob@example.org"),
    ],
)
def test_who_logs_in(lines: list[str], auth: bytes, user: bytes) -> None:
    facts = decode(C(*lines, "STAT"), port=110)
    assert (facts["auth"], facts["user"]) == (auth, user)
    assert facts["last_command"] == b"STAT"


@pytest.mark.parametrize(
    ("turns", "cause"),
    [
        ([*LOGIN, C("QUIT"), S("+OK Logging out.")], "login_only"),
        ([S("+OK ready"), C("USER b"), S("+OK"), C("PASS x"), S("-ERR [AUTH] no")], "refused"),
        ([*LOGIN, C("LIST"), S("+OK 0 messages", ".")], "no_message"),
        ([S("-ERR too many connections")], "refused"),
        ([S("+OK ready")], "greeting_only"),
        ([S("+OK ready", "+OK", "UIDL", "STLS", ".")], "greeting_only"),
        ([S("+OK ready", "+OK", "+OK Logged in.", "+OK Bye")], "login_only"),
    ],
)
def test_why_there_are_no_addresses(turns: list[Turn], cause: str) -> None:
    assert decode(*turns, port=110)["empty_cause"] == cause
