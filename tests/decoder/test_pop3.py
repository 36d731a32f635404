"""POP3: commands, answers of one and of several lines."""

from __future__ import annotations

import pytest

from conversation import CLIENT_HELLO, C, S, Turn, client_only, decode, server_only

LOGIN = [
    S("+OK Dovecot ready."),
    C("USER bob"),
    S("+OK"),
    C("PASS secret"),
    S("+OK Logged in."),
]
RETRIEVAL = [
    *LOGIN,
    C("STAT"),
    S("+OK 1 120"),
    C("RETR 1"),
    S("+OK 120 octets", "From: a@example.org", "To: b@example.com", "Subject: s", ""),
    S("..text", "+OK no", "."),
    C("QUIT"),
    S("+OK Logging out."),
]  # fmt: skip


def test_a_retrieval() -> None:
    facts = decode(*RETRIEVAL, port=110)
    assert facts["service"] == "pop3"
    assert (facts["auth"], facts["user"], facts["auth_result"]) == (b"USER", b"bob", "success")
    assert facts["from"] == [b"a@example.org"]
    assert facts["to"] == [b"b@example.com"]
    assert facts["messages"] == 1
    assert (facts["commands"], facts["replies"]) == (5, 6)
    assert facts["stage"] == "logout"


def test_the_server_alone_delivers_the_headers() -> None:
    facts = decode(*server_only(RETRIEVAL), port=110)
    assert facts["service"] == "pop3"
    assert facts["from"] == [b"a@example.org"]
    assert facts["messages"] == 1
    assert facts["user"] == b""


def test_the_client_alone_has_none() -> None:
    facts = decode(*client_only(RETRIEVAL), port=110)
    assert facts["service"] == "pop3"
    assert facts["user"] == b"bob"
    assert facts["empty_cause"] == "client_side_only"


def test_top_delivers_headers_too() -> None:
    facts = decode(*LOGIN, C("TOP 1 0"), S("+OK", "From: a@example.org", "", "."), port=110)
    assert facts["from"] == [b"a@example.org"]


def test_a_list_ends_where_the_next_reply_starts() -> None:
    facts = decode(
        *LOGIN,
        C("LIST"),
        S("+OK 2 messages", "1 120", "2 200"),
        C("RETR 1"),
        S("+OK message follows", "From: a@example.org", "", "."),
        port=110,
    )
    assert facts["from"] == [b"a@example.org"]


def test_capabilities_offer_stls() -> None:
    facts = decode(S("+OK ready"), C("CAPA"), S("+OK", "TOP", "STLS", "UIDL", "."), port=110)
    assert facts["starttls"] == "offered"
    assert facts["empty_cause"] == "hello_only"


@pytest.mark.parametrize(
    ("lines", "auth", "user"),
    [
        (["APOP bob c4c9334bac560ecc979e58001b3e22fb"], b"APOP", b"bob"),
        (["AUTH PLAIN AGJvYgBzZWNyZXQ="], b"PLAIN", b"bob"),
        (["AUTH PLAIN", "AGJvYgBzZWNyZXQ="], b"PLAIN", b"bob"),
        (["AUTH", "CAPA"], b"", b""),
        (["USER bob@example.org", "PASS QUIT"], b"USER", b"bob@example.org"),
    ],
)
def test_who_logs_in(lines: list[str], auth: bytes, user: bytes) -> None:
    facts = decode(C(*lines, "STAT"), port=110)
    assert (facts["auth"], facts["user"]) == (auth, user)
    assert facts["last_command"] == b"STAT"


@pytest.mark.parametrize(
    ("turns", "cause"),
    [
        ([*LOGIN, C("QUIT"), S("+OK Logging out.")], "login_only"),
        ([S("+OK ready"), C("USER b"), S("+OK"), C("PASS x"), S("-ERR [AUTH] no")], "refused"),
        ([*LOGIN, C("LIST"), S("+OK 0 messages", ".")], "no_message"),
        ([*LOGIN, C("RETR 9"), S("-ERR no such message")], "no_message"),
        ([*LOGIN, C("RETR 1"), S("+OK")], "aborted"),  # the message should follow
        ([S("-ERR too many connections")], "refused"),
        ([S("+OK ready")], "greeting_only"),
        ([S("+OK ready", "+OK", "UIDL", "STLS", ".")], "greeting_only"),
        ([S("+OK ready", "+OK", "+OK Logged in.", "+OK Bye")], "login_only"),
    ],
)
def test_why_there_are_no_addresses(turns: list[Turn], cause: str) -> None:
    assert decode(*turns, port=110)["empty_cause"] == cause


