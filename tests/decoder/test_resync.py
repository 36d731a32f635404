"""Finding a footing again: mid-stream starts and missing bytes."""

from __future__ import annotations

import pytest

from conversation import C, S, Turn, decode, lost


def test_a_client_seen_from_the_middle() -> None:
    facts = decode(
        C(b"nd of a message\r\n.\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\n"),
        midstream=True,
    )
    assert facts["service"] == "smtp"
    assert facts["mailfrom"] == [b"a@example.org"]


def test_text_that_mentions_commands_is_no_session_on_an_odd_port() -> None:
    facts = decode(
        C("some text", "MAIL FROM:<a@example.org>", "more text"), port=8000, midstream=True
    )
    assert facts["service"] == ""


def test_a_gap_between_commands() -> None:
    facts = decode(
        C("EHLO x.example"),
        lost(C("MAIL FROM:<a@example.org>")),
        C("RCPT TO:<b@example.com>", "QUIT"),
    )
    assert (facts["mailfrom_count"], facts["rcptto_count"]) == (0, 1)
    assert facts["stage"] == "logout"


def test_a_gap_in_a_body_does_not_hide_the_next_message() -> None:
    facts = decode(
        C("EHLO x.example", "DATA", "From: a@example.org", "", "begin"),
        lost(C("middle")),
        C("To: not-a-header@example.com", ".", "MAIL FROM:<b@example.org>"),
    )
    assert facts["from"] == [b"a@example.org"]
    assert facts["to"] == []
    assert facts["messages"] == 1
    assert facts["mailfrom"] == [b"b@example.org"]


def test_a_gap_that_takes_the_end_of_a_message() -> None:
    facts = decode(
        C("EHLO x.example", "DATA", "Subject: s", "", "begin"),
        lost(C("end", ".")),
        C("MAIL FROM:<b@example.org>"),
    )
    assert facts["mailfrom"] == [b"b@example.org"]


def test_a_header_field_cut_by_a_gap_is_not_claimed() -> None:
    facts = decode(C("EHLO x.example", "DATA", b"To: bob@exam"), lost(C("x")), C("le.com", "."))
    assert facts["to"] == []


def test_a_gap_within_a_chunk() -> None:
    facts = decode(
        C("EHLO x.example", "BDAT 1000", b"From: a@example.org\r\n\r\n" + bytes(77)),
        lost(C(b""), 900),
        C("MAIL FROM:<b@example.org>"),
    )
    assert facts["from"] == [b"a@example.org"]
    assert facts["mailfrom"] == [b"b@example.org"]


def test_a_gap_beyond_a_chunk() -> None:
    facts = decode(
        C("EHLO x.example", "BDAT 100 LAST", b"x" * 50),
        lost(C(b""), 900),
        C("MAIL FROM:<b@example.org>"),
    )
    assert facts["mailfrom"] == [b"b@example.org"]


def test_a_gap_in_a_retrieved_message() -> None:
    facts = decode(
        S("+OK ready", "+OK 100 octets", "From: a@example.org", "", "text"),
        lost(S("text", ".")),
        S("+OK bye"),
        port=110,
    )
    assert facts["from"] == [b"a@example.org"]
    assert facts["last_reply"] == b"+OK bye"


def test_a_gap_in_an_imap_literal() -> None:
    facts = decode(
        S("* OK IMAP4rev1 ready", "* 1 FETCH (BODY[] {1000}", b"From: a@example.org\r\n\r\n"),
        lost(S(b""), 977),
        S(")", "a1 OK done"),
        port=143,
    )
    assert facts["from"] == [b"a@example.org"]
    assert facts["messages"] == 1
    assert facts["last_reply"] == b"a1 OK done"


def test_the_first_bytes_are_missing() -> None:
    facts = decode(lost(S(b""), 40), S("250 2.1.0 Ok", "354 go"))
    assert facts["service"] == "smtp"
    assert facts["banner"] == b""


def test_replies_are_not_matched_across_a_gap() -> None:
    facts = decode(
        lost(S("220 mx ESMTP")),
        C("EHLO x.example"),
        S("250 mx"),
        C("STARTTLS"),
        S("502 what?"),
    )
    assert facts["starttls"] == "requested"


@pytest.mark.parametrize(
    ("turns", "port", "field"),
    [
        ([C(b"EHLO client.lab")], 25, "helo"),
        ([C("EHLO x"), C(b"MAIL FROM:a@exam")], 25, "mailfrom"),
        ([C("EHLO x"), C(b"AUTH PLAIN AGJvYgBz")], 25, "user"),
        ([S(b"220 mx.exam")], 25, "banner"),
        ([C("CAPA", b"USER ali")], 110, "user"),
        ([S("+OK ready", "+OK 90 octets", b"From: Ann <ann@exam")], 110, "from"),
        ([C(b"a1 LOGIN ali")], 143, "user"),
        ([C("a1 LOGIN {5}", b"ali")], 143, "user"),
    ],
)
@pytest.mark.parametrize("length", [0, 2, 700])
def test_what_is_cut_is_not_claimed(turns: list[Turn], port: int, field: str, length: int) -> None:
    facts = decode(*turns, lost(Turn(turns[-1].client), length), port=port)
    assert not facts[field]  # type: ignore[literal-required]
    if turns[-1].data != b"ali":
        assert not decode(*turns, port=port)[field]  # type: ignore[literal-required]


