"""Replies answer commands in their order, so what both sides show is more than what each shows."""

from __future__ import annotations

import pytest

from conversation import C, S, Turn, decode

HELLO = [S("220 mx.example ESMTP"), C("EHLO x.example"), S("250-mx.example", "250 AUTH PLAIN")]
MESSAGE = [
    C("MAIL FROM:<a@example.org>"),
    S("250 2.1.0 Ok"),
    C("RCPT TO:<b@example.com>"),
    S("250 2.1.5 Ok"),
    C("DATA"),
    S("354 go"),
    C("From: a@example.org", "", "text", "."),
    S("250 2.0.0 Ok: queued as 1"),
]


def test_after_a_message_a_failed_login_is_a_failure() -> None:
    facts = decode(*HELLO, *MESSAGE, C("AUTH PLAIN AGJvYgBzZWNyZXQ="), S("535 5.7.8 no"))
    assert facts["auth_result"] == "failure"


def test_after_a_message_a_refused_starttls_is_refused() -> None:
    facts = decode(*HELLO, *MESSAGE, C("STARTTLS"), S("502 5.5.1 no"), C("QUIT"), S("221 bye"))
    assert facts["starttls"] == "refused"


def test_lmtp_answers_a_message_once_for_each_recipient() -> None:
    facts = decode(
        S("220 mx.example LMTP"),
        C("LHLO x.example"),
        S("250 mx.example"),
        C(
            "MAIL FROM:<a@example.org>",
            "RCPT TO:<b@example.com>",
            "RCPT TO:<c@example.com>",
            "DATA",
        ),
        S("250 ok", "250 ok", "250 ok", "354 go"),
        C("From: a@example.org", "", "."),
        S("250 2.0.0 <b@example.com> saved", "550 5.2.2 <c@example.com> full"),
        C("AUTH PLAIN AGJvYgBzZWNyZXQ="),
        S("535 5.7.8 no"),
    )
    assert facts["messages"] == 1
    assert facts["auth_result"] == "failure"


@pytest.mark.parametrize("reply", ["550 5.7.1 spam", "452 4.3.1 full", "421 4.3.0 closing"])
def test_a_message_refused_at_its_end_is_not_delivered(reply: str) -> None:
    turns = [*HELLO, *MESSAGE[:-1], S(reply)]
    both = decode(*turns)
    assert (both["messages"], both["stage"]) == (0, "data")
    server = decode(*[turn for turn in turns if not turn.client])
    assert (server["messages"], server["stage"]) == (0, "data")


def test_a_message_whose_reply_was_not_seen_counts() -> None:
    assert decode(*HELLO, *MESSAGE[:-1])["messages"] == 1


def test_chunks_are_paired_too() -> None:
    facts = decode(
        *HELLO,
        C("MAIL FROM:<a@example.org>"),
        S("250 ok"),
        C("BDAT 8", b"From: a\r\n"[:8], b"BDAT 3 LAST\r\n", b"\n\r\n"),
        S("250 8 octets", "552 5.2.3 too big"),
    )
    assert facts["messages"] == 0


def test_a_server_alone_counts_messages_in_chunks() -> None:
    facts = decode(
        S("220 mx.example Microsoft ESMTP", "250-mx.example", "250 CHUNKING"),
        S("250 2.1.0 ok", "250 2.1.5 ok", "250 2.6.0 <1@x> Queued mail for delivery"),
    )
    assert (facts["messages"], facts["stage"]) == (1, "delivered")


@pytest.mark.parametrize(
    ("turns", "result"),
    [
        ([C("USER bob"), S("+OK"), C("QUIT"), S("+OK bye")], ""),
        ([C("USER bob"), S("+OK")], ""),
        ([C("USER bob"), S("-ERR no such user")], "failure"),
        ([C("USER bob"), S("+OK"), C("PASS x"), S("+OK")], "success"),
        ([C("USER bob"), S("+OK"), C("PASS x"), S("-ERR")], "failure"),
        ([C("AUTH PLAIN"), S("+ "), C("AGJvYgBzZWNyZXQ="), S("+OK")], "success"),
    ],
)
def test_a_pop3_login_needs_its_password(turns: list[Turn], result: str) -> None:
    assert decode(S("+OK ready"), *turns, port=110)["auth_result"] == result


def test_a_220_that_answers_xclient_is_no_starttls() -> None:
    turns = [
        *HELLO,
        C("XCLIENT ADDR=192.0.2.1"),
        S("220 mx.example ESMTP"),
        C("EHLO x.example"),
        S("250 mx.example"),
    ]
    assert decode(*turns)["starttls"] == "none"
    assert decode(*[turn for turn in turns if not turn.client])["starttls"] == "none"


def test_a_client_that_starts_tls_all_the_same_was_refused() -> None:
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100)
    turns = [*HELLO, C("STARTTLS"), S("500 5.5.2 Syntax error"), C(hello), S("500 5.5.2 what?")]
    assert decode(*turns)["starttls"] == "refused"
    assert decode(*turns[3:], midstream=True)["starttls"] == "refused"


def test_a_refused_data_command_does_not_swallow_what_follows() -> None:
    facts = decode(
        *HELLO,
        C("MAIL FROM:<a@example.org>", "DATA", "NOOP", "AUTH PLAIN AGJvYgBzZWNyZXQ=", "QUIT"),
        S("250 ok", "503 no recipients", "250 ok", "235 ok", "221 bye"),
    )
    assert facts["last_command"] == b"QUIT"
    assert facts["user"] == b"bob"


def test_a_message_sent_although_data_was_refused() -> None:
    """The server answers each line of it: how many of them are replies to what, nobody knows."""
    facts = decode(
        *HELLO,
        *MESSAGE,
        C("DATA"),
        S("503 5.5.1 no recipients"),
        C("Hello", "."),
        S("500 5.5.2 what?", "500 5.5.2 what?"),
        C("MAIL FROM:<a@example.org>", "QUIT"),
        S("250 ok", "221 bye"),
    )
    assert facts["messages"] == 1
