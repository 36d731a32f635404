"""SMTP: commands, replies, messages."""

from __future__ import annotations

import pytest

from conversation import C, S, Turn, client_only, decode, server_only

MESSAGE = [
    S("220 mx.example.com ESMTP Postfix"),
    C("EHLO client.example.org"),
    S("250-mx.example.com", "250-PIPELINING", "250 8BITMIME"),
    C("MAIL FROM:<alice@example.org> SIZE=400"),
    S("250 2.1.0 Ok"),
    C("RCPT TO:<bob@example.com>"),
    S("250 2.1.5 Ok"),
    C("RCPT TO:<carol@example.com>"),
    S("250 2.1.5 Ok"),
    C("DATA"),
    S("354 End data with <CR><LF>.<CR><LF>"),
    C("From: Alice <alice@example.org>", "To: bob@example.com", "Subject: hello", "", "text", "."),
    S("250 2.0.0 Ok: queued as 12345"),
    C("QUIT"),
    S("221 2.0.0 Bye"),
]


def test_a_whole_session() -> None:
    facts = decode(*MESSAGE)
    assert facts["service"] == "smtp"
    assert facts["helo"] == b"client.example.org"
    assert facts["mailfrom"] == [b"alice@example.org"]
    assert facts["rcptto"] == [b"bob@example.com", b"carol@example.com"]
    assert (facts["mailfrom_count"], facts["rcptto_count"]) == (1, 2)
    assert facts["from"] == [b"Alice <alice@example.org>"]
    assert facts["to"] == [b"bob@example.com"]
    assert facts["subject"] == b"hello"
    assert facts["messages"] == 1
    assert facts["banner"] == b"mx.example.com ESMTP Postfix"
    assert (facts["commands"], facts["replies"]) == (6, 8)
    assert (facts["last_command"], facts["last_reply"]) == (b"QUIT", b"221 2.0.0 Bye")
    assert facts["stage"] == "logout"
    assert facts["empty_cause"] == ""
    assert facts["decode_as"] == "MAIL"


def test_the_client_alone_shows_the_addresses() -> None:
    facts = decode(*client_only(MESSAGE))
    assert facts["service"] == "smtp"
    assert facts["mailfrom"] == [b"alice@example.org"]
    assert facts["to"] == [b"bob@example.com"]
    assert facts["messages"] == 1
    assert facts["replies"] == 0


def test_the_server_alone_shows_none() -> None:
    facts = decode(*server_only(MESSAGE))
    assert facts["service"] == "smtp"
    assert facts["mailfrom"] == facts["from"] == []
    assert facts["messages"] == 1
    assert facts["empty_cause"] == "server_side_only"


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        ("<a@example.org>", b"a@example.org"),
        (" <a@example.org> BODY=8BITMIME", b"a@example.org"),
        ("a@example.org SIZE=3", b"a@example.org"),
        ("<>", b"<>"),
        ("<@relay.example,@other.example:a@example.org>", b"a@example.org"),
        ('<"a b>c"@example.org>', b'"a b>c"@example.org'),
        ("<жук@пример.example> SMTPUTF8", "жук@пример.example".encode()),
        ("<a@[IPv6:2001:db8::1]>", b"a@[IPv6:2001:db8::1]"),
    ],
)
def test_envelope_addresses(argument: str, address: bytes) -> None:
    facts = decode(C("EHLO x.example", f"MAIL FROM:{argument}"))
    assert facts["mailfrom"] == [address]
    assert facts["mailfrom_count"] == 1


def test_an_address_that_is_cut_is_counted_but_not_claimed() -> None:
    facts = decode(C("EHLO x.example", b"MAIL FROM:<alice@exam"))
    assert facts["mailfrom_count"] == 1
    assert facts["mailfrom"] == []


def test_several_messages_in_one_session() -> None:
    facts = decode(
        C("HELO x.example"),
        *(
            C(f"MAIL FROM:<{n}@example.org>", "RCPT TO:<z@example.com>", "DATA", "Subject: "
              f"number {n}", "", "body", ".", "RSET")
            for n in range(3)
        ),
    )  # fmt: skip
    assert facts["mailfrom_count"] == 3
    assert facts["mailfrom"] == [b"0@example.org", b"1@example.org", b"2@example.org"]
    assert facts["rcptto"] == [b"z@example.com"]
    assert facts["messages"] == 3
    assert facts["subject"] == b"number 2"


