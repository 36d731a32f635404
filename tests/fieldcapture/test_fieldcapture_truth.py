"""The truth of sessions, spelled out."""

from __future__ import annotations

import json
from email import message_from_bytes
from email.header import decode_header, make_header
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcapture import (
    KINDS,
    Facts,
    Makeup,
    Row,
    Shown,
    Side,
    Turn,
    View,
    build,
    draw_capture,
    facts,
    random_makeup,
    views_of,
)
from fieldcapture.dialogue import Script, Stage, StartTls
from fieldcapture.messages import dot_stuffed, message

seeds = st.integers(min_value=0, max_value=2**31)
kinds = st.sampled_from(sorted(KINDS))


def facts_of(kind: str, view: View, seed: int = 1) -> Facts:
    return facts(build(kind, Random(seed)).seen(view), view)


def small_talk() -> list[Turn]:
    """An envelope whose server answers in kind."""
    script = Script("by hand", "smtp", 25)
    script.server("220 mx.example.org ESMTP", stage=Stage.GREETING)
    script.client("EHLO c.example", helo="c.example", stage=Stage.HELLO, command=True)
    script.server(
        "250-mx.example.org\r\n250 STARTTLS", starttls=StartTls.OFFERED, stage=Stage.HELLO
    )
    script.client(
        "MAIL FROM:<a@example.com>", mailfrom=("a@example.com",), stage=Stage.ENVELOPE, command=True
    )
    script.server("250 ok", stage=Stage.ENVELOPE)
    return script.turns


def seen_of(turns: list[Turn], view: View) -> list[Turn]:
    return [turn for turn in turns if view.sees(turn.side)]


def test_a_client_shows_the_envelope() -> None:
    assert facts(seen_of(small_talk(), View.C2S), View.C2S) == Facts(
        service="smtp",
        decode_as="MAIL",
        helo="c.example",
        mailfrom=("a@example.com",),
        mailfrom_count=1,
    )


def test_a_server_shows_none_of_it() -> None:
    assert facts(seen_of(small_talk(), View.S2C), View.S2C) == Facts(
        service="smtp", decode_as="MAIL", starttls=StartTls.OFFERED, empty_cause="server_side_only"
    )


def test_both_sides_show_what_either_shows() -> None:
    assert facts(small_talk(), View.BOTH) == Facts(
        service="smtp",
        decode_as="MAIL",
        starttls=StartTls.OFFERED,
        helo="c.example",
        mailfrom=("a@example.com",),
        mailfrom_count=1,
    )


def test_nothing_seen_is_no_mail() -> None:
    assert facts([], View.C2S) == Facts()


@pytest.mark.parametrize(
    ("kind", "c2s", "s2c", "both"),
    [
        ("smtp_starttls", "starttls", "starttls", "starttls"),
        ("smtp_starttls_requested", "starttls", "server_side_only", "starttls"),
        ("smtp_starttls_plaintext", None, "starttls", None),
        ("smtp_starttls_refused", None, "server_side_only", None),
        ("smtp_hello_only", "hello_only", "server_side_only", "hello_only"),
        ("smtp_hello_refused", "hello_only", "server_side_only", "refused"),
        ("smtp_greeting_only", None, "server_side_only", "greeting_only"),
        ("smtp_greeting_refused", "hello_only", "server_side_only", "refused"),
        ("smtp_auth_failed", "login_only", "server_side_only", "refused"),
        ("smtp_envelope", None, "server_side_only", None),
        ("smtp_message", None, "server_side_only", None),
        ("pop3_login_only", "client_side_only", "login_only", "login_only"),
        ("pop3_login_failed", "client_side_only", "refused", "refused"),
        ("pop3_list", "client_side_only", "no_message", "no_message"),
        ("pop3_greeting_only", None, "greeting_only", "greeting_only"),
        ("pop3_retr", "client_side_only", None, None),
        ("pop3_stls", "starttls", "starttls", "starttls"),
        ("imap_login_only", "client_side_only", "login_only", "login_only"),
        ("imap_greeting_only", None, "greeting_only", "greeting_only"),
        ("imap_select", "client_side_only", "no_message", "no_message"),
        ("imap_fetch_message", "client_side_only", None, None),
        ("imap_append", "client_side_only", "no_message", "no_message"),
        ("imap_starttls", "starttls", "starttls", "starttls"),
        ("ftp", None, None, None),
        ("redis", None, None, None),
        ("openvpn", None, None, None),
    ],
)  # fmt: skip
def test_why_a_session_has_no_addresses(
    kind: str, c2s: str | None, s2c: str | None, both: str | None
) -> None:
    causes = [facts_of(kind, view).empty_cause for view in (View.C2S, View.S2C, View.BOTH)]
    assert causes == [c2s, s2c, both]


@pytest.mark.parametrize(
    ("kind", "c2s", "s2c", "both"),
    [
        ("smtp_starttls", "tls", "tls", "tls"),
        ("smtp_anonymous_tls", "tls", "tls", "tls"),
        ("smtp_starttls_requested", "requested", "offered", "requested"),
        ("smtp_starttls_plaintext", "requested", "accepted", "accepted"),
        ("smtp_starttls_refused", "requested", "refused", "refused"),
        ("pop3_stls_refused", "requested", "refused", "refused"),
        ("imap_starttls", "tls", "tls", "tls"),
        ("tls", "none", "none", "none"),
        ("openvpn", "none", "none", "none"),
    ],
)
def test_how_far_an_upgrade_goes(kind: str, c2s: str, s2c: str, both: str) -> None:
    steps = [facts_of(kind, view).starttls.name.lower() for view in (View.C2S, View.S2C, View.BOTH)]
    assert steps == [c2s, s2c, both]


