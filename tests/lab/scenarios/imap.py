"""IMAP over raw sockets. Alice's INBOX holds the messages PLAIN, RICH and BARE, Bob's none."""

from __future__ import annotations

from typing import Any

from lab.accounts import ALICE, BOB, TOKEN, WRONG
from lab.messages import BARE, PLAIN, RICH, header_from
from lab.scenarios.base import Catalogue, Stage
from lab.scenarios.smtp import b64
from lab.talk import Talk

catalogue = Catalogue("imap")
add = catalogue.add


def greeting(talk: Talk) -> None:
    """The greeting."""
    talk.answer(r"\* OK")


def login(talk: Talk) -> None:
    """LOGIN with atoms."""
    talk.ask(f"a1 LOGIN {ALICE.name} {ALICE.password}", "a1 OK")


def finish(talk: Talk) -> None:
    """LOGOUT."""
    talk.ask("z9 LOGOUT", "z9 OK")
    talk.close()


def select(talk: Talk) -> None:
    """SELECT INBOX."""
    talk.ask("a2 SELECT INBOX", "a2 OK")


LOGGED_IN: dict[str, Any] = {"auth": "LOGIN", "auth_result": "success", "user": ALICE.name}
NOTHING: dict[str, Any] = {"from": [], "to": [], "messages": 0}