def test_a_dot_stuffed_line_does_not_end_the_message() -> None:
    facts = decode(
        C("EHLO x.example", "DATA", "Subject: s", "..From: no@example.org", "", "..", ".", "QUIT")
    )
    assert facts["messages"] == 1
    assert facts["last_command"] == b"QUIT"


def test_what_looks_like_a_header_in_the_body_is_none() -> None:
    facts = decode(C("EHLO x.example", "DATA", "From: a@example.org", "", "To: b@example.com", "."))
    assert facts["from"] == [b"a@example.org"]
    assert facts["to"] == []


def test_chunks_carry_the_message() -> None:
    message = b"From: a@example.org\r\nTo: b@example.com\r\n\r\n.\r\nQUIT\r\n"
    first, rest = message[:25], message[25:]
    facts = decode(
        C("EHLO x.example", "MAIL FROM:<a@example.org>", f"BDAT {len(first)}", first),
        C(f"BDAT {len(rest)} LAST", rest, "NOOP"),
    )
    assert facts["from"] == [b"a@example.org"]
    assert facts["to"] == [b"b@example.com"]
    assert facts["messages"] == 1
    assert facts["last_command"] == b"NOOP"


def test_an_impossible_chunk_size_is_no_chunk() -> None:
    facts = decode(C("EHLO x.example", "BDAT 18446744073709551616 LAST", "MAIL FROM:<a@b.example>"))
    assert facts["mailfrom_count"] == 1


def test_a_refused_message_is_none() -> None:
    facts = decode(
        S("220 mx ESMTP"),
        C("EHLO x.example"),
        S("250 mx"),
        C("DATA"),
        S("503 5.5.1 need RCPT"),
        C("From: a@example.org", "", "."),
        S("500 5.5.2 unknown", "500 5.5.2 unknown", "500 5.5.2 unknown"),
    )
    assert facts["from"] == []
    assert facts["messages"] == 0


def test_the_client_alone_goes_on_after_a_refused_data() -> None:
    facts = decode(C("EHLO x.example", "MAIL FROM:<a@example.org>", "DATA", "QUIT"))
    assert facts["messages"] == 0
    assert facts["last_command"] == b"QUIT"
    assert facts["stage"] == "logout"


AUTH_LOGIN: list[Turn] = [
    S("220 mx ESMTP"),
    C("EHLO x.example"),
    S("250-mx", "250 AUTH LOGIN PLAIN"),
    C("AUTH LOGIN"),
    S("334 VXNlcm5hbWU6"),
    C("Ym9i"),
    S("334 UGFzc3dvcmQ6"),
    C("c2VjcmV0"),
]


@pytest.mark.parametrize(
    ("reply", "result", "cause"),
    [
        ("235 2.7.0 Authentication successful", "success", "login_only"),
        ("535 5.7.8 Error", "failure", "refused"),
    ],
)
def test_a_login(reply: str, result: str, cause: str) -> None:
    facts = decode(*AUTH_LOGIN, S(reply), C("QUIT"), S("221 2.0.0 Bye"))
    assert (facts["auth"], facts["user"]) == (b"LOGIN", b"bob")
    assert facts["auth_result"] == result
    assert facts["empty_cause"] == cause
    assert facts["commands"] == 3


@pytest.mark.parametrize(
    ("lines", "user"),
    [
        (["AUTH PLAIN AGJvYgBzZWNyZXQ="], b"bob"),
        (["AUTH PLAIN", "AGJvYgBzZWNyZXQ="], b"bob"),
        (["AUTH LOGIN Ym9i", "c2VjcmV0"], b"bob"),
        (["AUTH XOAUTH2 dXNlcj1ib2JAZXhhbXBsZS5vcmcBYXV0aD1CZWFyZXIgeHl6AQE="], b"bob@example.org"),
        (["AUTH CRAM-MD5", "Ym9iIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm"], b"bob"),
        (["AUTH SCRAM-SHA-256 biwsbj1ib2Iscj1hYmNkZWY="], b"bob"),
        (["AUTH PLAIN", "*"], b""),
    ],
)
def test_who_logs_in(lines: list[str], user: bytes) -> None:
    facts = decode(C("EHLO x.example", *lines, "MAIL FROM:<a@example.org>"))
    assert facts["user"] == user
    assert facts["mailfrom_count"] == 1


