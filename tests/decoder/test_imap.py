"""IMAP: tags, literals, what FETCH delivers."""

from __future__ import annotations

import zlib

import pytest

from conversation import C, S, Turn, client_only, decode, lost, server_only

HEADER = "From: a@example.org\r\nTo: b@example.com\r\nSubject: s\r\n\r\n"
LOGIN = [
    S("* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready."),
    C('a1 LOGIN bob "se\\"cret"'),
    S("a1 OK Logged in"),
]
FETCH = [
    *LOGIN,
    C("a2 SELECT INBOX"),
    S("* 1 EXISTS", "a2 OK [READ-WRITE] Select completed"),
    C("a3 FETCH 1 (FLAGS BODY[HEADER])"),
    S(f"* 1 FETCH (UID 9 BODY[HEADER] {{{len(HEADER)}}}", HEADER.encode(), ")", "a3 OK done"),
    C("a4 LOGOUT"),
    S("* BYE see you", "a4 OK Logout completed"),
]  # fmt: skip


def test_a_fetch() -> None:
    facts = decode(*FETCH, port=143)
    assert facts["service"] == "imap"
    assert (facts["auth"], facts["user"], facts["auth_result"]) == (b"LOGIN", b"bob", "success")
    assert facts["from"] == [b"a@example.org"]
    assert facts["to"] == [b"b@example.com"]
    assert facts["subject"] == b"s"
    assert facts["messages"] == 1
    assert facts["starttls"] == "offered"
    assert facts["stage"] == "logout"


def test_the_server_alone_delivers_the_headers() -> None:
    assert decode(*server_only(FETCH), port=143)["to"] == [b"b@example.com"]


def test_the_client_alone_has_none() -> None:
    facts = decode(*client_only(FETCH), port=143)
    assert facts["user"] == b"bob"
    assert facts["empty_cause"] == "client_side_only"


@pytest.mark.parametrize(
    "section",
    [
        "BODY[]",
        "BODY[]<0>",
        "RFC822",
        "RFC822.HEADER",
        "BODY[HEADER]",
        "BODY[HEADER.FIELDS (FROM TO)]",
        "UID 5 BODY[]",
    ],
)
def test_sections_that_are_a_header(section: str) -> None:
    facts = decode(
        *LOGIN,
        S(f"* 1 FETCH ({section} {{{len(HEADER)}}}", HEADER.encode(), ")", "a3 OK done"),
        port=143,
    )
    assert facts["from"] == [b"a@example.org"]


@pytest.mark.parametrize("section", ["BODY[TEXT]", "BODY[1]", "BODY[]<512>", "RFC822.TEXT"])
def test_sections_that_are_none(section: str) -> None:
    facts = decode(
        *LOGIN,
        S(f"* 1 FETCH ({section} {{{len(HEADER)}}}", HEADER.encode(), ")", "* 2 EXISTS"),
        port=143,
    )
    assert facts["from"] == []
    assert facts["stage"] == "envelope"


def test_an_envelope() -> None:
    facts = decode(
        *LOGIN,
        S(
            '* 1 FETCH (ENVELOPE ("Mon, 1 Jan 2024" "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=" '
            '(("Al \\"A\\" Ice" NIL "a" "example.org")) NIL NIL '
            '((NIL NIL "b" "example.com")("C" NIL "c" "example.net")) NIL NIL NIL "<1@x>") UID 7)'
        ),
        port=143,
    )
    assert facts["from"] == [rb'"Al \"A\" Ice" <a@example.org>']
    assert facts["to"] == [b"b@example.com", b"C <c@example.net>"]
    assert facts["subject"].decode() == "Grüße"
    assert facts["msg_id"] == b"<1@x>"


def test_an_envelope_with_literals() -> None:
    facts = decode(
        *LOGIN,
        S("* 1 FETCH (ENVELOPE (NIL {7}", b'say "x"', ' ((NIL NIL "a" "b.c")) NIL NIL NIL NIL))'),
        port=143,
    )
    assert facts["subject"] == b'say "x"'
    assert facts["from"] == [b"a@b.c"]


