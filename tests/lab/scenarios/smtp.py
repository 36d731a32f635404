"""SMTP over raw sockets: features, refusals and aborts."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import ssl
from typing import Any

from lab.accounts import ALICE, CLIENT_NAME, DOMAIN, WRONG
from lab.messages import BARE, LONG, PLAIN, RICH, Message, header_from
from lab.scenarios.base import Catalogue, Stage
from lab.talk import Talk, pause

NO_HEADER: dict[str, Any] = {"from": [], "to": []}
catalogue = Catalogue("smtp")
add = catalogue.add

SENDER = "ann@example.org"
BOUNCES = "bounces+1=a@example.org"
TO_ALICE, TO_BOB = ALICE.address, f"bob@{DOMAIN}"


def b64(text: str | bytes) -> str:
    """Base64."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def hello(talk: Talk) -> None:
    """Greeting and EHLO."""
    talk.answer("220")
    talk.ask(f"EHLO {CLIENT_NAME}", "250")


def envelope(talk: Talk, sender: str = SENDER, *recipients: str) -> None:
    """MAIL and RCPT."""
    talk.ask(f"MAIL FROM:<{sender}>", "250")
    for recipient in recipients or (TO_ALICE,):
        talk.ask(f"RCPT TO:<{recipient}>", "25")


def data(talk: Talk, message: Message, wanted: str = "250") -> None:
    """DATA and a message."""
    talk.ask("DATA", "354")
    talk.send(message.wire + b".\r\n")
    talk.answer(wanted)


def finish(talk: Talk) -> None:
    """QUIT."""
    talk.ask("QUIT", "221")
    talk.close()


ONE: dict[str, Any] = {
    "helo": CLIENT_NAME,
    "mailfrom": [SENDER],
    "rcptto": [TO_ALICE],
    "mailfrom_count": 1,
    "rcptto_count": 1,
}
NONE: dict[str, Any] = {
    "mailfrom": [],
    "rcptto": [],
    "mailfrom_count": 0,
    "rcptto_count": 0,
    "messages": 0,
}


@add("one message", **ONE, **PLAIN.wants, messages=1, stage="logout")
def one_message(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk)
        data(talk, PLAIN)
        finish(talk)


