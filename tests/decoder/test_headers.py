"""A message's header fields, as they come by DATA."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conversation import C, decode

if TYPE_CHECKING:
    from mailtap._engine import Facts


def header(*lines: str | bytes) -> Facts:
    return decode(C("EHLO x.example", "DATA", *lines, "", "body", "."))


def test_fields_are_unfolded() -> None:
    facts = header("Subject: one", " two", "\tthree", "To: a@example.org,", " b@example.com")
    assert facts["subject"] == b"one two three"
    assert facts["to"] == [b"a@example.org", b"b@example.com"]


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("=?utf-8?B?R3LDvMOfZQ==?=", "Grüße"),
        ("=?UTF-8?q?Gr=C3=BC=C3=9Fe_an_alle?=", "Grüße an alle"),
        ("=?iso-8859-1?Q?Gr=FC=DFe?= heute", "Grüße heute"),
        ("=?windows-1252?Q?=80_5?=", "€ 5"),
        ("=?utf-8?Q?one?= =?utf-8?Q?two?=", "onetwo"),
        ("=?utf-8?Q?one?= two", "one two"),
        ("=?koi8-r?B?8NLJ18XU?=", "=?koi8-r?B?8NLJ18XU?="),
        ("=?utf-8?Q?broken", "=?utf-8?Q?broken"),
        ("=?utf-8?Q?=4?=", "=?utf-8?Q?=4?="),
    ],
)
def test_encoded_words(subject: str, text: str) -> None:
    assert header(f"Subject: {subject}")["subject"].decode() == text


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("a@example.org, b@example.com", ["a@example.org", "b@example.com"]),
        ('"Doe, J" <j@example.org>, k@example.org', ['"Doe, J" <j@example.org>', "k@example.org"]),
        ("a@example.org (not, one)", ["a@example.org (not, one)"]),
        ("=?utf-8?Q?J=C3=BCrgen=2C_D?= <j@example.org>", ["Jürgen, D <j@example.org>"]),
        ("undisclosed-recipients:;", []),
        ("team: a@example.org, b@example.com;, c@example.net",
         ["a@example.org", "b@example.com", "c@example.net"]),
        ("a@[IPv6:2001:db8::1]", ["a@[IPv6:2001:db8::1]"]),
        (",, ,", []),
    ],
)  # fmt: skip
def test_addresses(value: str, items: list[str]) -> None:
    assert [item.decode() for item in header(f"To: {value}")["to"]] == items


def test_names_are_without_case_and_with_blanks_before_the_colon() -> None:
    facts = header("FROM : a@example.org", "to:b@example.com", "message-id: <1@x>", "X-MAILER: m 1")
    assert facts["from"] == [b"a@example.org"]
    assert facts["to"] == [b"b@example.com"]
    assert facts["msg_id"] == b"<1@x>"
    assert facts["user_agent"] == b"m 1"


def test_a_line_that_is_no_field_ends_the_header() -> None:
    assert header("From: a@example.org", "no field", "To: b@example.com")["to"] == []


def test_the_line_that_mailbox_files_begin_with_is_passed_over() -> None:
    facts = header("From a@example.org Thu Jan  1 00:00:00 1970", "From: b@example.org")
    assert facts["from"] == [b"b@example.org"]


def test_bytes_that_are_no_utf_8_pass_as_they_are() -> None:
    assert header(b"Subject: Gr\xfc\xdfe\r\n")["subject"] == b"Gr\xfc\xdfe"


def test_sets_are_capped_and_counts_are_not() -> None:
    many = [f"RCPT TO:<user{n}@example.com>" for n in range(1000)]
    facts = decode(C("EHLO x.example", "MAIL FROM:<a@example.org>", *many))
    assert facts["rcptto_count"] == 1000
    assert 0 < len(facts["rcptto"]) <= 64
