"""IMAP over raw sockets: before the login, and each way to log in."""

from __future__ import annotations

import base64
import hashlib
import hmac

from lab.accounts import ALICE, BOB, TOKEN, WRONG
from lab.scenarios.base import Catalogue, Stage, b64
from lab.scenarios.imap.dialogue import LOGGED_IN, NOTHING, finish, greeting, login

catalogue = Catalogue("imap")
add = catalogue.add


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


@add(
    "AUTHENTICATE CRAM-MD5",
    needs="AUTH=CRAM-MD5",
    **NOTHING,
    auth="CRAM-MD5",
    auth_result="success",
    user=ALICE.name,
)
def authenticate_cram(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        challenge = base64.b64decode(talk.ask("a1 AUTHENTICATE CRAM-MD5", r"\+ ")[2:])
        digest = hmac.new(ALICE.password.encode(), challenge, hashlib.md5).hexdigest()
        talk.send(b64(f"{ALICE.name} {digest}") + "\r\n")
        talk.answer("a1 OK", tag="a1")
        finish(talk)


@add("AUTHENTICATE cancelled", **NOTHING, auth="PLAIN", user=None)
def authenticate_cancelled(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        talk.ask("a1 AUTHENTICATE PLAIN", r"\+")
        talk.send("*\r\n")
        talk.answer("a1 (BAD|NO)", tag="a1")
        finish(talk)