@add("login and logout", **LOGGED_IN, **NOTHING, empty_cause="login_only", stage="logout")
def login_only(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        finish(talk)


@add("CAPABILITY, login, logout", **LOGGED_IN, **NOTHING, empty_cause="login_only")
def capability_login(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.ask("a0 CAPABILITY", "a0 OK")
        login(talk)
        talk.ask("a3 CAPABILITY", "a3 OK")
        finish(talk)


@add("CAPABILITY alone", **NOTHING, auth=None, auth_result=None, empty_cause="hello_only")
def capability(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.ask("a0 CAPABILITY", "a0 OK")
        finish(talk)


@add("ID and NOOP", **NOTHING, auth=None, auth_result=None, empty_cause="hello_only")
def identify(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.ask('a0 ID ("name" "lab")', "a0 (OK|BAD|NO)")
        talk.ask("a1 NOOP", "a1 OK")
        finish(talk)


@add("LOGOUT alone", **NOTHING, auth=None, auth_result=None, empty_cause="hello_only")
def logout(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        finish(talk)


@add("closed after the greeting", **NOTHING, empty_cause="greeting_only", stage="greeting")
def closed(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.close()


@add(
    "wrong password",
    **NOTHING,
    auth="LOGIN",
    auth_result="failure",
    user=ALICE.name,
    empty_cause="refused",
)
def wrong(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.ask(f"a1 LOGIN {ALICE.name} {WRONG}", "a1 NO")
        finish(talk)


@add("quoted login", **LOGGED_IN, **NOTHING)
def quoted(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.ask(f'a1 LOGIN "{ALICE.name}" "{ALICE.password}"', "a1 OK")
        finish(talk)


@add("login by literals", **LOGGED_IN, **NOTHING)
def literals(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.ask(f"a1 LOGIN {{{len(ALICE.name)}}}", r"\+ ")
        talk.ask(f"{ALICE.name} {{{len(ALICE.password)}}}", r"\+ ")
        talk.send(f"{ALICE.password}\r\n")
        talk.answer("a1 OK", tag="a1")
        finish(talk)


@add("login by LITERAL+", needs="LITERAL+", **LOGGED_IN, **NOTHING)
def literal_plus(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        name, word = ALICE.name, ALICE.password
        talk.send(f"a1 LOGIN {{{len(name)}+}}\r\n{name} {{{len(word)}+}}\r\n{word}\r\n")
        talk.answer("a1 OK", tag="a1")
        finish(talk)


@add("empty user by literal", **NOTHING, auth="LOGIN", auth_result="failure", user=None)
def empty_user(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.ask("a1 LOGIN {0}", r"\+ ")
        talk.ask(f" {{{len(ALICE.password)}}}", r"\+ ")
        talk.send(f"{ALICE.password}\r\n")
        talk.answer("a1 (NO|BAD)", tag="a1")
        finish(talk)


@add("AUTHENTICATE PLAIN", **NOTHING, auth="PLAIN", auth_result="success", user=ALICE.name)
def authenticate(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.ask("a1 AUTHENTICATE PLAIN", r"\+")
        talk.send(b64(f"\0{ALICE.name}\0{ALICE.password}") + "\r\n")
        talk.answer("a1 OK", tag="a1")
        finish(talk)


@add(
    "AUTHENTICATE PLAIN, initial response",
    needs="SASL-IR",
    **NOTHING,
    auth="PLAIN",
    auth_result="success",
    user=ALICE.name,
)
def authenticate_initial(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.ask(
            f"a1 AUTHENTICATE PLAIN {b64(f'{chr(0)}{ALICE.name}{chr(0)}{ALICE.password}')}", "a1 OK"
        )
        finish(talk)


@add(
    "AUTHENTICATE LOGIN",
    needs="AUTH=LOGIN",
    **NOTHING,
    auth="LOGIN",
    auth_result="success",
    user=ALICE.name,
)
def authenticate_login(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.ask("a1 AUTHENTICATE LOGIN", r"\+")
        talk.ask(b64(ALICE.name), r"\+")
        talk.send(b64(ALICE.password) + "\r\n")
        talk.answer("a1 OK", tag="a1")
        finish(talk)


@add("AUTHENTICATE, wrong, then LOGIN", **NOTHING, **LOGGED_IN)
def authenticate_wrong(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.ask("a0 AUTHENTICATE PLAIN", r"\+")
        talk.send(b64(f"\0{BOB.name}\0{WRONG}") + "\r\n")
        talk.answer("a0 NO", tag="a0")
        login(talk)
        finish(talk)


@add(
    "AUTHENTICATE XOAUTH2",
    needs="OAUTH",
    **NOTHING,
    auth="XOAUTH2",
    auth_result="failure",
    user=ALICE.name,
)
def xoauth2(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        response = f"user={ALICE.name}\1auth=Bearer {TOKEN}\1\1"
        talk.send(f"a1 AUTHENTICATE XOAUTH2 {b64(response)}\r\n")
        if talk.answer(r"(\+|a1 NO)").startswith("+"):
            talk.send("\r\n")
            talk.answer("a1 NO", tag="a1")
        finish(talk)


@add("SELECT", **LOGGED_IN, **NOTHING, empty_cause="no_message")
def selected(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        select(talk)
        finish(talk)


@add("LIST, STATUS, SEARCH, STORE", **LOGGED_IN, **NOTHING, empty_cause="no_message")
def look(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        talk.ask('b1 LIST "" "*"', "b1 OK")
        talk.ask("b2 STATUS INBOX (MESSAGES UIDNEXT)", "b2 OK")
        select(talk)
        talk.ask("b3 SEARCH ALL", "b3 OK")
        talk.ask("b4 UID SEARCH FROM ann", "b4 OK")
        talk.ask(r"b5 STORE 1 +FLAGS (\Flagged)", "b5 OK")
        talk.ask("b6 FETCH 1:* FLAGS", "b6 OK")
        talk.ask("b7 CHECK", "b7 OK")
        talk.ask("b8 CLOSE", "b8 OK")
        finish(talk)


@add("FETCH of a message", **LOGGED_IN, messages=1, **PLAIN.wants)
def fetch(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        select(talk)
        talk.ask("a3 FETCH 1 BODY[]", "a3 OK")
        finish(talk)


@add(
    "FETCH of all",
    **LOGGED_IN,
    messages=3,
    subject=BARE.subject,
    msg_id=BARE.msg_id,
    **header_from(*PLAIN.sender, *RICH.sender, *BARE.sender),
)
def fetch_all(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        select(talk)
        talk.ask("a3 UID FETCH 1:* (UID FLAGS RFC822.SIZE BODY.PEEK[])", "a3 OK")
        finish(talk)


@add("FETCH of a header", **LOGGED_IN, **RICH.wants)
def fetch_header(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        select(talk)
        talk.ask("a3 FETCH 2 BODY.PEEK[HEADER]", "a3 OK")
        finish(talk)


@add("FETCH of header fields", **LOGGED_IN, **header_from(*RICH.sender), subject=RICH.subject)
def fetch_fields(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        select(talk)
        talk.ask("a3 FETCH 2 (FLAGS BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)])", "a3 OK")
        finish(talk)


@add("FETCH ENVELOPE", **LOGGED_IN, messages=0, **RICH.wants)
def envelope(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        select(talk)
        talk.ask("a3 FETCH 2 (UID ENVELOPE)", "a3 OK")
        finish(talk)


@add("FETCH ENVELOPE and message", **LOGGED_IN, messages=1, **RICH.wants)
def envelope_and_message(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        select(talk)
        talk.ask("a3 FETCH 2 (UID ENVELOPE BODYSTRUCTURE)", "a3 OK")
        talk.ask("a4 FETCH 2 BODY[]", "a4 OK")
        finish(talk)


@add("FETCH of parts", **LOGGED_IN, **NOTHING, empty_cause="no_message")
def parts(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        select(talk)
        talk.ask("a3 FETCH 2 BODYSTRUCTURE", "a3 OK")
        talk.ask("a4 FETCH 2 BODY.PEEK[1]", "a4 OK")
        talk.ask("a5 FETCH 2 BODY.PEEK[2.HEADER]", "a5 OK")
        talk.ask("a6 FETCH 2 BODY.PEEK[1.MIME]", "a6 OK")
        talk.ask("a7 FETCH 2 BODY.PEEK[TEXT]", "a7 OK")
        talk.ask("a8 FETCH 2 BODY.PEEK[]<20.40>", "a8 OK")
        finish(talk)


@add("FETCH of a missing message", **LOGGED_IN, **NOTHING, empty_cause="no_message")
def missing(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        select(talk)
        talk.ask("a3 UID FETCH 999 BODY[]", "a3 OK")
        finish(talk)


@add("APPEND", **LOGGED_IN, **NOTHING, empty_cause="no_message")
def append(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.ask(f"a1 LOGIN {ALICE.name} {ALICE.password}", "a1 OK")
        talk.ask(f"b1 CREATE {stage.server.inbox}Drafts", "b1 (OK|NO)")
        talk.ask(f"b2 APPEND {stage.server.inbox}Drafts (\\Seen) {{{len(RICH.crlf)}}}", r"\+")
        talk.send(RICH.crlf + b"\r\n")
        talk.answer("b2 OK", tag="b2")
        finish(talk)


@add("APPEND by LITERAL+", needs="LITERAL+", **LOGGED_IN, **NOTHING)
def append_plus(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        talk.ask(f"b1 CREATE {stage.server.inbox}Drafts", "b1 (OK|NO)")
        talk.send(
            f"b2 APPEND {stage.server.inbox}Drafts {{{len(PLAIN.crlf)}+}}\r\n".encode()
            + PLAIN.crlf
            + b"\r\n"
        )
        talk.answer("b2 OK", tag="b2")
        finish(talk)


@add("APPEND refused", **LOGGED_IN, **NOTHING, empty_cause="no_message")
def append_refused(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        talk.ask(f"b2 APPEND {stage.server.inbox}Nowhere {{5000}}", r"(b2 NO|\+)")
        if talk.heard[-1].startswith("+"):
            talk.send(b"x" * 5000 + b"\r\n")
            talk.answer("b2 NO", tag="b2")
        talk.ask(f"b3 CREATE {stage.server.inbox}Sent", "b3 (OK|NO)")
        select(talk)
        finish(talk)


@add("IDLE", needs="IDLE", **LOGGED_IN, **NOTHING, empty_cause="no_message")
def idle(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        select(talk)
        talk.ask("a3 IDLE", r"\+")
        talk.send("DONE\r\n")
        talk.answer("a3 OK", tag="a3")
        finish(talk)


@add("QRESYNC", needs="QRESYNC", **LOGGED_IN, **NOTHING)
def qresync(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        talk.ask("b1 ENABLE QRESYNC", "b1 OK")
        talk.ask("b2 SELECT INBOX (QRESYNC (67890007 1))", "b2 OK")
        talk.ask("b3 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)", "b3 (OK|BAD)")
        finish(talk)


@add("NOTIFY", needs="NOTIFY", **LOGGED_IN, **NOTHING)
def notify(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        select(talk)
        talk.ask(
            "b1 NOTIFY SET (SELECTED (MessageNew (UID FLAGS) MessageExpunge))", "b1 (OK|NO|BAD)"
        )
        talk.ask("b2 NOOP", "b2 OK")
        finish(talk)


@add("ENABLE UTF8=ACCEPT", needs="UTF8", **LOGGED_IN, **NOTHING)
def utf8(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        talk.ask("b1 ENABLE UTF8=ACCEPT", "b1 OK")
        select(talk)
        finish(talk)


@add("COMPRESS", needs="COMPRESS", **LOGGED_IN, messages=1, **PLAIN.wants)
def compress(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        talk.ask("b1 COMPRESS DEFLATE", "b1 OK")
        talk.deflate()
        select(talk)
        talk.ask("b2 FETCH 1 BODY[]", "b2 OK")
        finish(talk)


@add(
    "STARTTLS",
    needs="STARTTLS",
    starttls="tls",
    **NOTHING,
    empty_cause="starttls",
    decode_as="MAIL",
)
def starttls(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.ask("a0 CAPABILITY", "a0 OK")
        talk.ask("b1 STARTTLS", "b1 OK")
        talk.start_tls()
        login(talk)
        finish(talk)


@add("STARTTLS at once", needs="STARTTLS", starttls="tls", **NOTHING, empty_cause="starttls")
def starttls_at_once(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.ask("b1 STARTTLS", "b1 OK")
        talk.start_tls()
        login(talk)
        finish(talk)


@add("implicit TLS", serves="imaps", service=None, implicit_tls=True, decode_as="SSL")
def implicit(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        talk.start_tls()
        greeting(talk)
        login(talk)
        finish(talk)


@add("unknown command", **LOGGED_IN, **NOTHING)
def unknown(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        talk.ask("b1 NONSENSE more", "b1 (BAD|NO)")
        finish(talk)


@add("several commands at once", **LOGGED_IN, messages=1, **PLAIN.wants)
def pipelined(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        talk.send("b1 SELECT INBOX\r\nb2 FETCH 1 (FLAGS BODY.PEEK[])\r\nb3 LOGOUT\r\n")
        for tag in ("b1", "b2", "b3"):
            talk.answer(f"{tag} OK", tag=tag)


@add("reset after SELECT", **LOGGED_IN, **NOTHING, stage="envelope", empty_cause="no_message")
def reset(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        select(talk)
        talk.reset()


@add(
    "PREAUTH",
    serves="imap-preauth",
    speaks="imap",
    service="imap",
    messages=1,
    auth=None,
    **PLAIN.wants,
)
def preauth(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        talk.answer(r"\* PREAUTH")
        select(talk)
        talk.ask("a3 FETCH 1 BODY[]", "a3 OK")
        finish(talk)


@add(
    "PREAUTH and LOGOUT",
    serves="imap-preauth",
    speaks="imap",
    service="imap",
    messages=0,
    empty_cause="login_only",
)
def preauth_logout(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        talk.answer(r"\* PREAUTH")
        finish(talk)