@pytest.mark.parametrize("plus", ["", "+", "-"])
def test_a_login_by_literals(plus: str) -> None:
    facts = decode(
        C(f"a1 LOGIN {{3{plus}}}", b"bob", f" {{6{plus}}}", b"a2 NOO", "", "a2 NOOP"), port=143
    )
    assert facts["user"] == b"bob"
    assert facts["last_command"] == b"NOOP"


def test_a_message_appended_is_passed_over() -> None:
    message = b"a9 LOGOUT\r\nFrom: x@example.org\r\n\r\nbody"
    facts = decode(
        C("a1 LOGIN bob x", f"a2 APPEND Sent {{{len(message)}+}}", message, ""),
        C("a3 LOGOUT"),
        port=143,
    )
    assert facts["last_command"] == b"LOGOUT"
    assert facts["from"] == []


def test_a_literal_that_the_server_refused_never_came() -> None:
    facts = decode(C("a1 LOGIN bob x", "a2 APPEND Sent {500}", "a3 LOGOUT"), port=143)
    assert facts["last_command"] == b"LOGOUT"
    assert facts["stage"] == "logout"


@pytest.mark.parametrize(
    ("lines", "user"),
    [
        (["a1 AUTHENTICATE PLAIN AGJvYgBzZWNyZXQ="], b"bob"),
        (["a1 AUTHENTICATE PLAIN", "AGJvYgBzZWNyZXQ="], b"bob"),
        (['a1 LOGIN "b ob" x'], b"b"),  # a user name ends at a blank
        (["a1 AUTHENTICATE NTLM", "TlRMTVNTUAABAAAA"], b""),
    ],
)
def test_who_logs_in(lines: list[str], user: bytes) -> None:
    facts = decode(C(*lines, "a2 SELECT INBOX"), port=143)
    assert facts["user"] == user
    assert facts["last_command"] == b"SELECT"


def test_idle_and_done() -> None:
    facts = decode(*LOGIN, C("a2 IDLE"), S("+ idling", "* 2 EXISTS"), C("DONE"), port=143)
    assert facts["last_command"] == b"DONE"


def test_what_follows_compress_is_not_read() -> None:
    facts = decode(
        *LOGIN,
        C("a2 COMPRESS DEFLATE"),
        S("a2 OK DEFLATE active"),
        C(b"\x16\x03\x01\x02\x00\x01a3 LOGOUT\r\n"),
        port=143,
    )
    assert facts["starttls"] == "offered"
    assert facts["last_command"] == b"COMPRESS"


@pytest.mark.parametrize(
    ("turns", "cause"),
    [
        ([*LOGIN, C("a2 LOGOUT"), S("* BYE x", "a2 OK done")], "login_only"),
        ([S("* OK IMAP4rev1 ready"), C("a1 LOGIN b x"), S("a1 NO no")], "refused"),
        ([S("* BYE overloaded")], "refused"),
        ([S("* OK [CAPABILITY IMAP4rev1] ready")], "greeting_only"),
        ([S("* OK ready", "* CAPABILITY IMAP4rev1", "a1 OK done", "* BYE x")], "greeting_only"),
        ([S("* OK IMAP4rev1 ready"), C("a1 CAPABILITY", "a2 LOGOUT")], "hello_only"),
        ([*LOGIN, C("a2 SELECT INBOX"), S("* 0 EXISTS", "a2 OK done")], "no_message"),
    ],
)
def test_why_there_are_no_addresses(turns: list[Turn], cause: str) -> None:
    assert decode(*turns, port=143)["empty_cause"] == cause


APPEND = [*LOGIN, C("a5 APPEND Sent {500000}"), S("a5 NO [TRYCREATE] no such mailbox")]


