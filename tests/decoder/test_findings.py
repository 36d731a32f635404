"""What is wrong with a session's encryption, each side alone where its bytes show it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation import (
    CLIENT_HELLO,
    CLIENT_PORT,
    PORTS,
    SERVER_HELLO,
    C,
    S,
    Turn,
    client_only,
    decode,
    lost,
    server_only,
)
from fieldcapture import KINDS, build
from mailtap._engine import Decoder, Side

if TYPE_CHECKING:
    from mailtap._engine import Facts

GREETING = {
    "smtp": S("220 mx.example ESMTP ready"),
    "pop3": S("+OK ready"),
    "imap": S("* OK IMAP4rev1 ready"),
}
CAPABILITIES = {
    "smtp": [C("EHLO x.example"), S("250-mx.example", "250-STARTTLS", "250 SIZE 1000")],
    "pop3": [C("CAPA"), S("+OK", "STLS", "UIDL", ".")],
    "imap": [C("a1 CAPABILITY"), S("* CAPABILITY IMAP4rev1 STARTTLS", "a1 OK done")],
}
REQUEST = {"smtp": "STARTTLS", "pop3": "STLS", "imap": "a2 STARTTLS"}
ACCEPT = {
    "smtp": "220 2.0.0 Ready to start TLS",
    "pop3": "+OK Begin TLS negotiation",
    "imap": "a2 OK Begin TLS negotiation now",
}
#: A server whose words say nothing about TLS: nginx.
BARE_ACCEPT = {"smtp": "220 go", "pop3": "+OK", "imap": "a2 OK completed"}
REFUSE = {
    "smtp": "454 4.7.0 TLS not available",
    "pop3": "-ERR TLS not available",
    "imap": "a2 NO TLS not available",
}
#: Commands, the second of which would change the record's fields.
COMMANDS = {
    "smtp": ["EHLO evil.example", "MAIL FROM:<evil@example.org>"],
    "pop3": ["CAPA", "USER evil"],
    "imap": ["a3 CAPABILITY", "a4 LOGIN evil secret"],
}
REPLIES = {
    "smtp": ["250-evil.example", "250 STARTTLS"],
    "pop3": ["+OK evil"],
    "imap": ["* CAPABILITY IMAP4rev1 AUTH=LOGIN", "a3 OK evil"],
}
SERVICES = pytest.mark.parametrize("service", sorted(PORTS))


def opening(service: str) -> list[Turn]:
    """Up to the request for TLS."""
    return [GREETING[service], *CAPABILITIES[service], C(REQUEST[service])]


def tls_record(kind: int, content: bytes) -> bytes:
    return bytes([kind, 3, 3]) + len(content).to_bytes(2, "big") + content


DATA_RECORD = tls_record(23, bytes(200))
TLS = [C(CLIENT_HELLO), S(SERVER_HELLO), S(DATA_RECORD), C(DATA_RECORD)]


def findings(facts: Facts) -> set[str]:
    return {name.decode() for name in facts["findings"]}


def seen(turns: Iterable[Turn], service: str) -> tuple[set[str], set[str], set[str]]:
    """The findings from both sides, from the client's alone, from the server's alone."""
    turns = list(turns)
    port = PORTS[service]
    return (
        findings(decode(*turns, port=port)),
        findings(decode(*client_only(turns), port=port)),
        findings(decode(*server_only(turns), port=port)),
    )


@SERVICES
def test_a_clean_upgrade_has_no_finding(service: str) -> None:
    for accept in ACCEPT, BARE_ACCEPT:
        assert seen([*opening(service), S(accept[service]), *TLS], service) == (set(),) * 3


class TestInjection:
    @SERVICES
    def test_commands_before_the_hello(self, service: str) -> None:
        clean = [*opening(service), S(ACCEPT[service]), *TLS]
        turns = [
            *opening(service), C(*COMMANDS[service]), S(ACCEPT[service]), *TLS,
        ]  # fmt: skip
        assert seen(turns, service) == ({"command_injected"}, {"command_injected"}, set())
        for view in list(turns), client_only(turns):
            injected = decode(*view, port=PORTS[service])
            expected = decode(
                *(clean if view == turns else client_only(clean)), port=PORTS[service]
            )
            assert injected["starttls"] == "tls"
            assert injected | {"findings": []} == expected

    def test_a_message_injected_with_its_end_open(self) -> None:
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

    def test_a_command_whose_line_does_not_end(self) -> None:
        facts = decode(*opening("smtp"), C(b"MAIL FROM:<evil@example.org> X="), *TLS)
        assert findings(facts) == {"command_injected"}
        assert facts["mailfrom"] == []

    @SERVICES
    def test_replies_before_the_hello(self, service: str) -> None:
        turns = [*opening(service), S(ACCEPT[service], *REPLIES[service]), *TLS]
        assert seen(turns, service) == ({"response_injected"}, set(), {"response_injected"})
        clean = decode(*opening(service), S(ACCEPT[service]), *TLS, port=PORTS[service])
        assert decode(*turns, port=PORTS[service]) | {"findings": []} == clean

    @SERVICES
    def test_replies_behind_an_acceptance_in_other_words(self, service: str) -> None:
        turns = [*opening(service), S(BARE_ACCEPT[service], *REPLIES[service][-1:]), *TLS]
        facts = decode(*turns, port=PORTS[service])
        assert findings(facts) == {"response_injected"}
        clean = decode(*opening(service), S(BARE_ACCEPT[service]), *TLS, port=PORTS[service])
        assert facts["replies"] == clean["replies"]

    def test_untagged_responses_before_the_acceptance_are_legal(self) -> None:
        turns = [*opening("imap"), S("* OK still here", ACCEPT["imap"]), *TLS]
        assert seen(turns, "imap") == (set(),) * 3

    @SERVICES
    def test_a_client_that_was_refused_goes_on_in_the_clear(self, service: str) -> None:
        turns = [*opening(service), S(REFUSE[service]), C(*COMMANDS[service][:1])]
        assert seen(turns, service) == (set(),) * 3

    @SERVICES
    def test_a_client_that_was_refused_asks_again(self, service: str) -> None:
        again = REQUEST[service].replace("a2", "a9")
        turns = [
            *opening(service), S(REFUSE[service]), *CAPABILITIES[service],
            C(again), S(ACCEPT[service].replace("a2", "a9")), *TLS,
        ]  # fmt: skip
        assert seen(turns, service) == (set(),) * 3

    @SERVICES
    def test_a_hello_behind_missing_bytes_proves_nothing(self, service: str) -> None:
        turns = [*opening(service), C(COMMANDS[service][0]), lost(C(b""), 300), *TLS]
        assert "command_injected" not in findings(decode(*turns, port=PORTS[service]))

    def test_an_empty_line_is_no_command(self) -> None:
        assert seen([*opening("smtp"), C(""), S(ACCEPT["smtp"]), *TLS], "smtp") == (set(),) * 3

    @given(st.lists(st.integers(0, 700), max_size=12), st.sampled_from(sorted(PORTS)))
    def test_segments_change_nothing(self, cuts: list[int], service: str) -> None:
        stream = b"".join(
            turn.data for turn in client_only([*opening(service), C(*COMMANDS[service]), *TLS])
        )
        decoder = Decoder(CLIENT_PORT, PORTS[service])
        at = 0
        for cut in [*sorted(cuts), len(stream)]:
            decoder.data(Side.ORIG, stream[at:cut])
            at = max(at, cut)
        facts = decoder.facts(True, False)
        assert findings(facts) == {"command_injected"}
        assert facts["commands"] == 2
        assert (facts["mailfrom"], facts["user"]) == ([], b"")


class TestMasked:
    @pytest.mark.parametrize("offer", ["XXXXXXXA", "XXXXXXXX", "XXXX", "STARTTLX", "XTARTTLS"])
    def test_smtp_offers(self, offer: str) -> None:
        turns = [GREETING["smtp"], C("EHLO x"), S("250-mx", f"250-{offer}", "250 SIZE")]
        assert seen(turns, "smtp") == ({"starttls_masked"}, set(), {"starttls_masked"})

    @pytest.mark.parametrize(
        "line", ["XCLIENT NAME", "XXX", "XXXX yes", "X-EXPS LOGIN", "mx XXXXXXXX", "XXXXXXXAB"]
    )
    def test_other_extensions(self, line: str) -> None:
        turns = [GREETING["smtp"], C("EHLO x"), S("250-mx", f"250-{line}", "250 STARTTLS")]
        assert seen(turns, "smtp") == (set(),) * 3

    def test_what_a_device_overwrites_beside_an_offer(self) -> None:
        """A firewall that lets STARTTLS through still overwrites CHUNKING, which is as long."""
        turns = [GREETING["smtp"], C("EHLO x"), S("250-mx", "250-XXXXXXXA", "250 STARTTLS")]
        assert seen(turns, "smtp") == (set(),) * 3

    def test_a_firewall_that_overwrites_whatever_it_does_not_know(self) -> None:
        """As in a capture of Suricata's tests. Without an offer beside it, it can't be told
        whether the word was STARTTLS or CHUNKING: what is shown is the device.
        """
        answer = [
            "250-mx.example Hello [192.0.2.1]", "250-XXXA", "250-SIZE", "250-PIPELINING", "250-DSN",
            "250-8bitmime", "250-BINARYMIME", "250-XXXXXXXB", "250-XXXC", "250-AUTH LOGIN",
            "250 OK",
        ]  # fmt: skip
        turns = [GREETING["smtp"], C("EHLO x"), S(*answer)]
        assert seen(turns, "smtp") == ({"starttls_masked"}, set(), {"starttls_masked"})

    @pytest.mark.parametrize("offer", ["XXXX", "XTLS", "STLX"])
    def test_pop3_offers(self, offer: str) -> None:
        turns = [GREETING["pop3"], C("CAPA"), S("+OK", "UIDL", offer, "TOP", ".")]
        assert seen(turns, "pop3") == ({"starttls_masked"}, set(), {"starttls_masked"})

    @pytest.mark.parametrize("offer", ["XXXXXXXX", "STARTTLX"])
    def test_imap_offers(self, offer: str) -> None:
        for turns in (
            [GREETING["imap"], C("a1 CAPABILITY"), S(f"* CAPABILITY IMAP4rev1 {offer}", "a1 OK x")],
            [S(f"* OK [CAPABILITY IMAP4rev1 {offer}] ready"), C("a1 NOOP")],
        ):
            assert seen(turns, "imap") == ({"starttls_masked"}, set(), {"starttls_masked"})

    @pytest.mark.parametrize(
        ("service", "command"), [("smtp", "XXXXXXXX"), ("pop3", "XXXX"), ("imap", "a2 XXXXXXXX")]
    )
    def test_requests(self, service: str, command: str) -> None:
        turns = [GREETING[service], *CAPABILITIES[service], C(command)]
        assert seen(turns, service) == ({"starttls_masked"}, {"starttls_masked"}, set())

    def test_a_greeting_of_asterisks(self) -> None:
        turns = [S("220 *****************0******2******"), C("EHLO x"), S("250 mx")]
        assert seen(turns, "smtp") == ({"starttls_masked"}, set(), {"starttls_masked"})
        turns[0] = S("220 **** mx.example ESMTP ****")
        assert seen(turns, "smtp") == (set(),) * 3


class TestPlaintextAfterAccept:
    @SERVICES
    def test_text_goes_on(self, service: str) -> None:
        turns = [
            *opening(service), S(ACCEPT[service]), C(COMMANDS[service][0]), S(*REPLIES[service]),
        ]  # fmt: skip
        found = {"plaintext_after_accept"}
        assert seen(turns, service) == (found, set(), found)

    def test_it_is_not_taken_for_encrypted(self) -> None:
        facts = decode(*opening("smtp"), S(ACCEPT["smtp"]), C("QUIT"), S("221 bye"))
        assert (facts["starttls"], facts["empty_cause"]) == ("accepted", "hello_only")

    @SERVICES
    def test_a_session_that_ends_there(self, service: str) -> None:
        assert seen([*opening(service), S(ACCEPT[service])], service) == (set(),) * 3


class TestImapResponses:
    def test_preauth(self) -> None:
        turns = [S("* PREAUTH IMAP4rev1 logged in as bob"), C("a1 NOOP"), S("a1 OK x")]
        assert seen(turns, "imap") == ({"preauth"}, set(), {"preauth"})

    @pytest.mark.parametrize(
        "lines",
        [
            ["* OK [REFERRAL imap://evil.example/] IMAP4rev1 ready"],
            ["* OK IMAP4rev1 ready", "* BYE [REFERRAL imap://evil.example/] go there"],
            ["* OK IMAP4rev1 ready", "a1 NO [REFERRAL imap://evil.example/] go there"],
        ],
    )
    def test_referral(self, lines: list[str]) -> None:
        turns = [S(lines[0]), C("a1 CAPABILITY"), *(S(line) for line in lines[1:])]
        assert seen(turns, "imap") == ({"referral"}, set(), {"referral"})

    def test_an_alert_before_tls(self) -> None:
        turns = [
            S("* OK IMAP4rev1 ready"), C("a2 STARTTLS"),
            S("* OK [ALERT] call 555", ACCEPT["imap"]), *TLS,
        ]  # fmt: skip
        assert seen(turns, "imap") == ({"referral"}, set(), {"referral"})

    def test_an_alert_in_a_session_without_tls(self) -> None:
        turns = [
            S("* OK IMAP4rev1 ready"), C("a1 CAPABILITY"),
            S("* OK [ALERT] down tonight", "* CAPABILITY IMAP4rev1", "a1 OK x"),
        ]  # fmt: skip
        assert seen(turns, "imap") == (set(),) * 3

    def test_the_word_within_a_text(self) -> None:
        turns = [S("* OK IMAP4rev1 see [REFERRAL x] ready"), C("a1 NOOP"), S("a1 OK [X] [ALERT]")]
        assert seen(turns, "imap") == (set(),) * 3


def base64(text: bytes) -> str:
    return b64encode(text).decode()


class TestCleartextLogin:
    @pytest.mark.parametrize(
        ("service", "turns"),
        [
            ("smtp", [C("AUTH PLAIN " + base64(b"\0bob\0secret")), S("235 2.7.0 ok")]),
            ("smtp", [C("AUTH PLAIN"), S("334 "), C(base64(b"\0bob\0secret")), S("235 ok")]),
            (
                "smtp",
                [C("AUTH LOGIN"), S("334 VXNlcm5hbWU6"), C(base64(b"bob")), S("334 UGFzc3dvcmQ6"),
                 C(base64(b"secret")), S("235 ok")],
            ),
            ("pop3", [C("USER bob"), S("+OK"), C("PASS secret"), S("+OK Logged in.")]),
            ("pop3", [C("AUTH PLAIN"), S("+ "), C(base64(b"\0bob\0secret")), S("+OK Logged in.")]),
            ("imap", [C("a5 LOGIN bob secret"), S("a5 OK Logged in")]),
            ("imap", [C("a5 LOGIN {3}"), S("+ OK"), C("bob {6}"), S("+ OK"), C("secret"),
                      S("a5 OK LOGIN completed")]),
            ("imap", [C("a5 AUTHENTICATE PLAIN"), S("+ "), C(base64(b"\0bob\0secret")),
                      S("a5 OK Logged in")]),
        ],
    )  # fmt: skip
    def test_logins(self, service: str, turns: list[Turn]) -> None:
        found = {"cleartext_login"}
        whole = [GREETING[service], *CAPABILITIES[service], *turns]
        assert seen(whole, service) == (found, found, found)
        for view in whole, client_only(whole), server_only(whole):
            facts = decode(*view, port=PORTS[service])
            assert "secret" not in repr(facts)
            assert base64(b"secret") not in repr(facts)

    def test_a_refused_login_showed_the_password_as_well(self) -> None:
        turns = [GREETING["imap"], C("a5 LOGIN bob secret"), S("a5 NO wrong")]
        assert seen(turns, "imap") == ({"cleartext_login"}, {"cleartext_login"}, set())

    @pytest.mark.parametrize(
        ("service", "turns"),
        [
            ("smtp", [C("AUTH CRAM-MD5"), S("334 " + base64(b"<17.1@mx.example>")),
                      C(base64(b"bob 5a5a")), S("235 ok")]),
            ("smtp", [C("AUTH PLAIN"), S("538 encryption required"), C("QUIT"), S("221 bye")]),
            ("smtp", [C("AUTH LOGIN"), S("334 VXNlcm5hbWU6"), C("*"), S("501 cancelled")]),
            ("pop3", [C("AUTH CRAM-MD5"), S("+ " + base64(b"<17.1@mx.example>")),
                      C(base64(b"bob 5a5a")), S("+OK Logged in.")]),
            ("pop3", [C("USER bob"), S("-ERR no plaintext"), C("QUIT"), S("+OK bye")]),
            ("imap", [C("a5 AUTHENTICATE SCRAM-SHA-1"), S("+ "), C(base64(b"n,,n=bob,r=abc")),
                      S("+ " + base64(b"r=abcdef,s=QSXC,i=4096")),
                      C(base64(b"c=biws,r=abcdef,p=x")),
                      S("a5 OK Logged in")]),
        ],
    )  # fmt: skip
    def test_logins_that_show_no_password(self, service: str, turns: list[Turn]) -> None:
        assert seen([GREETING[service], *CAPABILITIES[service], *turns], service) == (set(),) * 3

    def test_apop(self) -> None:
        turns = [
            S("+OK POP3 <1896.697170952@mx.example>"), C("APOP bob " + "a5" * 16),
            S("+OK Logged in"),
        ]  # fmt: skip
        assert seen(turns, "pop3") == (set(),) * 3


class TestTlsFailed:
    ALERT = tls_record(21, bytes([2, 42]))
    CLOSE = tls_record(21, bytes([1, 0]))
    #: An alert of TLS 1.3 has 19 octets.
    ENCRYPTED_ALERT = tls_record(20, b"\1") + tls_record(23, bytes(19))

    @SERVICES
    @pytest.mark.parametrize("alert", [ALERT, CLOSE, ENCRYPTED_ALERT])
    def test_the_client_rejects_the_server(self, service: str, alert: bytes) -> None:
        turns = [
            *opening(service), S(ACCEPT[service]), C(CLIENT_HELLO),
            S(SERVER_HELLO, DATA_RECORD), C(alert),
        ]  # fmt: skip
        assert seen(turns, service) == ({"tls_failed"}, {"tls_failed"}, set())

    @SERVICES
    def test_the_server_rejects_the_client(self, service: str) -> None:
        turns = [*opening(service), S(ACCEPT[service]), C(CLIENT_HELLO), S(self.ALERT)]
        assert seen(turns, service) == ({"tls_failed"}, set(), {"tls_failed"})

    @SERVICES
    def test_the_server_answers_the_hello_in_the_clear(self, service: str) -> None:
        turns = [*opening(service), S(ACCEPT[service]), C(CLIENT_HELLO), S(REFUSE[service])]
        assert seen(turns, service) == ({"tls_failed"}, set(), {"tls_failed"})

    @SERVICES
    def test_text_behind_the_hello(self, service: str) -> None:
        turns = [*opening(service), S(ACCEPT[service]), C(CLIENT_HELLO), C("QUIT now")]
        assert seen(turns, service) == ({"tls_failed"}, {"tls_failed"}, set())

    def test_from_the_first_byte(self) -> None:
        facts = decode(C(CLIENT_HELLO), S(SERVER_HELLO), C(self.ALERT), port=993)
        assert (facts["implicit_tls"], findings(facts)) == (True, {"tls_failed"})

    def test_tls_1_2_closed_behind_its_handshake(self) -> None:
        """A probe that says nothing once TLS works."""
        finished = tls_record(20, b"\1") + tls_record(22, bytes(40))
        turns = [
            *opening("smtp"), S(ACCEPT["smtp"]), C(CLIENT_HELLO), S(SERVER_HELLO),
            C(finished, tls_record(21, bytes(26))), S(finished),
        ]  # fmt: skip
        assert seen(turns, "smtp") == (set(),) * 3

    def test_a_warning_that_the_handshake_goes_on_behind(self) -> None:
        unrecognised_name = tls_record(21, bytes([1, 112]))
        turns = [
            *opening("smtp"), S(ACCEPT["smtp"]), C(CLIENT_HELLO),
            S(unrecognised_name, SERVER_HELLO),
        ]  # fmt: skip
        assert seen(turns, "smtp") == (set(),) * 3


def test_one_tag_for_all_commands() -> None:
    """As openssl s_client has: the replies come in the order of the commands."""
    begin = S("* OK IMAP4rev1 ready")
    turns = [begin, C(". CAPABILITY"), S("* CAPABILITY IMAP4rev1 STARTTLS", ". OK listed"),
             C(". STARTTLS"), S(". OK Begin TLS negotiation now."), C(CLIENT_HELLO),
             S(SERVER_HELLO)]  # fmt: skip
    assert seen(turns, "imap") == (set(),) * 3
    assert decode(*turns, port=143)["last_reply"] == b". OK Begin TLS negotiation now."
    refused = [*turns[:4], S(". NO not now"), C(". LOGOUT")]
    assert decode(*refused, port=143)["starttls"] == "refused"
    first_is_lost = decode(begin, lost(turns[1]), *turns[2:], port=143)
    assert (first_is_lost["findings"], first_is_lost["starttls"]) == ([], "tls")
    assert first_is_lost["last_reply"] == b". OK Begin TLS negotiation now."


class TestSmuggling:
    START = (
        b"EHLO x.example\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
        b"From: a@example.org\r\n\r\ntext"
    )
    SECOND = (
        b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<c@example.com>\r\nDATA\r\n"
        b"From: evil@example.org\r\n\r\nsmuggled\r\n.\r\nQUIT\r\n"
    )
    TOOK_ONE = S(
        "220 mx ESMTP", "250 mx", "250 ok", "250 ok", "354 go", "250 ok: queued", "221 bye"
    )  # fmt: skip
    TOOK_TWO = S(
        "220 mx ESMTP", "250 mx", "250 ok", "250 ok", "354 go", "250 ok: queued",
        "250 ok", "250 ok", "354 go", "250 ok: queued", "221 bye",
    )  # fmt: skip

    @pytest.mark.parametrize(
        "dot", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r.\r", b"\r\n.\r"]
    )
    def test_a_dot_between_other_line_ends(self, dot: bytes) -> None:
        turns = [C(self.START + dot + self.SECOND), self.TOOK_ONE]
        assert seen(turns, "smtp") == ({"smuggled"}, {"smuggled"}, set())
        for view in turns, client_only(turns):
            facts = decode(*view)
            assert facts["mailfrom"] == [b"a@example.org"]
            assert facts["rcptto"] == [b"b@example.com"]
            assert facts["from"] == [b"a@example.org"]
            assert (facts["mailfrom_count"], facts["commands"]) == (1, 5)
            assert facts["messages"] == 1

    @pytest.mark.parametrize("dot", [b"\n.\n", b"\n.\r\n", b"\r\n.\n"])
    def test_a_server_that_takes_what_is_smuggled(self, dot: bytes) -> None:
        """Its replies show two messages: the second is real, however it came."""
        facts = decode(C(self.START + dot + self.SECOND), self.TOOK_TWO)
        assert findings(facts) == {"smuggled"}
        assert facts["mailfrom"] == [b"a@example.org", b"evil@example.org"]
        assert (facts["mailfrom_count"], facts["messages"]) == (2, 2)

    @given(st.lists(st.integers(0, 400), max_size=12), st.sampled_from([b"\n.\n", b"\r.\r"]))
    def test_segments_change_nothing(self, cuts: list[int], dot: bytes) -> None:
        stream = self.START + dot + self.SECOND
        decoder = Decoder(CLIENT_PORT, 25)
        at = 0
        for cut in [*sorted(cuts), len(stream)]:
            decoder.data(Side.ORIG, stream[at:cut])
            at = max(at, cut)
        assert findings(decoder.facts(True, False)) == {"smuggled"}

    @pytest.mark.parametrize("dot", [b"\n.\n", b"\r.\r\n", b"\r.\r"])
    def test_text_behind_the_dot(self, dot: bytes) -> None:
        turns = [C(self.START + dot + b"mail from there\r\n.\r\nQUIT\r\n")]
        assert seen(turns, "smtp") == (set(),) * 3

    def test_a_client_that_ends_all_lines_in_lf(self) -> None:
        stream = (self.START + b"\n.\n" + self.SECOND).replace(b"\r\n", b"\n")
        assert seen([C(stream)], "smtp") == (set(),) * 3

    def test_a_message_whose_lines_end_in_lf(self) -> None:
        """Its client writes CR LF of its own and passes a file on as it is."""
        stream = self.START + b"\nmore\nof it\n.\r\n" + self.SECOND
        assert seen([C(stream)], "smtp") == (set(),) * 3

    def test_a_last_line_without_cr_and_a_goodbye(self) -> None:
        assert seen([C(self.START + b"\n.\r\nQUIT\r\n")], "smtp") == (set(),) * 3


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_ordinary_sessions(kind: str) -> None:
    """Of field captures' sessions, some log in in the clear, and in one kind a mirror decrypts."""
    really_there = {"plaintext_after_accept"} if kind == "smtp_starttls_plaintext" else set()
    for seed in range(5):
        dialogue = build(kind, Random(seed))
        client, server = C(*dialogue.client), S(*dialogue.server)
        for turns in [client, server], [client], [server]:
            facts = decode(*turns, port=dialogue.port or 25)
            found = findings(facts)
            assert found <= really_there | {"cleartext_login"}
            if "cleartext_login" in found:
                assert facts["auth"] in (b"PLAIN", b"LOGIN", b"USER", b"")
                assert facts["auth"] or facts["auth_result"] == "success"
