"""How far an upgrade to TLS got, from either side and from both."""

from __future__ import annotations

import pytest

from conversation import (
    CLIENT_HELLO,
    SERVER_HELLO,
    C,
    S,
    Turn,
    client_only,
    decode,
    lost,
    server_only,
)

SMTP = [
    S("220 mx ESMTP"),
    C("EHLO x.example"),
    S("250-mx", "250-STARTTLS", "250 SIZE"),
    C("STARTTLS"),
    S("220 2.0.0 Ready to start TLS"),
]
POP3 = [
    S("+OK ready"),
    C("CAPA"),
    S("+OK", "STLS", "UIDL", "."),
    C("STLS"),
    S("+OK Begin TLS negotiation"),
]
IMAP = [
    S("* OK IMAP4rev1 ready"),
    C("a1 CAPABILITY"),
    S("* CAPABILITY IMAP4rev1 STARTTLS", "a1 OK done"),
    C("a2 STARTTLS"),
    S("a2 OK Begin TLS negotiation now"),
]
TLS = [C(CLIENT_HELLO), S(SERVER_HELLO)]
CASES = [("smtp", 25, SMTP), ("pop3", 110, POP3), ("imap", 143, IMAP)]
PROTOCOLS = pytest.mark.parametrize(("service", "port", "turns"), CASES, ids=[c[0] for c in CASES])


@PROTOCOLS
def test_tls_seen_from_both_sides(service: str, port: int, turns: list[Turn]) -> None:
    facts = decode(*turns, *TLS, port=port)
    assert facts["service"] == service
    assert facts["starttls"] == "tls"
    assert facts["implicit_tls"] is False
    assert facts["decode_as"] == "MAIL"
    assert facts["empty_cause"] == "starttls"


@PROTOCOLS
def test_tls_seen_from_one_side(service: str, port: int, turns: list[Turn]) -> None:
    for side in client_only([*turns, *TLS]), server_only([*turns, *TLS]):
        facts = decode(*side, port=port)
        assert (facts["service"], facts["starttls"]) == (service, "tls")


@PROTOCOLS
def test_steps_on_the_way(service: str, port: int, turns: list[Turn]) -> None:  # noqa: ARG001
    assert decode(*turns[:3], port=port)["starttls"] == "offered"
    assert decode(*turns[:4], port=port)["starttls"] == "requested"
    assert decode(*turns, port=port)["starttls"] == "accepted"
    assert decode(*client_only(turns), port=port)["starttls"] == "requested"
    assert decode(*server_only(turns), port=port)["starttls"] == "accepted"


@pytest.mark.parametrize(
    ("port", "turns", "no"),
    [
        (25, SMTP, "454 4.7.0 TLS not available"),
        (25, SMTP, "502 5.5.1 what?"),
        (110, POP3, "-ERR no"),
        (143, IMAP, "a2 BAD no"),
    ],
)
def test_refused(port: int, turns: list[Turn], no: str) -> None:
    assert decode(*turns[:4], S(no), port=port)["starttls"] == "refused"


@pytest.mark.parametrize(
    ("service", "no"),
    [
        ("pop3", "-ERR STLS not implemented, no TLS here"),
        ("imap", "a2 BAD STARTTLS Invalid command"),  # Mailutils
        ("imap", "a2 BAD unknown command: STARTTLS"),
    ],
)
def test_a_server_alone_whose_refusal_names_it(service: str, no: str) -> None:
    turns, port = {"pop3": (POP3, 110), "imap": (IMAP, 143)}[service]
    assert decode(*server_only(turns[:4]), S(no), port=port)["starttls"] == "refused"


def test_plaintext_that_goes_on_is_decoded_on() -> None:
    facts = decode(*SMTP, C("MAIL FROM:<a@example.org>"), S("250 2.1.0 Ok"))
    assert facts["starttls"] == "accepted"
    assert facts["mailfrom"] == [b"a@example.org"]


def test_exchange_calls_it_anonymous() -> None:
    facts = decode(C("EHLO x.example", "X-ANONYMOUSTLS"), C(CLIENT_HELLO))
    assert facts["starttls"] == "tls"


def test_the_ready_reply_is_lost() -> None:
    facts = decode(*SMTP[:4], lost(SMTP[4]), *TLS)
    assert facts["starttls"] == "tls"


def test_the_client_hello_is_lost() -> None:
    key_exchange = bytes.fromhex("1603030046100000420041") + bytes(65)
    facts = decode(*SMTP, lost(TLS[0]), S(SERVER_HELLO), C(key_exchange))
    assert facts["starttls"] == "tls"


def test_everything_before_the_server_hello_is_lost() -> None:
    facts = decode(*client_only(SMTP), C(CLIENT_HELLO), lost(S(b""), 300), S(SERVER_HELLO))
    assert facts["starttls"] == "tls"
    assert facts["implicit_tls"] is False


def test_two_bytes_that_begin_like_tls_are_not() -> None:
    facts = decode(*SMTP, C(b"\x16\x03no\r\nMAIL FROM:<a@example.org>\r\n"))
    assert facts["starttls"] == "accepted"
    assert facts["mailfrom_count"] == 1


def test_tls_from_the_first_byte_is_no_upgrade() -> None:
    facts = decode(*TLS, port=465)
    assert facts["service"] == ""
    assert facts["starttls"] == "none"
    assert facts["implicit_tls"] is True
    assert facts["decode_as"] == "SSL"


def test_a_server_that_warns_of_the_name_before_its_hello() -> None:
    warned = [C(CLIENT_HELLO), S(bytes.fromhex("15030300020170") + SERVER_HELLO)]
    for view in warned, server_only(warned):
        facts = decode(*view, port=993)
        assert (facts["implicit_tls"], facts["decode_as"]) == (True, "SSL")
        assert facts["tls_cipher"] == decode(*TLS, port=993)["tls_cipher"] != b""


def test_tls_to_a_server_that_answers_in_the_clear() -> None:
    facts = decode(C(CLIENT_HELLO), S("220 mx ESMTP"), port=465)
    assert (facts["service"], facts["implicit_tls"]) == ("smtp", True)


@pytest.mark.parametrize(
    ("lines", "commands"),
    [
        (b"STARTTLS\r\nNOOP\r\nSTARTTLS\r\n", 3),  # only what follows the last one is taken back
        (b"STARTTLS\r\n\xc8", 1),
    ],
)
def test_segments_change_nothing_between_starttls_and_the_hello(
    lines: bytes, commands: int
) -> None:
    stream = lines + CLIENT_HELLO
    beginning = lost(C("EHLO x.example"))
    at_once = decode(beginning, C(stream))
    assert (at_once["starttls"], at_once["commands"]) == ("tls", commands)
    assert decode(beginning, *(C(stream[i : i + 1]) for i in range(len(stream)))) == at_once


def test_plain_text_on_the_port_of_implicit_tls() -> None:
    """The server answers with an alert; Exim does."""
    facts = decode(C("EHLO x.example"), S(bytes.fromhex("15030100020246")), port=465)
    assert (facts["service"], facts["implicit_tls"]) == ("smtp", False)
    assert facts["decode_as"] == "MAIL"