def test_pipelined_commands() -> None:
    facts = decode(
        C("EHLO x.example"),
        C("MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "DATA"),
        S("220 mx ESMTP", "250 mx", "250 2.1.0 Ok", "250 2.1.5 Ok", "354 go"),
    )
    assert (facts["mailfrom_count"], facts["rcptto_count"]) == (1, 1)
    assert facts["stage"] == "data"


def test_lines_may_end_in_a_bare_line_feed() -> None:
    facts = decode(C(b"EHLO x.example\nMAIL FROM:<a@example.org>\nQUIT\n"))
    assert facts["mailfrom"] == [b"a@example.org"]
    assert facts["stage"] == "logout"


def test_a_hello_without_an_argument_leaves_the_last_name() -> None:
    facts = decode(
        S("220 mx.example.com ESMTP"),
        C("HELO client.example.org"),
        S("250 mx.example.com"),
        C("EHLO "),
        S("501 Syntax: EHLO hostname"),
        C("MAIL FROM:<alice@example.org>"),
        S("250 2.1.0 Ok"),
    )
    assert facts["helo"] == b"client.example.org"
    assert facts["commands"] == 3


def test_lmtp_is_smtp() -> None:
    assert decode(C("LHLO x.example"), port=2003)["service"] == "smtp"


@pytest.mark.parametrize(
    ("turns", "cause"),
    [
        ([S("220 mx ESMTP"), C("EHLO x.example"), S("250 mx"), C("QUIT")], "hello_only"),
        ([S("220 mx ESMTP"), C("QUIT"), S("221 bye")], "hello_only"),
        ([C("EHLO x.example", "QUIT")], "hello_only"),
        ([S("554 5.7.1 no service for you"), C("QUIT")], "refused"),
        ([S("220 mx ESMTP")], "server_side_only"),
        ([S("220 mx ESMTP"), C(b"")], "greeting_only"),
        ([C("EHLO x.example", "DATA", "X-Mailer: m", "", "text")], "aborted"),
    ],
)
def test_why_there_are_no_addresses(turns: list[Turn], cause: str) -> None:
    assert decode(*turns)["empty_cause"] == cause


def test_chunks_of_a_message_given_up_are_not_the_next_ones() -> None:
    facts = decode(
        C("EHLO x.example", "MAIL FROM:<a@example.org>", "BDAT 16", b"From: a@x.test\r\n", "RSET",
          "BDAT 16 LAST", b"From: b@x.test\r\n", "QUIT")
    )  # fmt: skip
    assert facts["from"] == [b"a@x.test", b"b@x.test"]
    assert facts["messages"] == 1


SMUGGLING = C(
    "EHLO x.example", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "DATA",
    b"From: a@example.org\r\n\r\ntext\n.\nMAIL FROM:<admin@example.org>\n"
    b"RCPT TO:<c@example.com>\nDATA\n"
    b"From: admin@example.org\n\nsmuggled\r\n.\r\n", "QUIT",
)  # fmt: skip


def test_a_dot_between_bare_line_ends_ends_no_message() -> None:
    facts = decode(SMUGGLING)
    assert facts["mailfrom"] == [b"a@example.org"]
    assert facts["messages"] == 1


def test_the_server_decides_what_ended_a_message() -> None:
    start = S("220 mx ESMTP", "250 mx", "250 ok", "250 ok", "354 go", "250 ok: queued")
    took_one = decode(SMUGGLING, start, S("221 bye"))
    assert took_one["mailfrom"] == [b"a@example.org"]
    took_two = decode(
        SMUGGLING, start, S("250 ok", "250 ok", "354 go", "250 ok: queued", "221 bye")
    )
    assert took_two["mailfrom"] == [b"a@example.org", b"admin@example.org"]
    assert took_two["messages"] == 2


def test_the_server_decides_what_ended_a_message_with_mixed_line_ends() -> None:
    mixed = C(SMUGGLING.data.replace(b"text\n", b"text\nmore\n"))
    start = S("220 mx ESMTP", "250 mx", "250 ok", "250 ok", "354 go", "250 ok: queued")
    assert decode(mixed, start, S("221 bye"))["mailfrom"] == [b"a@example.org"]
    took_two = decode(mixed, start, S("250 ok", "250 ok", "354 go", "250 ok: queued", "221 bye"))
    assert took_two["mailfrom"] == [b"a@example.org", b"admin@example.org"]
    assert took_two["messages"] == 2
    assert took_two["findings"] == []


def test_a_client_that_ends_all_lines_so_ends_its_message_so() -> None:
    facts = decode(C(b"EHLO x\nMAIL FROM:<a@example.org>\nDATA\nSubject: s\n\ntext\n.\nQUIT\n"))
    assert (facts["messages"], facts["last_command"]) == (1, b"QUIT")


def test_a_reset_in_the_header_keeps_the_fields_that_were_whole() -> None:
    facts = decode(C("EHLO x", "DATA", "From: a@example.org", b"To: b@exam"))
    assert (facts["from"], facts["to"]) == ([b"a@example.org"], [])
    facts = decode(C("EHLO x", "DATA", "To: a@example.org,", b" b@exam"))
    assert facts["to"] == []


@pytest.mark.parametrize(
    ("replies", "result"),
    [
        (["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "501 5.5.2 Cannot decode"], "failure"),
        (["334 ", "454 4.7.0 Temporary failure"], "failure"),
        (["454 4.7.0 Temporary authentication failure"], "failure"),
        (["334 ", "235 2.7.0 ok"], "success"),
        (["454 4.7.0 TLS not available due to local problem"], ""),
        (["550 5.1.1 no such user"], ""),
    ],
)
def test_the_server_alone_shows_the_outcome_of_a_login(replies: list[str], result: str) -> None:
    facts = decode(S("220 mx.example ESMTP", "250-mx.example", "250 AUTH PLAIN", *replies))
    assert facts["auth_result"] == result


def test_a_server_alone_takes_messages_in_chunks() -> None:  # Sendmail, OpenSMTPD
    accepted = "250 2.0.0 4ASEh2 Message accepted for delivery"
    assert decode(S("220 mx.example ESMTP", "250 ok", "250 ok", accepted))["messages"] == 1


BURL = [
    S("220 mx ESMTP"),
    C("EHLO x"),
    S("250-mx", "250-BURL imap", "250 CHUNKING"),
    C("MAIL FROM:<a@example.org>"),
    S("250 2.1.0 ok"),
    C("RCPT TO:<b@example.com>"),
    S("250 2.1.5 ok"),
    C("BDAT 23", b"From: z@example.org\r\n\r\n", b"BURL imap://x/y;urlauth=z LAST\r\nQUIT\r\n"),
    S("250 ok", "250 2.5.0 ok", "221 2.0.0 bye"),
]


@pytest.mark.parametrize("seen", [BURL, client_only(BURL)])
def test_a_message_whose_last_part_the_server_fetches(seen: list[Turn]) -> None:
    """RFC 4468: BURL stands for a chunk."""
    facts = decode(*seen)
    assert (facts["messages"], facts["commands"]) == (1, 6)
    assert facts["from"] == [b"z@example.org"]


def test_burl_that_the_server_refuses() -> None:
    assert decode(*BURL[:-1], S("250 ok", "554 5.7.0 no", "221 bye"))["messages"] == 0


@pytest.mark.parametrize("command", ["ETRN example.org", "ATRN example.org", "TURN"])
def test_commands_that_turn_the_roles_are_commands(command: str) -> None:
    facts = decode(S("220 mx ESMTP"), C("EHLO x", command, "QUIT"))
    assert facts["commands"] == 3
