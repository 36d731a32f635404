"""SMTP over raw sockets: messages, and the extensions they are sent with."""

from __future__ import annotations

from lab.accounts import CLIENT_NAME, DOMAIN
from lab.messages import BARE, LONG, PLAIN, RICH
from lab.scenarios.base import Catalogue, Stage
from lab.scenarios.smtp.dialogue import (
    BOUNCES,
    NO_HEADER,
    NONE,
    ONE,
    SENDER,
    TO_ALICE,
    TO_BOB,
    data,
    envelope,
    finish,
    hello,
)

catalogue = Catalogue("smtp")
add = catalogue.add


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
