"""SMTP over raw sockets: each AUTH mechanism, taken, refused and cancelled; XCLIENT."""

from __future__ import annotations

import base64
import hashlib
import hmac

from lab.accounts import ALICE, CLIENT_NAME, WRONG
from lab.messages import PLAIN
from lab.scenarios.base import Catalogue, Stage, b64
from lab.scenarios.smtp.dialogue import NONE, ONE, data, envelope, finish, hello

catalogue = Catalogue("smtp")
add = catalogue.add


@add("XCLIENT", needs="XCLIENT", **ONE, messages=1, starttls="offered")
def xclient(stage: Stage) -> None:
    """The server answers XCLIENT with 220, as it answers STARTTLS."""
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask("XCLIENT NAME=spike.example ADDR=198.51.100.7", "220")
        talk.ask(f"EHLO {CLIENT_NAME}", "250")
        envelope(talk)
        data(talk, PLAIN)
        finish(talk)


@add(
    "AUTH PLAIN",
    needs="AUTH",
    **ONE,
    messages=1,
    auth="PLAIN",
    auth_result="success",
    user=ALICE.name,
)
def auth_plain(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask(f"AUTH PLAIN {b64(f'{chr(0)}{ALICE.name}{chr(0)}{ALICE.password}')}", "235")
        envelope(talk)
        data(talk, PLAIN)
        finish(talk)


@add(
    "AUTH PLAIN in two steps",
    needs="AUTH",
    **NONE,
    auth="PLAIN",
    auth_result="success",
    user=ALICE.name,
    empty_cause="login_only",
)
def auth_plain_two(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask("AUTH PLAIN", "334")
        talk.ask(b64(f"\0{ALICE.name}\0{ALICE.password}"), "235")
        finish(talk)


@add(
    "AUTH LOGIN",
    needs="AUTH",
    **NONE,
    auth="LOGIN",
    auth_result="success",
    user=ALICE.name,
    empty_cause="login_only",
)
def auth_login(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask("AUTH LOGIN", "334")
        talk.ask(b64(ALICE.name), "334")
        talk.ask(b64(ALICE.password), "235")
        finish(talk)


@add(
    "AUTH LOGIN with the user",
    needs="AUTH",
    **NONE,
    auth="LOGIN",
    auth_result="success",
    user=ALICE.name,
)
def auth_login_initial(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask(f"AUTH LOGIN {b64(ALICE.name)}", "334")
        talk.ask(b64(ALICE.password), "235")
        finish(talk)


@add(
    "AUTH CRAM-MD5",
    needs="CRAM-MD5",
    **NONE,
    auth="CRAM-MD5",
    auth_result="success",
    user=ALICE.name,
)
def auth_cram(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        challenge = base64.b64decode(talk.ask("AUTH CRAM-MD5", "334")[4:])
        digest = hmac.new(ALICE.password.encode(), challenge, hashlib.md5).hexdigest()
        talk.ask(b64(f"{ALICE.name} {digest}"), "235")
        finish(talk)


@add(
    "AUTH, wrong password",
    needs="AUTH",
    **NONE,
    auth="PLAIN",
    auth_result="failure",
    user=ALICE.name,
    empty_cause="refused",
)
def auth_wrong(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask(f"AUTH PLAIN {b64(f'{chr(0)}{ALICE.name}{chr(0)}{WRONG}')}", "535")
        finish(talk)


@add(
    "AUTH, wrong, then right",
    needs="AUTH",
    **NONE,
    auth="LOGIN",
    auth_result="success",
    user=ALICE.name,
)
def auth_wrong_then_right(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask(f"AUTH PLAIN {b64(f'{chr(0)}{ALICE.name}{chr(0)}{WRONG}')}", "535")
        talk.ask("AUTH LOGIN", "334")
        talk.ask(b64(ALICE.name), "334")
        talk.ask(b64(ALICE.password), "235")
        finish(talk)


@add("AUTH cancelled", needs="AUTH", **NONE, auth="LOGIN")
def auth_cancelled(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask("AUTH LOGIN", "334")
        talk.ask("*", "5")
        finish(talk)


@add("AUTH with an unknown mechanism", needs="AUTH", **NONE)
def auth_unknown(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask("AUTH XOAUTH2", "[45]")
        finish(talk)


@add("AUTH PLAIN, one NUL", needs="AUTH", **NONE, auth="PLAIN", auth_result="failure", user=None)
def auth_one_nul(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask(f"AUTH PLAIN {b64(f'{ALICE.name}{chr(0)}{ALICE.password}')}", "5")
        finish(talk)


@add("password as a command", needs="AUTH", **NONE)
def password_as_command(stage: Stage) -> None:
    """A client that goes on with a login whose mechanism was refused."""
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask("AUTH NTLM", "[45]")
        talk.ask(b64(ALICE.name), "[45]")
        talk.ask(b64(ALICE.password), "[45]")
        finish(talk)