# Dovecot on Debian 12: no time stamp in the greeting, and a list whose first line is CAPA.
DOVECOT = [
    S("+OK Dovecot (Debian) ready."),
    C("CAPA"),
    S("+OK", "CAPA", "TOP", "UIDL", "RESP-CODES", "PIPELINING", "AUTH-RESP-CODE", "STLS", "USER",
      "SASL PLAIN", "."),
    C("STLS"),
    S("+OK Begin TLS negotiation now."),
]  # fmt: skip


def test_dovecots_capabilities() -> None:
    for turns in (DOVECOT[:3], server_only(DOVECOT[:3])):
        facts = decode(*turns, port=110)
        assert (facts["service"], facts["starttls"]) == ("pop3", "offered")
    facts = decode(*server_only(DOVECOT), port=110)
    assert (facts["service"], facts["starttls"], facts["decode_as"]) == ("pop3", "accepted", "MAIL")


@pytest.mark.parametrize("first", ["IMPLEMENTATION Any-Server", "X-PRIVATE thing", "EXPIRE NEVER"])
def test_a_capability_list_may_begin_with_any_of_them(first: str) -> None:
    facts = decode(S("+OK ready", "+OK", first, "STLS", "UIDL", "."), port=110)
    assert (facts["service"], facts["starttls"]) == ("pop3", "offered")


def test_a_list_of_capabilities_from_the_middle_is_the_servers() -> None:
    for first in range(1, 8):
        lines = DOVECOT[2].data.split(b"\r\n")[first:]
        turns = [S(b"\r\n".join(lines)), *DOVECOT[3:]]
        facts = decode(*turns, port=2110, midstream=True)
        assert facts["service"] == "pop3"
        assert facts["client"].name == "ORIG"


def test_capa_and_stls_from_the_middle_are_the_clients() -> None:
    facts = decode(C("CAPA", "STLS", CLIENT_HELLO), port=110, midstream=True)
    assert (facts["service"], facts["starttls"], facts["commands"]) == ("pop3", "tls", 2)


@pytest.mark.parametrize(
    ("turns", "cause"),
    [
        # Courier
        ([S("+OK Hello there."), C("CAPA"),
          S("+OK Here's what I can do:", "STLS", "TOP", "USER", "."), C("QUIT"),
          S("+OK Better luck next time.")], "hello_only"),
        # Cyrus
        ([S("+OK mail.example Cyrus POP3 server ready"), C("QUIT"), S("+OK")], "hello_only"),
        ([S("+OK ready"), C("SSH-2.0-OpenSSH_9.2"), S("-ERR Unknown command.")], "greeting_only"),
        ([S("+OK ready"), C("GET / HTTP/1.1", "Host: x", ""), S("-ERR", "-ERR", "-ERR")],
         "greeting_only"),
        ([*LOGIN, C("RETR 9"), S("-ERR no such message"), C("QUIT"), S("+OK bye")], "no_message"),
    ],
)  # fmt: skip
def test_real_servers_words_say_no_more_than_the_commands(turns: list[Turn], cause: str) -> None:
    assert decode(*turns, port=110)["empty_cause"] == cause


def test_a_message_refused_is_not_begun() -> None:
    facts = decode(*LOGIN, C("RETR 9"), S("-ERR no such message"), port=110)
    assert (facts["stage"], facts["messages"]) == ("envelope", 0)


def test_the_fields_are_the_last_messages_own() -> None:
    facts = decode(
        *LOGIN,
        C("RETR 1"),
        S("+OK 90 octets", "From: a@example.org", "Subject: first", "Message-ID: <1@x>", "", "."),
        C("RETR 2"),
        S("+OK 30 octets", "From: b@example.org", "", "text", "."),
        port=110,
    )
    assert facts["from"] == [b"a@example.org", b"b@example.org"]
    assert (facts["subject"], facts["msg_id"]) == (b"", b"")