QUOTED = ["MAIL FROM:<x@example.org>", "RCPT TO:<y@example.org>", "QUIT"]


@pytest.mark.parametrize("quoted", [QUOTED[:1], QUOTED[1:2], QUOTED])
def test_commands_quoted_in_a_body_are_no_commands(quoted: list[str]) -> None:
    facts = decode(
        C("EHLO x.example", "DATA", "Subject: s", "", "text"),
        lost(C("more text")),
        C(*quoted, "text goes on", ".", "QUIT"),
    )
    assert (facts["mailfrom"], facts["rcptto"], facts["messages"]) == ([], [], 1)
    assert facts["last_command"] == b"QUIT"


def test_commands_after_a_body_whose_end_is_missing_count() -> None:
    facts = decode(
        C("EHLO x.example", "DATA", "Subject: s", "", "text"),
        lost(C("more text", ".")),
        C(
            "MAIL FROM:<b@example.org>",
            "RCPT TO:<c@example.com>",
            "DATA",
            "From: b@example.org",
            "",
            ".",
        ),
    )
    assert (facts["mailfrom"], facts["rcptto"]) == ([b"b@example.org"], [b"c@example.com"])
    assert facts["from"] == [b"b@example.org"]


def test_a_chunk_that_ends_within_a_gap_leaves_nothing_behind() -> None:
    facts = decode(
        C("EHLO x.example", "BDAT 100", b"Subject: first\r\n"),
        lost(C(b""), 200),
        C("RSET", "BDAT 28 LAST", b"From: b@example.org\r\n\r\ntext\r\n"[:28]),
    )
    assert facts["from"] == [b"b@example.org"]


def test_on_any_port_the_ends_of_a_hello_and_starttls_are_enough() -> None:
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100)
    facts = decode(
        S("250-mx.example", "250-PIPELINING", "250 STARTTLS"),
        C("STARTTLS"), S("220 go"), C(hello), port=2525, midstream=True,
    )  # fmt: skip
    assert (facts["service"], facts["starttls"], facts["client"].name) == ("smtp", "tls", "ORIG")


@pytest.mark.parametrize(
    ("port", "service", "decode_as"),
    [(25, "smtp", "MAIL"), (143, "imap", "MAIL"), (993, "", "SSL"), (8443, "", "SSL")],
)
def test_tls_without_its_beginning_had_starttls_where_that_is_usual(
    port: int, service: str, decode_as: str
) -> None:
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100)
    facts = decode(C(hello), port=port, midstream=True)
    assert (facts["service"], facts["decode_as"]) == (service, decode_as)
    assert facts["starttls"] == ("tls" if service else "none")


GREETINGS = {
    "smtp": (25, "220 mx.example ESMTP Postfix", b"mx.example ESMTP Postfix"),
    "lmtp": (25, "220 mx.example Dovecot (Debian) ready.", b"mx.example Dovecot (Debian) ready."),
    "pop3": (110, "+OK Dovecot (Debian) ready.", b"Dovecot (Debian) ready."),
    "imap": (143, "* OK [CAPABILITY IMAP4rev1] ready.", b"[CAPABILITY IMAP4rev1] ready."),
}


@pytest.mark.parametrize("service", GREETINGS)
def test_a_greeting_tells_that_nothing_came_before_it(service: str) -> None:
    port, line, banner = GREETINGS[service]
    assert decode(S(line), port=port, midstream=True)["banner"] == banner


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("220 2.0.0 SMTP server ready", 25),  # Exchange, to STARTTLS
        ("220 TLS go ahead", 25),
        ("+OK Mailbox locked and ready", 110),  # Cyrus, to PASS
        ("+OK Begin TLS negotiation now.", 110),
        ("+OK POP3 clients that break here, they violate STD53.", 110),  # Courier, to LIST
        ("+OK 1 <4711@mail.example>", 110),
        ("+OK POP server signing off", 110),  # 1&1, to QUIT
        ("* OK [UIDVALIDITY 1] UIDs valid", 143),
    ],
)
def test_what_only_resembles_a_greeting_is_none(line: str, port: int) -> None:
    assert decode(S(line), port=port, midstream=True)["banner"] == b""


def test_a_greeting_is_enough_on_any_port() -> None:
    assert decode(S("220 mx.example ESMTP"), port=2525, midstream=True)["service"] == "smtp"
    assert decode(S("250-PIPELINING"), port=2525, midstream=True)["service"] == ""


