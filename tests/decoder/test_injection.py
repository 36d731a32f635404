"""Commands and replies in the clear between STARTTLS and the hello: found, and counted nowhere."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation import CLIENT_PORT, PORTS, C, S, client_only, decode, lost, server_only
from mailtap._engine import Decoder, Side
from upgrades import (
    ACCEPT,
    BARE_ACCEPT,
    CAPABILITIES,
    COMMANDS,
    GREETING,
    REFUSE,
    REPLIES,
    REQUEST,
    SERVICES,
    TLS,
    findings,
    opening,
    seen,
)


@SERVICES
def test_a_clean_upgrade_has_no_finding(service: str) -> None:
    for accept in ACCEPT, BARE_ACCEPT:
        assert seen([*opening(service), S(accept[service]), *TLS], service) == (set(),) * 3


@SERVICES
def test_commands_before_the_hello(service: str) -> None:
    clean = [*opening(service), S(ACCEPT[service]), *TLS]
    turns = [
        *opening(service), C(*COMMANDS[service]), S(ACCEPT[service]), *TLS,
    ]  # fmt: skip
    assert seen(turns, service) == ({"command_injected"}, {"command_injected"}, set())
    for view in list(turns), client_only(turns):
        injected = decode(*view, port=PORTS[service])
        expected = decode(*(clean if view == turns else client_only(clean)), port=PORTS[service])
        assert injected["starttls"] == "tls"
        assert injected | {"findings": []} == expected


def test_a_message_injected_with_its_end_open() -> None:
    """The encrypted commands would become the message's text."""
    turns = [
        *opening("smtp"),
        C("MAIL FROM:<evil@example.org>", "RCPT TO:<b@example.com>", "DATA"),
        C("From: evil@example.org", ""),
        S(ACCEPT["smtp"]), *TLS,
    ]  # fmt: skip
    facts = decode(*turns)
    assert findings(facts) == {"command_injected"}
    assert (facts["mailfrom"], facts["rcptto"], facts["from"]) == ([], [], [])
    assert (facts["messages"], facts["commands"]) == (0, 2)


def test_a_command_whose_line_does_not_end() -> None:
    facts = decode(*opening("smtp"), C(b"MAIL FROM:<evil@example.org> X="), *TLS)
    assert findings(facts) == {"command_injected"}
    assert facts["mailfrom"] == []


@SERVICES
def test_replies_before_the_hello(service: str) -> None:
    turns = [*opening(service), S(ACCEPT[service], *REPLIES[service]), *TLS]
    assert seen(turns, service) == ({"response_injected"}, set(), {"response_injected"})
    clean = decode(*opening(service), S(ACCEPT[service]), *TLS, port=PORTS[service])
    assert decode(*turns, port=PORTS[service]) | {"findings": []} == clean


@SERVICES
def test_replies_behind_an_acceptance_in_other_words(service: str) -> None:
    turns = [*opening(service), S(BARE_ACCEPT[service], *REPLIES[service][-1:]), *TLS]
    facts = decode(*turns, port=PORTS[service])
    assert findings(facts) == {"response_injected"}
    clean = decode(*opening(service), S(BARE_ACCEPT[service]), *TLS, port=PORTS[service])
    assert facts["replies"] == clean["replies"]


def test_untagged_responses_before_the_acceptance_are_legal() -> None:
    turns = [*opening("imap"), S("* OK still here", ACCEPT["imap"]), *TLS]
    assert seen(turns, "imap") == (set(),) * 3


@SERVICES
def test_a_client_that_was_refused_goes_on_in_the_clear(service: str) -> None:
    turns = [*opening(service), S(REFUSE[service]), C(*COMMANDS[service][:1])]
    assert seen(turns, service) == (set(),) * 3


@SERVICES
def test_a_client_that_was_refused_asks_again(service: str) -> None:
    again = REQUEST[service].replace("a2", "a9")
    turns = [
        *opening(service), S(REFUSE[service]), *CAPABILITIES[service],
        C(again), S(ACCEPT[service].replace("a2", "a9")), *TLS,
    ]  # fmt: skip
    assert seen(turns, service) == (set(),) * 3


@SERVICES
def test_a_hello_behind_missing_bytes_proves_nothing(service: str) -> None:
    turns = [*opening(service), C(COMMANDS[service][0]), lost(C(b""), 300), *TLS]
    assert "command_injected" not in findings(decode(*turns, port=PORTS[service]))


def test_an_empty_line_is_no_command() -> None:
    assert seen([*opening("smtp"), C(""), S(ACCEPT["smtp"]), *TLS], "smtp") == (set(),) * 3


@SERVICES
@pytest.mark.parametrize("refused_first", [False, True])
def test_a_second_request_among_the_injected_commands(service: str, refused_first: bool) -> None:
    """It would have what stands before it count, if it were the one that was accepted. Only the
    replies tell that it wasn't: from the client alone, the first may have been refused.
    """
    refused = [C(REQUEST[service].replace("a2", "a0")), S(REFUSE[service].replace("a2", "a0"))]
    before = [GREETING[service], *CAPABILITIES[service], *(refused if refused_first else [])]
    clean = [*before, C(REQUEST[service]), S(ACCEPT[service]), *TLS]
    injected = C(*COMMANDS[service], REQUEST[service].replace("a2", "a9"))
    turns = [*before, C(REQUEST[service]), injected, S(ACCEPT[service]), *TLS]
    assert "command_injected" not in findings(decode(*client_only(turns), port=PORTS[service]))
    facts = decode(*turns, port=PORTS[service])
    assert findings(facts) == {"command_injected"}
    assert facts | {"findings": []} == decode(*clean, port=PORTS[service])