def test_a_user_from_the_middle_is_the_clients() -> None:
    facts = decode(C("CAPA", "STLS", "USER bob", "PASS secret"), port=110, midstream=True)
    assert (facts["service"], facts["user"], facts["commands"]) == ("pop3", b"bob", 4)


@pytest.mark.parametrize(
    ("lines", "stage", "cause"),
    [
        # Courier without and with a login
        (["+OK Hello there.", "+OK Better luck next time."], "logout", "greeting_only"),
        (["+OK Hello there.", "+OK Password required.", "+OK logged in.", "+OK Bye-bye."],
         "logout", "login_only"),
        # Cyrus answers QUIT with a bare +OK, as it does NOOP
        (["+OK mail.example Cyrus POP3 server ready", "+OK"], "logout", "greeting_only"),
        (["+OK mail.example Cyrus POP3 server ready", "+OK", "+OK 1 120"],
         "envelope", "no_message"),
        (["+OK Dovecot ready.", "+OK", "+OK Logged in.", "+OK Marked to be deleted."],
         "envelope", "no_message"),
    ],
)  # fmt: skip
def test_the_server_alone_shows_how_far_it_went(lines: list[str], stage: str, cause: str) -> None:
    facts = decode(S(*lines), port=110)
    assert (facts["stage"], facts["empty_cause"]) == (stage, cause)


def test_a_bare_ok_is_no_goodbye_where_the_client_shows_that_it_is_none() -> None:
    turns = [S("+OK mail.example Cyrus POP3 server ready"), C("NOOP"), S("+OK")]
    assert decode(*turns, port=110)["stage"] == "greeting"


@pytest.mark.parametrize(
    "reply",
    [
        "-ERR [IN-USE] Do you have another POP session running?",
        "-ERR [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.",
        "-ERR [AUTH] Invalid login",
        "-ERR Login failed.",
    ],
)
def test_the_server_alone_shows_a_refused_login(reply: str) -> None:
    facts = decode(S("+OK ready", "+OK", reply), port=110)
    assert (facts["auth_result"], facts["starttls"]) == ("failure", "none")


@pytest.mark.parametrize(
    "welcome",
    [
        '+OK mailbox "bob@example.org" has 3 messages (19191 octets) H mimap13',  # 1&1
        "+OK bob has 2 visible messages (0 hidden) in 320 octets.",  # Qpopper
        "+OK bob's mailbox has 2 total messages (2334 octets)",  # MDaemon
        "+OK opened mailbox for bob",  # Mailutils
    ],
)
def test_words_of_a_server_that_has_taken_the_login(welcome: str) -> None:
    facts = decode(S("+OK POP server ready", "+OK", welcome), port=110)
    assert (facts["auth_result"], facts["stage"]) == ("success", "auth")


@pytest.mark.parametrize(
    "answer",
    [["+OK 3 19191"], ["+OK", "1 120", "."], ["+OK 120 octets", "From: a@example.org", "", "."]],
)
def test_what_only_a_mailbox_answers_shows_a_login(answer: list[str]) -> None:
    """RFC 1939 4, 5: before the login there are no such commands."""
    facts = decode(S("+OK ready", "-ERR", "+OK", "+OK", *answer), port=110)
    assert facts["auth_result"] == "success"
    assert "cleartext_login" not in facts["findings"]  # it may have been encrypted


def test_a_message_that_was_announced_has_begun() -> None:
    turns = [*LOGIN, C("RETR 1"), S("+OK 268 octets")]
    for seen in turns, server_only(turns):
        facts = decode(*seen, port=110)
        assert (facts["stage"], facts["empty_cause"]) == ("data", "aborted")
    assert decode(*LOGIN, C("RETR 9"), S("-ERR no such message"), port=110)["stage"] == "envelope"


def test_capabilities_show_no_login() -> None:
    facts = decode(S("+OK ready", "+OK", "TOP", "EXPIRE 0", "UIDL", ".", "+OK bye"), port=110)
    assert facts["auth_result"] == ""


def test_an_error_with_a_response_code_is_no_other_protocols() -> None:
    """RFC 2449 8: Redis has none."""
    facts = decode(S("-ERR [AUTH] no", "+OK"), port=110, midstream=True)
    assert (facts["service"], facts["auth_result"]) == ("pop3", "failure")