def test_behind_a_greeting_replies_are_matched_although_the_handshake_is_missing() -> None:
    turns = [
        S("+OK mail.example Cyrus POP3 server ready"),
        C("USER bob"),
        S("+OK"),
        C("PASS secret"),
        S("+OK"),
        C("QUIT"),
        S("+OK"),
    ]
    facts = decode(*turns, port=110, midstream=True)
    assert (facts["auth_result"], facts["empty_cause"]) == ("success", "login_only")
    facts = decode(turns[0], *turns[5:], port=110, midstream=True)
    assert facts["empty_cause"] == "hello_only"
    refused = [C("CAPA"), S("-ERR what?"), C("STLS"), S("-ERR Unrecognized command")]
    facts = decode(turns[0], *refused, port=110, midstream=True)
    assert facts["starttls"] == "refused"


def test_a_gap_behind_a_greeting_still_unmatches_replies() -> None:
    facts = decode(
        S("+OK mail.example Cyrus POP3 server ready"),
        lost(C("USER bob")),
        S("+OK"),
        C("PASS secret"),
        S("+OK"),
        port=110,
        midstream=True,
    )
    assert facts["auth_result"] == ""


def test_listings_behind_a_bare_ok_are_pop3_on_its_port() -> None:
    """Mailutils says no more; Redis, which says +OK as well, lists nothing."""
    listings = S("+OK", "1 388", "2 744", ".", "+OK", "1 6ad626a5.1", "2 c33d4327.2", ".", "+OK")
    assert decode(listings, port=110, midstream=True)["service"] == "pop3"
    assert decode(listings, port=6379, midstream=True)["service"] == ""


def test_a_servers_weak_line_counts_on_any_port_where_the_client_names_the_protocol() -> None:
    facts = decode(C("z9 FETCH 1 FLAGS", "z10 LOGOUT"), S("z9 OK done"), port=1430, midstream=True)
    assert (facts["service"], facts["replies"]) == ("imap", 1)
    facts = decode(S("+OK Logged in.", "+OK 2 300", "+OK 2 messages:"), port=1100, midstream=True)
    assert (facts["service"], facts["auth_result"]) == ("pop3", "success")


def test_weak_lines_of_both_sides_name_a_protocol_on_any_port() -> None:
    client, server = ["USER bob", "PASS x", "QUIT"], ["+OK", "+OK Logged in.", "+OK Bye", "+OK"]
    assert decode(C(*client), S(*server), port=1100, midstream=True)["service"] == "pop3"
    assert decode(C(*client), port=1100, midstream=True)["service"] == ""
    assert decode(S(*server), port=1100, midstream=True)["service"] == ""
    ftp = ["331 Password required", "230 Logged in", "221 Bye"]
    assert decode(C(*client), S(*ftp), port=2121, midstream=True)["service"] == ""


def test_another_protocol_first_in_the_middle_is_found_again() -> None:
    facts = decode(S("+ idling", "* 3 EXISTS", "* 1 RECENT"), port=1430, midstream=True)
    assert facts["service"] == "imap"


def test_a_refused_pop3_login_is_no_imap_command() -> None:
    facts = decode(S("-ERR Login failed.", "+OK Password required."), port=110, midstream=True)
    assert (facts["service"], facts["auth_result"]) == ("pop3", "failure")


def test_text_on_a_mail_port_is_not_taken_for_another_protocols() -> None:
    facts = decode(C("a list of things", "to store in boxes", "or copy them"), midstream=True)
    assert facts["service"] == ""
    facts = decode(C("a list of things", ".", "MAIL FROM:<a@example.org>"), midstream=True)
    assert (facts["service"], facts["mailfrom"]) == ("smtp", [b"a@example.org"])


def test_an_unknown_command_behind_others_does_not_make_them_text() -> None:
    facts = decode(C("HELP", "NONSENSE argument", "QUIT"), midstream=True)
    assert (facts["commands"], facts["last_command"]) == (2, b"QUIT")


def test_a_client_that_ends_its_lines_in_lf_is_seen_from_the_middle() -> None:
    stream = "RCPT TO:<b@example.com>|DATA|From: a@example.org||text|.|QUIT|".replace("|", "\n")
    facts = decode(C(stream.encode()), midstream=True)
    assert (facts["rcptto_count"], facts["messages"]) == (1, 1)
    assert facts["last_command"] == b"QUIT"


def test_a_gap_in_a_message_whose_lines_end_in_lf() -> None:
    before = "EHLO x|MAIL FROM:<a@example.org>|RCPT TO:<b@example.com>|DATA|Subject: s||text|"
    facts = decode(C(before.replace("|", "\n").encode()), lost(C("more")), C(b"rest\n.\nQUIT\n"))
    assert (facts["messages"], facts["last_command"]) == (1, b"QUIT")


def test_a_gap_in_a_message_with_a_dot_of_other_line_ends() -> None:
    """The client ends its lines in CR LF: such a dot may be the text's."""
    turns = [C("EHLO x", "MAIL FROM:<a@example.org>", "DATA", "Subject: s", "", "text")]
    facts = decode(*turns, lost(C("more")), C(b"rest\n.\nQUIT\n"))
    assert facts["messages"] == 0
