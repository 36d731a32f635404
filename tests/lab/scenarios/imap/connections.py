"""IMAP over raw sockets: TLS, PREAUTH, and how commands and connections are cut."""

from __future__ import annotations

from lab.messages import PLAIN
from lab.scenarios.base import Catalogue, Stage
from lab.scenarios.imap.dialogue import LOGGED_IN, NOTHING, finish, greeting, login, select

catalogue = Catalogue("imap")
add = catalogue.add


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
