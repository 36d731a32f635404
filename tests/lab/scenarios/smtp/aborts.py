"""SMTP over raw sockets: connections that end at each stage."""

from __future__ import annotations

from lab.accounts import CLIENT_NAME
from lab.messages import PLAIN, header_from
from lab.scenarios.base import Catalogue, Stage
from lab.scenarios.smtp.dialogue import NONE, ONE, SENDER, envelope, finish, hello
from lab.talk import pause

catalogue = Catalogue("smtp")
add = catalogue.add


@add("closed after the greeting", **NONE, stage="greeting", empty_cause="greeting_only", helo=None)
def closed_after_greeting(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        talk.answer("220")
        talk.close()


@add("QUIT after the greeting", **NONE, stage="logout", empty_cause="hello_only", helo=None)
def quit_after_greeting(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        talk.answer("220")
        finish(talk)


@add("reset after EHLO", **NONE, stage="hello", empty_cause="hello_only", helo=CLIENT_NAME)
def reset_after_hello(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.reset()


@add(
    "reset after MAIL", helo=CLIENT_NAME, mailfrom=[SENDER], rcptto=[], stage="envelope", messages=0
)
def reset_after_mail(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask(f"MAIL FROM:<{SENDER}>", "250")
        talk.reset()


@add("closed after RCPT", **ONE, stage="envelope", messages=0)
def closed_after_rcpt(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk)
        talk.close()


@add("reset after DATA", **ONE, stage="data", messages=0)
def reset_after_data(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk)
        talk.ask("DATA", "354")
        talk.reset()


@add("reset within the header", **ONE, stage="data", messages=0, **header_from(*PLAIN.sender))
def reset_within_header(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk)
        talk.ask("DATA", "354")
        talk.send(PLAIN.wire[: PLAIN.wire.index(b"Alice <")])
        pause()
        talk.reset()


@add("reset within the body", **ONE, stage="data", messages=0, **PLAIN.wants)
def reset_within_body(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk)
        talk.ask("DATA", "354")
        talk.send(PLAIN.wire[:-40])
        pause()
        talk.reset()