@given(
    st.sampled_from(sorted(PORTS)),
    st.integers(0, 5),
    st.lists(st.booleans(), max_size=5),
    st.booleans(),
)
def test_however_often_tls_was_requested(
    service: str, refused: int, injected: list[bool], bare: bool
) -> None:
    """Requests that were refused come before the one that is accepted; behind it commands were
    injected, requests (True) among them, or nothing.
    """
    turns = [GREETING[service], *CAPABILITIES[service]]
    for n in range(refused):
        turns.append(C(REQUEST[service].replace("a2", f"b{n}")))
        turns.append(S(REFUSE[service].replace("a2", f"b{n}")))
    accept = S((BARE_ACCEPT if bare else ACCEPT)[service])
    commands = [
        REQUEST[service].replace("a2", f"c{n}") if again else COMMANDS[service][1]
        for n, again in enumerate(injected)
    ]
    clean = [*turns, C(REQUEST[service]), accept, *TLS]
    turns += [C(REQUEST[service]), *([C(*commands)] if commands else []), accept, *TLS]
    facts = decode(*turns, port=PORTS[service])
    assert findings(facts) == ({"command_injected"} if commands else set())
    expected = decode(*clean, port=PORTS[service])
    # What came behind the second request isn't told apart: none of it counts.
    apart = {"findings", *(("commands", "last_reply") if refused > 1 else ())}
    assert {n: v for n, v in facts.items() if n not in apart} == {
        n: v for n, v in expected.items() if n not in apart
    }
    assert facts["commands"] <= expected["commands"]


@pytest.mark.parametrize("time", ["", "; Sun, 29 Nov 2026 01:02:0{}"])
@pytest.mark.parametrize("words", ["ready", "(TLS is our friend)"])
def test_the_greeting_after_xclient_accepts_nothing(words: str, time: str) -> None:
    first, second = (S(f"220 mx.example ESMTP {words}{time.format(n)}") for n in (1, 2))
    before = [first, *CAPABILITIES["smtp"], C("XCLIENT ADDR=192.0.2.1"), second]
    again = [*CAPABILITIES["smtp"], C(REQUEST["smtp"])]
    for accept in ACCEPT, BARE_ACCEPT:
        assert seen([*before, *again, S(accept["smtp"]), *TLS], "smtp") == (set(),) * 3
    injected = [*before, *again, S(ACCEPT["smtp"], *REPLIES["smtp"]), *TLS]
    assert seen(injected, "smtp") == ({"response_injected"}, set(), {"response_injected"})
    assert decode(*server_only(before))["starttls"] == "offered"


@SERVICES
def test_a_second_acceptance_among_the_injected_replies(service: str) -> None:
    """A server accepts once: what follows isn't its own, whatever it says."""
    clean = [*opening(service), S(ACCEPT[service]), *TLS]
    turns = [*opening(service), S(ACCEPT[service], *REPLIES[service], ACCEPT[service]), *TLS]
    assert seen(turns, service) == ({"response_injected"}, set(), {"response_injected"})
    for only in list, server_only:
        facts = decode(*only(turns), port=PORTS[service])
        assert facts | {"findings": []} == decode(*only(clean), port=PORTS[service])


@SERVICES
def test_a_server_whose_tls_fails_and_that_accepts_again(service: str) -> None:
    turns = [
        *opening(service), S(ACCEPT[service]), S(REFUSE[service]),
        C(REQUEST[service].replace("a2", "a9")), S(ACCEPT[service].replace("a2", "a9")), *TLS,
    ]  # fmt: skip
    assert "response_injected" not in seen(turns, service)[2]


@given(
    st.sampled_from(sorted(PORTS)),
    st.sampled_from(list(Side)),
    st.booleans(),
    st.lists(st.integers(0, 700), max_size=12),
)
def test_segments_change_nothing(service: str, side: Side, again: bool, cuts: list[int]) -> None:
    """The side in segments is the one in whose text something was injected."""
    client, server = [*COMMANDS[service]], [ACCEPT[service]]
    if side == Side.RESP:
        client, server = [], [ACCEPT[service], *REPLIES[service]]
    if again:
        (client if side == Side.ORIG else server).append(
            (REQUEST if side == Side.ORIG else ACCEPT)[service].replace("a2", "a9")
        )
    turns = [*opening(service), *([C(*client)] if client else []), S(*server), *TLS]
    streams = {
        Side.ORIG: b"".join(turn.data for turn in client_only(turns)),
        Side.RESP: b"".join(turn.data for turn in server_only(turns)),
    }
    decoder = Decoder(CLIENT_PORT, PORTS[service])
    places = [0, *sorted(cuts), len(streams[side])]
    for start, end in pairwise(places):
        decoder.data(side, streams[side][start:end])
    other = Side.RESP if side == Side.ORIG else Side.ORIG
    decoder.data(other, streams[other])
    facts = decoder.facts(True, True)
    assert findings(facts) == {f"{'command' if side == Side.ORIG else 'response'}_injected"}
    clean = decode(*opening(service), S(ACCEPT[service]), *TLS, port=PORTS[service])
    assert facts | {"findings": []} == clean