@pytest.mark.parametrize("command", ["a6 CREATE Sent", "a6 NOOP", "a6 SEARCH ALL", "a6 LOGOUT"])
def test_after_a_refused_literal_any_command_goes_on(command: str) -> None:
    facts = decode(*APPEND, C(command, "a7 SELECT INBOX"), port=143)
    assert facts["last_command"] == b"SELECT"


@pytest.mark.parametrize(
    ("login", "user"),
    [("a1 LOGIN {11}", b""), ("a1 LOGIN {3}", b""), ("a1 LOGIN bob {6}", b"bob")],
)
@pytest.mark.parametrize("refusal", ["a1 NO [PRIVACYREQUIRED] use TLS", "a1 BAD no literals here"])
@pytest.mark.parametrize("command", ["a2 LOGOUT", "a2 STARTTLS", "a2 NOOP"])
def test_a_refused_literal_of_a_login_is_no_user_and_no_password(
    login: str, user: bytes, refusal: str, command: str
) -> None:
    turns = [S("* OK IMAP4rev1 ready"), C(login), S(refusal), C(command), S("a2 OK done")]
    for view in turns, client_only(turns):
        facts = decode(*view, port=143)
        assert facts["user"] == user
        assert facts["last_command"] == command.split()[1].encode()
        assert facts["findings"] == []


@pytest.mark.parametrize("missing", [1, 3])
def test_a_gap_in_a_literal_of_a_login(missing: int) -> None:
    facts = decode(
        C("a1 LOGIN {5}"), C(b"alice"[: 5 - missing]), lost(C(b""), missing),
        C(b" secret\r\n"), C("a2 LOGOUT"), port=143,
    )  # fmt: skip
    assert facts["user"] == b""
    assert facts["last_command"] == b"LOGOUT"


def test_a_literal_that_begins_like_a_command_is_skipped() -> None:
    facts = decode(
        *LOGIN, C("a5 APPEND Sent {30}", b"I create a message of 30 bytes"[:30], ""), port=143
    )
    assert facts["last_command"] == b"APPEND"


def test_a_server_alone_shows_the_login_behind_its_capabilities() -> None:
    facts = decode(
        S("* OK Dovecot ready.", "* CAPABILITY IMAP4rev1 IDLE", "a1 OK Logged in"), port=143
    )
    assert facts["auth_result"] == "success"


def test_a_long_line_keeps_its_literal() -> None:
    before = "* 1 FETCH (FLAGS (" + "Flag " * 1000 + ") BODY[] {22}"
    facts = decode(
        S("* OK IMAP4rev1", before, b"From: a@example.org\r\n\r", ")", "a1 OK done"), port=143
    )
    assert facts["from"] == [b"a@example.org"]
    assert facts["last_reply"] == b"a1 OK done"


FROM_BETA = b'From: "Beta, Bob" <beta@example.org>, "Ann Lee" <ann@example.org>\r\n\r\n'


def test_an_envelope_is_the_same_mailbox_as_the_headers() -> None:
    facts = decode(
        S("* OK IMAP4rev1",
          '* 1 FETCH (ENVELOPE (NIL "s" (("Beta, Bob" NIL "beta" "example.org")'
          '("Ann Lee" NIL "ann" "example.org")) NIL NIL NIL NIL NIL NIL "<1@x>"))',
          f"* 1 FETCH (BODY[HEADER] {{{len(FROM_BETA)}}}", FROM_BETA, ")"),
        port=143,
    )  # fmt: skip
    assert facts["from"] == [b'"Beta, Bob" <beta@example.org>', b'"Ann Lee" <ann@example.org>']


@pytest.mark.parametrize(
    "items",
    ["BODYSTRUCTURE", "BODY[1]", "BODY[1.MIME]", "BODY[]<100.20>", "FLAGS"],
)
def test_parts_of_a_message_are_none(items: str) -> None:
    facts = decode(
        *LOGIN, C(f"a2 FETCH 1 ({items})"), S("* 1 FETCH (FLAGS ())", "a2 OK done"), port=143
    )
    assert (facts["empty_cause"], facts["messages"]) == ("no_message", 0)