@pytest.mark.parametrize(
    ("kind", "service", "tunnel", "decode_as"),
    [
        ("smtp_message", "smtp", None, "MAIL"),
        ("pop3_stls", "pop3", None, "MAIL"),
        ("http_imap", "imap", "http", "HTTP"),
        ("http_pop3", "pop3", "http", "HTTP"),
        ("socks5_smtp", "smtp", "socks", "MAIL"),
        ("socks4_imap", "imap", "socks", "MAIL"),
        ("http_tls", None, None, "HTTP"),
        ("http", None, None, "HTTP"),
        ("tls", None, None, "SSL"),
        ("implicit_tls", None, None, "SSL"),
        ("ssh", None, None, "BASE"),
        ("syn_scan", None, None, "BASE"),
    ],
)
def test_what_a_session_is_decoded_as(
    kind: str, service: str | None, tunnel: str | None, decode_as: str
) -> None:
    shown = facts_of(kind, View.BOTH)
    assert (shown.service, shown.tunnel, shown.decode_as) == (service, tunnel, decode_as)


def test_a_tunnel_names_the_agent_that_opened_it() -> None:
    assert (facts_of("http_imap", View.C2S).user_agent or "").startswith("python-socks/")


def test_the_null_sender_is_written_as_such() -> None:
    assert facts_of("smtp_null_sender", View.C2S).mailfrom == ("<>",)


def test_a_byte_that_is_no_utf8_is_four_characters() -> None:
    dialogue = build("smtp_latin1", Random(1))
    assert b"MAIL FROM:<jos\xe9@example.org>\r\n" in dialogue.client
    assert facts_of("smtp_latin1", View.C2S).mailfrom == ("jos\\xe9@example.org",)


def test_a_to_that_names_nobody_is_empty() -> None:
    shown = facts_of("smtp_without_to", View.C2S)
    assert shown.from_ and not shown.to and shown.rcptto


def test_the_record_has_the_names_of_the_session_record() -> None:
    (session,) = draw_capture(
        Makeup((Row("syn_unanswered", c2s=1),), ports=(25,), ipv6=0.0), 1
    ).sessions
    record = session.record()
    assert record == {
        "kind": "syn_unanswered",
        "ts": session.traffic.ts / 1_000_000,
        "id.orig_h": session.client.host,
        "id.orig_p": session.client.port,
        "id.resp_h": session.server.host,
        "id.resp_p": 25,
        "client_h": session.client.host,
        "client_p": session.client.port,
        "server_h": session.server.host,
        "server_p": 25,
        "direction": "c2s",
        "starttls": "none",
        "implicit_tls": False,
        "decode_as": "BASE",
        "effective": False,
        "client_pkts": session.traffic.packets[Side.CLIENT],
        "client_bytes": 0,
        "server_pkts": 0,
        "server_bytes": 0,
        "gap_bytes": 0,
        "midstream": False,
        "mailfrom": [],
        "rcptto": [],
        "from": [],
        "to": [],
        "mailfrom_count": 0,
        "rcptto_count": 0,
        "messages": 0,
    }


@given(kinds, seeds)
def test_no_side_alone_says_what_both_do_not(kind: str, seed: int) -> None:
    both = facts_of(kind, View.BOTH, seed) if View.BOTH in views_of(kind) else None
    for view in (View.C2S, View.S2C) if both else ():
        alone = facts_of(kind, view, seed)
        assert alone.service in (None, both.service)
        assert alone.starttls <= both.starttls
        assert alone.messages <= both.messages
        for field in ("mailfrom", "rcptto", "from_", "to"):
            assert set(getattr(alone, field)) <= set(getattr(both, field))


@given(seeds, st.sampled_from(["plain", "encoded"]))
def test_header_items_are_what_another_reader_of_mail_makes_of_them(seed: int, style: str) -> None:
    rng = Random(seed)
    letter = message(rng, "a@example.org", ("b@example.net",), style)
    parsed = message_from_bytes(letter.header)

    def decoded(name: str) -> str:
        return str(make_header(decode_header(" ".join(str(parsed[name]).split()))))

    assert (decoded("From"),) == letter.from_
    assert (decoded("To"),) == letter.to
    assert decoded("Subject") == letter.subject


@given(st.lists(st.sampled_from([b".", b"..", b".x", b"x", b""])))
def test_dot_stuffing_leaves_no_line_of_a_single_dot(lines: list[bytes]) -> None:
    text = b"".join(line + b"\r\n" for line in lines)
    stuffed = dot_stuffed(text)
    assert b"." not in stuffed.split(b"\r\n")
    unstuffed = [line[1:] if line.startswith(b".") else line for line in stuffed.split(b"\r\n")]
    assert b"\r\n".join(unstuffed) == text


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_no_secret_is_ever_part_of_the_truth(seed: int) -> None:
    sessions = draw_capture(random_makeup(seed, 10), seed).sessions
    assert "s3cr3t" not in json.dumps([session.record() for session in sessions])


def test_a_turn_shows_nothing_unless_given() -> None:
    assert Turn(Side.CLIENT, b"x").shown == Shown()
