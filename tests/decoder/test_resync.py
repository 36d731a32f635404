"""Finding a footing again: mid-stream starts and missing bytes."""

from __future__ import annotations

from conversation import C, S, decode, lost


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
