"""POP3 over raw sockets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Any

from lab.accounts import ALICE, BOB, TOKEN, WRONG
from lab.messages import BARE, PLAIN, RICH, header_from
from lab.scenarios.base import Catalogue, Stage, b64
from lab.talk import Talk

catalogue = Catalogue("pop3")
add = catalogue.add


def greeting(talk: Talk) -> str:
    """The greeting."""
    return talk.answer(r"\+OK")


def capabilities(talk: Talk) -> None:
    """CAPA, which not every server knows."""
    talk.ask("CAPA", r"\+OK|-ERR", lines=True)


def login(talk: Talk) -> None:
    """USER and PASS."""
    talk.ask(f"USER {ALICE.name}", r"\+OK")
    talk.ask(f"PASS {ALICE.password}", r"\+OK")


def finish(talk: Talk) -> None:
    """QUIT."""
    talk.ask("QUIT", r"\+OK")
    talk.close()


BEARER = f"n,,\1host=a\1auth=Bearer a={TOKEN}\1\1"
"""Of RFC 7628, without a user, and with a token that looks as if it named one."""
LOGGED_IN: dict[str, Any] = {"auth": "USER", "auth_result": "success", "user": ALICE.name}
NOTHING: dict[str, Any] = {"from": [], "to": [], "messages": 0}


@add("login and QUIT", **LOGGED_IN, **NOTHING, empty_cause="login_only")
def login_only(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        login(talk)
        finish(talk)


@add("CAPA and QUIT", **NOTHING, auth=None, auth_result=None, empty_cause="hello_only")
def capa(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        capabilities(talk)
        finish(talk)


@add("QUIT alone", **NOTHING, auth=None, auth_result=None, empty_cause="hello_only", stage="logout")
def quit_alone(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        finish(talk)


@add("closed after the greeting", **NOTHING, empty_cause="greeting_only", stage="greeting")
def closed(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.close()


@add("CAPA before and after login", **LOGGED_IN, **NOTHING, empty_cause="login_only")
def capa_twice(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        capabilities(talk)
        login(talk)
        capabilities(talk)
        finish(talk)


@add("STAT, LIST, UIDL", **LOGGED_IN, **NOTHING, empty_cause="no_message")
def look(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        login(talk)
        talk.ask("STAT", r"\+OK")
        talk.ask("LIST", r"\+OK", lines=True)
        talk.ask("UIDL", r"\+OK", lines=True)
        talk.ask("LIST 1", r"\+OK")
        talk.ask("UIDL 2", r"\+OK")
        finish(talk)


@add("RETR", **LOGGED_IN, messages=1, **PLAIN.wants)
def retrieve(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        login(talk)
        talk.ask("STAT", r"\+OK")
        talk.ask("RETR 1", r"\+OK", lines=True)
        finish(talk)


@add(
    "RETR of all",
    **LOGGED_IN,
    messages=3,
    subject=BARE.subject,
    msg_id=BARE.msg_id,
    **header_from(*PLAIN.sender, *RICH.sender, *BARE.sender),
)
def retrieve_all(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        capabilities(talk)
        login(talk)
        talk.ask("LIST", r"\+OK", lines=True)
        for number in (1, 2, 3):
            talk.ask(f"RETR {number}", r"\+OK", lines=True)
        finish(talk)


@add("TOP", **LOGGED_IN, messages=1, **RICH.wants)
def top(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        login(talk)
        talk.ask("TOP 2 0", r"\+OK", lines=True)
        finish(talk)


@add("missing message", **LOGGED_IN, **NOTHING, empty_cause="no_message")
def missing(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        login(talk)
        talk.ask("RETR 99", "-ERR", lines=True)
        finish(talk)


@add("DELE, RSET, NOOP", **LOGGED_IN, **NOTHING, empty_cause="no_message")
def delete(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        login(talk)
        talk.ask("DELE 1", r"\+OK")
        talk.ask("RSET", r"\+OK")
        talk.ask("NOOP", r"\+OK")
        finish(talk)


@add(
    "wrong password",
    **NOTHING,
    auth="USER",
    auth_result="failure",
    user=ALICE.name,
    empty_cause="refused",
)
def wrong(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.ask(f"USER {ALICE.name}", r"\+OK")
        talk.ask(f"PASS {WRONG}", "-ERR")
        talk.send("QUIT\r\n")
        talk.drain()


@add("wrong, then right", **NOTHING, **LOGGED_IN, empty_cause="login_only", needs="retry")
def wrong_then_right(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.ask(f"USER {ALICE.name}", r"\+OK")
        talk.ask(f"PASS {WRONG}", "-ERR")
        login(talk)
        finish(talk)


@add(
    "USER, then QUIT",
    **NOTHING,
    auth="USER",
    auth_result=None,
    user=ALICE.name,
    empty_cause="login_only",
)
def user_only(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.ask(f"USER {ALICE.name}", r"\+OK")
        talk.send("QUIT\r\n")
        talk.drain()


@add(
    "USER, then reset",
    **NOTHING,
    auth="USER",
    auth_result=None,
    user=ALICE.name,
    empty_cause="login_only",
)
def user_reset(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.ask(f"USER {ALICE.name}", r"\+OK")
        talk.reset()


@add("unknown command with a password", **NOTHING)
def unknown_command(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.send(f"PASSWD {ALICE.password}\r\n")
        talk.answer("-ERR")
        talk.send("QUIT\r\n")
        talk.drain()


@add(
    "APOP",
    needs="APOP",
    **NOTHING,
    auth="APOP",
    auth_result="success",
    user=ALICE.name,
    empty_cause="login_only",
)
def apop(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        stamp = re.search(r"<[^>]+>", greeting(talk))
        assert stamp is not None
        secret = (stamp[0] + ALICE.password).encode()
        digest = hashlib.md5(secret, usedforsecurity=False).hexdigest()
        talk.ask(f"APOP {ALICE.name} {digest}", r"\+OK")
        finish(talk)


@add(
    "APOP, wrong",
    needs="APOP",
    **NOTHING,
    auth="APOP",
    auth_result="failure",
    user=ALICE.name,
    empty_cause="refused",
)
def apop_wrong(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.ask(f"APOP {ALICE.name} {'0' * 32}", "-ERR")
        talk.send("QUIT\r\n")
        talk.drain()


@add(
    "AUTH PLAIN",
    needs="SASL",
    **NOTHING,
    auth="PLAIN",
    auth_result="success",
    user=ALICE.name,
    empty_cause="login_only",
)
def auth_plain(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.ask("AUTH PLAIN", r"\+ ")
        talk.ask(b64(f"\0{ALICE.name}\0{ALICE.password}"), r"\+OK")
        finish(talk)


@add(
    "AUTH PLAIN, initial response",
    needs="SASL",
    messages=1,
    auth="PLAIN",
    auth_result="success",
    user=ALICE.name,
    **PLAIN.wants,
)
def auth_plain_initial(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.ask(f"AUTH PLAIN {b64(f'{chr(0)}{ALICE.name}{chr(0)}{ALICE.password}')}", r"\+OK")
        talk.ask("RETR 1", r"\+OK", lines=True)
        finish(talk)


@add("AUTH LOGIN", needs="SASL", **NOTHING, auth="LOGIN", auth_result="success", user=ALICE.name)
def auth_login(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.ask("AUTH LOGIN", r"\+ ")
        talk.ask(b64(ALICE.name), r"\+ ")
        talk.ask(b64(ALICE.password), r"\+OK")
        finish(talk)


@add(
    "AUTH OAUTHBEARER",
    needs="OAUTH",
    **NOTHING,
    auth="OAUTHBEARER",
    auth_result="failure",
    user=None,
    empty_cause="refused",
)
def oauth(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.ask(
            f"AUTH OAUTHBEARER {b64(BEARER)}",
            r"(\+ |-ERR)",
        )
        if talk.heard[-1].startswith("+"):
            talk.ask(b64("\1"), "-ERR")
        talk.send("QUIT\r\n")
        talk.drain()


@add("pipelined login", needs="PIPELINING", **LOGGED_IN, messages=1, **PLAIN.wants)
def pipelined(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.send(f"USER {ALICE.name}\r\nPASS {ALICE.password}\r\nSTAT\r\nRETR 1\r\nQUIT\r\n")
        for lines in (False, False, False, True, False):
            talk.answer(r"\+OK", lines=lines)


@add("STLS", needs="STLS", starttls="tls", **NOTHING, empty_cause="starttls", decode_as="MAIL")
def stls(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.ask("CAPA", r"\+OK", lines=True)
        talk.ask("STLS", r"\+OK")
        talk.start_tls()
        login(talk)
        talk.ask("RETR 1", r"\+OK", lines=True)
        finish(talk)


@add("STLS without CAPA", needs="STLS", starttls="tls", **NOTHING, empty_cause="starttls")
def stls_at_once(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.ask("STLS", r"\+OK")
        talk.start_tls()
        login(talk)
        finish(talk)


@add("implicit TLS", serves="pop3s", service=None, implicit_tls=True, decode_as="SSL")
def implicit(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        talk.start_tls()
        greeting(talk)
        login(talk)
        finish(talk)


@add(
    "empty mailbox",
    auth="USER",
    auth_result="success",
    user=BOB.name,
    **NOTHING,
    empty_cause="no_message",
)
def empty(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.ask(f"USER {BOB.name}", r"\+OK")
        talk.ask(f"PASS {BOB.password}", r"\+OK")
        talk.ask("STAT", r"\+OK")
        talk.ask("LIST", r"\+OK", lines=True)
        finish(talk)


@add("reset within a message", **LOGGED_IN)
def reset_within(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        login(talk)
        talk.ask("RETR 1", r"\+OK")
        talk.reset()


@add(
    "AUTH CRAM-MD5",
    needs="AUTH=CRAM-MD5",
    **NOTHING,
    auth="CRAM-MD5",
    auth_result="success",
    user=ALICE.name,
)
def auth_cram(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        challenge = base64.b64decode(talk.ask("AUTH CRAM-MD5", r"\+ ")[2:])
        digest = hmac.new(ALICE.password.encode(), challenge, hashlib.md5).hexdigest()
        talk.ask(b64(f"{ALICE.name} {digest}"), r"\+OK")
        finish(talk)


@add("AUTH cancelled", needs="SASL", **NOTHING, auth="PLAIN", user=None)
def auth_cancelled(stage: Stage) -> None:
    with stage.talk("pop3") as talk:
        greeting(talk)
        talk.ask("AUTH PLAIN", r"\+ ")
        talk.ask("*", "-ERR")
        talk.send("QUIT\r\n")
        talk.drain()
