"""What is wrong with a session's encryption, each side alone where its bytes show it.

What is injected and what is smuggled: test_injection.py, test_smuggling.py.
"""

from __future__ import annotations

from base64 import b64encode
from random import Random

import pytest

from conversation import (
    CLIENT_HELLO,
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
from upgrades import (
    ACCEPT,
    CAPABILITIES,
    COMMANDS,
    DATA_RECORD,
    GREETING,
    REFUSE,
    REPLIES,
    SERVICES,
    TLS,
    findings,
    opening,
    seen,
    tls_record,
)


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

    def test_a_request_that_is_all_a_client_says(self) -> None:
        turns = [GREETING["pop3"], C("XXXX"), S("-ERR Unknown command.")]
        assert seen(turns, "pop3") == ({"starttls_masked"}, {"starttls_masked"}, set())
        turns += [C(CLIENT_HELLO), S("-ERR Unknown command.")]
        assert seen(turns, "pop3")[1] == {"starttls_masked"}

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
            ("imap", [C("a5 LOGIN {3}"), S("+ OK"), C("bob {6}"), S("a5 BAD no literal here")]),
            ("imap", [C("a5 AUTHENTICATE SCRAM-SHA-1"), S("+ "), C(base64(b"n,,n=bob,r=abc")),
                      S("+ " + base64(b"r=abcdef,s=QSXC,i=4096")),
                      C(base64(b"c=biws,r=abcdef,p=x")),
                      S("a5 OK Logged in")]),
        ],
    )  # fmt: skip
    def test_logins_that_show_no_password(self, service: str, turns: list[Turn]) -> None:
        assert seen([GREETING[service], *CAPABILITIES[service], *turns], service) == (set(),) * 3

    @pytest.mark.parametrize(
        ("service", "challenge", "success"),
        [
            ("smtp", "334 " + base64(b"<17.1@mx.example>"), "235 2.7.0 ok"),
            ("pop3", "+ " + base64(b"<17.1@mx.example>"), "+OK Logged in."),
            ("imap", "+ " + base64(b"r=abcdef,s=QSXC,i=4096"), "a5 OK Logged in"),
        ],
    )
    def test_a_success_whose_challenge_may_be_missing(
        self, service: str, challenge: str, success: str
    ) -> None:
        before = [GREETING[service], *CAPABILITIES[service], lost(S(challenge)), S(success)]
        assert findings(decode(*server_only(before), port=PORTS[service])) == set()
        assert findings(decode(S(success), port=PORTS[service], midstream=True)) == set()

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