def test_a_greetings_rest_is_no_command() -> None:
    facts = decode(
        lost(S(b""), 60), S("LS ID ENABLE IDLE] Dovecot ready."), C("a1 LOGOUT"), port=143
    )
    assert facts["client"].name == "ORIG"
    assert facts["last_command"] == b"LOGOUT"


def deflate(*lines: str) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(b"".join(line.encode() + b"\r\n" for line in lines)) + stream.flush(
        zlib.Z_SYNC_FLUSH
    )


COMPRESSED = [
    *LOGIN,
    C("a2 COMPRESS DEFLATE"),
    S("a2 OK DEFLATE active"),
    C(deflate("a3 SELECT INBOX", "a4 FETCH 1 BODY[]", "a5 LOGOUT")),
    S(deflate("* 1 FETCH (BODY[] {23}", "From: a@example.org\r\n", ")", "a4 OK done", "* BYE out")),
]


@pytest.mark.parametrize("view", ["both", "client", "server"])
def test_compressed_sessions_are_read_on(view: str) -> None:
    seen = [turn for turn in COMPRESSED if view == "both" or turn.client == (view == "client")]
    facts = decode(*seen, port=143)
    if view != "server":
        assert (facts["last_command"], facts["commands"]) == (b"LOGOUT", 5)
    if view != "client":
        assert (facts["from"], facts["messages"]) == ([b"a@example.org"], 1)


def test_a_refused_compression_hides_nothing() -> None:
    facts = decode(
        *LOGIN, C("a2 COMPRESS DEFLATE"), S("a2 NO not here"), C("a3 SELECT INBOX"), port=143
    )
    assert facts["last_command"] == b"SELECT"


def test_a_stream_that_grows_without_end_is_left() -> None:
    bomb = zlib.compressobj(9, wbits=-15)
    data = bomb.compress(bytes(200_000_000)) + bomb.flush()
    facts = decode(*COMPRESSED[:-2], S(b"\x62\x60" + data), port=143)
    assert facts["service"] == "imap"


def test_compression_asked_for_within_itself_changes_nothing() -> None:
    twice = ["a3 COMPRESS DEFLATE", "a4 SELECT INBOX", "a5 LOGOUT"]
    facts = decode(
        *COMPRESSED[:-2],
        C(deflate(*twice)),
        S(deflate("a3 OK DEFLATE active", "a4 OK done", "* BYE out")),
        port=143,
    )
    assert facts["last_command"] == b"LOGOUT"
    assert facts["replies"] == 5


def test_a_server_alone_shows_searches_and_what_vanished() -> None:
    for line in ("* ESEARCH (TAG a1) ALL 1:3", "* VANISHED (EARLIER) 1:5", "* SORT 1 2"):
        facts = decode(S("* OK IMAP4rev1 ready", line), port=143)
        assert (facts["stage"], facts["empty_cause"]) == ("envelope", "no_message")


def test_commands_for_access_rights_count() -> None:  # mutt asks so
    facts = decode(S("* OK IMAP4rev1 ready"), C('a1 MYRIGHTS "INBOX"'), port=143)
    assert (facts["commands"], facts["last_command"]) == (1, b"MYRIGHTS")


def test_a_refused_command_is_no_login() -> None:
    facts = decode(S("* OK IMAP4rev1 ready", "a1 NO no", "* BYE", "a2 OK bye"), port=143)
    assert facts["empty_cause"] == "greeting_only"


