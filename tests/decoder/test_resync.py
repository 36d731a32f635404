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