@add("HELO", **ONE, **BARE.wants, messages=1)
def helo(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        talk.answer("220")
        talk.ask(f"HELO {CLIENT_NAME}", "250")
        envelope(talk)
        data(talk, BARE)
        finish(talk)


@add("lower case", **ONE, messages=1)
def lower_case(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        talk.answer("220")
        talk.ask(f"ehlo {CLIENT_NAME}", "250")
        talk.ask(f"mail from:<{SENDER}>", "250")
        talk.ask(f"rcpt to:<{TO_ALICE}>", "25")
        talk.ask("data", "354")
        talk.send(PLAIN.wire + b".\r\n")
        talk.answer("250")
        talk.ask("quit", "221")


@add(
    "several messages",
    helo=CLIENT_NAME,
    mailfrom=[SENDER, BOUNCES],
    rcptto=[TO_ALICE, TO_BOB],
    mailfrom_count=3,
    rcptto_count=4,
    messages=3,
    subject=None,
    msg_id=None,
)
def several_messages(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk)
        data(talk, PLAIN)
        envelope(talk, BOUNCES, TO_ALICE, TO_BOB)
        data(talk, RICH)
        envelope(talk)
        data(talk, BARE)
        finish(talk)


@add(
    "RSET between",
    helo=CLIENT_NAME,
    mailfrom=[SENDER, BOUNCES],
    rcptto=[TO_ALICE, TO_BOB],
    mailfrom_count=2,
    rcptto_count=2,
    messages=1,
    **PLAIN.wants,
)
def reset_between(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk, BOUNCES, TO_BOB)
        talk.ask("RSET", "250")
        envelope(talk)
        data(talk, PLAIN)
        finish(talk)


@add("RSET before DATA", **ONE, messages=0, **NO_HEADER, stage="logout")
def reset_before_data(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk)
        talk.ask("RSET", "250")
        finish(talk)


@add("null sender", helo=CLIENT_NAME, mailfrom=["<>"], rcptto=[TO_ALICE], messages=1, **PLAIN.wants)
def null_sender(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk, "")
        data(talk, PLAIN)
        finish(talk)


@add("rich header", **ONE, **RICH.wants, messages=1)
def rich_header(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk)
        data(talk, RICH)
        finish(talk)


@add("long message", **ONE, **LONG.wants, messages=1)
def long_message(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk)
        data(talk, LONG)
        finish(talk)


@add(
    "pipelining",
    needs="PIPELINING",
    helo=CLIENT_NAME,
    mailfrom=[SENDER],
    rcptto=[TO_ALICE, TO_BOB],
    mailfrom_count=1,
    rcptto_count=2,
    messages=1,
    **PLAIN.wants,
)
def pipelining(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.send(f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{TO_ALICE}>\r\nRCPT TO:<{TO_BOB}>\r\nDATA\r\n")
        for code in ("250", "25", "25", "354"):
            talk.answer(code)
        talk.send(PLAIN.wire + b".\r\nQUIT\r\n")
        talk.answer("250")
        talk.answer("221")


@add(
    "pipelining, nobody taken",
    needs="PIPELINING",
    helo=CLIENT_NAME,
    mailfrom=[SENDER],
    rcptto=[f"ghost@{DOMAIN}"],
    messages=0,
    **NO_HEADER,
)
def pipelining_refused(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.send(f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<ghost@{DOMAIN}>\r\nDATA\r\n")
        talk.answer("250")
        talk.answer("5")
        talk.answer("5")
        talk.ask("RSET", "250")
        finish(talk)


@add("chunking", needs="CHUNKING", **ONE, **LONG.wants, messages=1)
def chunking(stage: Stage) -> None:
    whole = LONG.crlf
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk)
        talk.send(b"BDAT 1000\r\n" + whole[:1000])
        talk.answer("250")
        talk.send(f"BDAT {len(whole) - 1000} LAST\r\n".encode() + whole[1000:])
        talk.answer("250")
        finish(talk)


@add("chunking, header cut", needs="CHUNKING", **ONE, **PLAIN.wants, messages=1)
def chunking_within_header(stage: Stage) -> None:
    whole = PLAIN.crlf
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk)
        for start in (0, 30):
            part = whole[start : start + 30]
            talk.send(b"BDAT 30\r\n" + part)
            talk.answer("250")
        talk.send(f"BDAT {len(whole) - 60}\r\n".encode() + whole[60:])
        talk.answer("250")
        talk.ask("BDAT 0 LAST", "250")
        finish(talk)


@add(
    "chunking, RSET, again",
    needs="CHUNKING BDAT-RSET",
    helo=CLIENT_NAME,
    mailfrom=[SENDER, BOUNCES],
    mailfrom_count=2,
    rcptto_count=2,
    messages=1,
    subject=PLAIN.subject,
    msg_id=PLAIN.msg_id,
)
def chunking_reset(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk, BOUNCES)
        part = RICH.crlf[:200]
        talk.send(b"BDAT 200\r\n" + part)
        talk.answer("250")
        talk.ask("RSET", "250")
        envelope(talk)
        talk.send(f"BDAT {len(PLAIN.crlf)} LAST\r\n".encode() + PLAIN.crlf)
        talk.answer("250")
        finish(talk)


@add("8BITMIME, SIZE and DSN", needs="8BITMIME DSN", **ONE, **RICH.wants, messages=1)
def extensions(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        size = len(RICH.crlf)
        talk.ask(f"MAIL FROM:<{SENDER}> SIZE={size} BODY=8BITMIME RET=HDRS ENVID=lab1", "250")
        talk.ask(f"RCPT TO:<{TO_ALICE}> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;{TO_ALICE}", "25")
        data(talk, RICH)
        finish(talk)


@add(
    "SMTPUTF8",
    needs="SMTPUTF8",
    helo=CLIENT_NAME,
    mailfrom=["grüße@example.org"],
    rcptto=[TO_ALICE],
    messages=1,
    **RICH.wants,
)
def smtputf8(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask("MAIL FROM:<grüße@example.org> BODY=8BITMIME SMTPUTF8", "250")
        talk.ask(f"RCPT TO:<{TO_ALICE}>", "25")
        data(talk, RICH)
        finish(talk)


@add(
    "EHLO twice",
    needs="EHLO-AGAIN",
    helo="second.lab.test",
    mailfrom=[SENDER],
    rcptto=[TO_ALICE],
    messages=1,
)
def hello_twice(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask("EHLO second.lab.test", "250")
        envelope(talk)
        data(talk, PLAIN)
        finish(talk)


@add("NOOP, VRFY, HELP, unknown", helo=CLIENT_NAME, **NONE, empty_cause="hello_only")
def small_commands(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask("NOOP", "250")
        talk.ask("HELP", "[25]")
        talk.ask("NONSENSE argument", "5")
        finish(talk)


# Refusals.


@add(
    "relaying refused",
    helo=CLIENT_NAME,
    mailfrom=[SENDER],
    rcptto=["far@away.example"],
    messages=0,
    rcptto_count=1,
)
def relaying_refused(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask(f"MAIL FROM:<{SENDER}>", "250")
        talk.ask("RCPT TO:<far@away.example>", "5")
        finish(talk)


@add("sender refused", needs="policy", helo=CLIENT_NAME, mailfrom=[f"banned@{DOMAIN}"], messages=0)
def sender_refused(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.send(f"MAIL FROM:<banned@{DOMAIN}>\r\n")
        if talk.answer("[25]").startswith("250"):  # refused with the recipient
            talk.ask(f"RCPT TO:<{TO_ALICE}>", "5")
        finish(talk)


@add(
    "one recipient of three taken",
    needs="policy",
    helo=CLIENT_NAME,
    mailfrom=[SENDER],
    rcptto_count=3,
    rcptto=[f"ghost@{DOMAIN}", TO_ALICE, f"busy@{DOMAIN}"],
    messages=1,
    **PLAIN.wants,
)
def some_recipients(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask(f"MAIL FROM:<{SENDER}>", "250")
        talk.ask(f"RCPT TO:<ghost@{DOMAIN}>", "5")
        talk.ask(f"RCPT TO:<{TO_ALICE}>", "25")
        talk.ask(f"RCPT TO:<busy@{DOMAIN}>", "4")
        data(talk, PLAIN)
        finish(talk)


@add(
    "DATA refused",
    needs="policy",
    helo=CLIENT_NAME,
    mailfrom=[f"nodata@{DOMAIN}"],
    messages=0,
    **NO_HEADER,
)
def data_refused(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk, f"nodata@{DOMAIN}")
        talk.ask("DATA", "5")
        talk.ask("NOOP", "250")
        talk.ask("RSET", "250")
        finish(talk)


@add(
    "DATA refused, then a message",
    needs="policy",
    helo=CLIENT_NAME,
    messages=1,
    rcptto_count=2,
    mailfrom=[f"nodata@{DOMAIN}", SENDER],
    **PLAIN.wants,
)
def data_refused_then_taken(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk, f"nodata@{DOMAIN}")
        talk.ask("DATA", "5")
        talk.ask("NOOP", "250")
        talk.ask("RSET", "250")
        envelope(talk)
        data(talk, PLAIN)
        finish(talk)


@add(
    "final dot refused",
    needs="policy",
    helo=CLIENT_NAME,
    mailfrom=[f"nodot@{DOMAIN}"],
    rcptto=[TO_ALICE],
    messages=0,
    **PLAIN.wants,
)
def dot_refused(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk, f"nodot@{DOMAIN}")
        data(talk, PLAIN, "5")
        finish(talk)


@add(
    "final dot refused, then reset",
    needs="policy",
    helo=CLIENT_NAME,
    messages=0,
    stage="data",
    mailfrom=[f"nodot@{DOMAIN}"],
    **PLAIN.wants,
)
def dot_refused_reset(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk, f"nodot@{DOMAIN}")
        data(talk, PLAIN, "5")
        talk.reset()


@add("421 at MAIL", needs="policy drops", helo=CLIENT_NAME, mailfrom=[f"drop@{DOMAIN}"], messages=0)
def dropped(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.send(f"MAIL FROM:<drop@{DOMAIN}>\r\n")
        talk.answer("[45]")
        talk.drain()


@add(
    "AUTH after a message, refused",
    needs="AUTH",
    **ONE,
    messages=1,
    auth="PLAIN",
    auth_result="failure",
    user=ALICE.name,
)
def auth_after_message(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk)
        data(talk, PLAIN)
        talk.ask(f"AUTH PLAIN {b64(f'{chr(0)}{ALICE.name}{chr(0)}{WRONG}')}", "535")
        finish(talk)


# Logins.


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


# TLS.


@add(
    "STARTTLS",
    needs="STARTTLS TLS",
    starttls="tls",
    helo=CLIENT_NAME,
    **NONE,
    empty_cause="starttls",
    decode_as="MAIL",
)
def starttls(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask("STARTTLS", "220")
        talk.start_tls()
        talk.ask(f"EHLO {CLIENT_NAME}", "250")
        envelope(talk)
        data(talk, PLAIN)
        finish(talk)


@add(
    "STARTTLS, handshake fails",
    needs="TLS-FAILS",
    starttls="tls",
    helo=CLIENT_NAME,
    **NONE,
    empty_cause="starttls",
)
def starttls_fails(stage: Stage) -> None:
    """Debian 12's OpenSMTPD can't use a private key with Debian's OpenSSL."""
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask("STARTTLS", "220")
        with contextlib.suppress(ssl.SSLError):
            talk.start_tls()


@add(
    "STARTTLS, then closed",
    needs="STARTTLS",
    starttls="accepted",
    **NONE,
    empty_cause="starttls",
    but={
        "exim": {"starttls": "tls"},
        "opensmtpd": {"starttls": "tls"},
        "sendmail": {"starttls": "tls"},
    },
)
def starttls_closed(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        talk.ask("STARTTLS", "220")
        talk.close()


@add("STARTTLS offered, not used", needs="STARTTLS", starttls="offered", **ONE, messages=1)
def starttls_offered(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        hello(talk)
        envelope(talk)
        data(talk, BARE)
        finish(talk)


@add("implicit TLS", needs="TLS", serves="smtps", service=None, implicit_tls=True, decode_as="SSL")
def implicit_tls(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        talk.start_tls()
        hello(talk)
        envelope(talk)
        data(talk, PLAIN)
        finish(talk)


@add(
    "plain text on the TLS port",
    serves="smtps",
    speaks="smtp",
    helo=CLIENT_NAME,
    implicit_tls=False,
)
def plain_on_tls_port(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        talk.send(f"EHLO {CLIENT_NAME}\r\n")
        talk.drain()


# Aborts.


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


@add("byte by byte", **ONE, **BARE.wants, messages=1)
def byte_by_byte(stage: Stage) -> None:
    with stage.talk("smtp") as talk:
        talk.answer("220")
        for byte in f"EHLO {CLIENT_NAME}\r\n".encode():
            talk.send(bytes([byte]))
        talk.answer("250")
        envelope(talk)
        data(talk, BARE)
        finish(talk)