@pytest.mark.parametrize(
    ("turns", "commands", "last_command", "stage"),
    [
        ([C("b2 APPEND Sent {5000}"), S("+ go ahead")], 2, b"APPEND", "envelope"),
        ([C("b2 APPEND Sent {5000}"), S("+ go ahead"), C("From: a@x")], 2, b"APPEND", "envelope"),
        ([C("b2 APPEND Sent {9}"), lost(C("12345"), 600), C("b3 LOGOUT")], 3, b"LOGOUT", "logout"),
    ],
)
def test_a_command_whose_literal_is_missing_counts(
    turns: list[Turn], commands: int, last_command: bytes, stage: str
) -> None:
    login = [S("* OK IMAP4rev1"), C("a1 LOGIN bob x"), S("a1 OK Logged in")]
    facts = decode(*login, *turns, port=143)
    assert (facts["commands"], facts["last_command"]) == (commands, last_command)
    assert facts["stage"] == stage


def test_a_login_whose_literal_is_missing_names_no_user() -> None:
    facts = decode(S("* OK IMAP4rev1"), C("a1 LOGIN {5}"), S("+ go"), C(b"ali"), port=143)
    assert (facts["commands"], facts["auth"], facts["user"]) == (1, b"LOGIN", b"")


@pytest.mark.parametrize(
    "refusal",
    [
        "Invalid authentication mechanism.",  # pymap
        "Unsupported authentication mechanism.",  # Dovecot
        "LOGIN denied",
        "Unknown user or password",
    ],
)
def test_a_server_alone_refuses_a_login(refusal: str) -> None:
    assert decode(S("* OK hello", f"a1 NO {refusal}"), port=143)["auth_result"] == "failure"


@pytest.mark.parametrize("command", ["UNAUTHENTICATE", 'SETQUOTA "" (STORAGE 512)', "RESETKEY"])
def test_commands_of_extensions_count(command: str) -> None:
    facts = decode(S("* OK IMAP4rev1"), C("a1 LOGIN bob x", f"a2 {command}"), port=143)
    assert facts["commands"] == 2


def test_a_login_alone_names_the_protocol() -> None:
    assert decode(C("a1 LOGIN alice secret"), port=1430)["service"] == "imap"
    assert decode(C('7 login "alice" "x y"'), port=1430)["service"] == "imap"
    for text in "please login here now", "a login alice", "a1 login page and more":
        assert decode(C(text), port=1430)["service"] == ""


@pytest.mark.parametrize(
    "refusal",
    [
        "LOGIN is disabled before STARTTLS",  # Twisted
        "Plaintext logins are disabled, use STARTTLS first",
        "[PRIVACYREQUIRED] Cleartext login not permitted without TLS",
    ],
)
def test_a_login_that_wants_tls_first_is_no_refused_starttls(refusal: str) -> None:
    greeting = S("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready")
    turns = [greeting, C("a1 LOGIN bob x"), S(f"a1 NO {refusal}")]
    for seen in turns, server_only(turns):
        facts = decode(*seen, port=143)
        assert (facts["starttls"], facts["auth_result"]) == ("offered", "failure")


def test_an_envelope_with_a_folded_subject_and_an_address_that_is_none() -> None:
    """As Twisted sends them."""
    facts = decode(
        S("* OK IMAP4rev1"),
        S(
            '* 2 FETCH (ENVELOPE ("x" {18}',
            b'Gruss from\r\n Koeln (("A" NIL "a" "b.c")) NIL NIL '
            b'(("B" NIL "b" "c.d") (NIL NIL "")) NIL NIL NIL "<1@x>"))\r\n',
        ),
        port=143,
    )
    assert facts["subject"] == b"Gruss from Koeln"
    assert (facts["to"], facts["msg_id"]) == ([b"B <b@c.d>"], b"<1@x>")


def test_a_client_that_tries_no_login_has_none() -> None:
    """Captures made by hand leave it out."""
    turns = [S("* OK IMAP4rev1"), C("a1 SELECT INBOX"), S("* 3 EXISTS", "a1 OK done")]
    assert decode(*turns, port=143)["auth_result"] == ""
    assert decode(*server_only(turns), port=143)["auth_result"] == "success"
