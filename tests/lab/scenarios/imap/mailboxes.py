"""IMAP over raw sockets: messages and mailboxes, and the extensions to reading them."""

from __future__ import annotations

from lab.accounts import ALICE
from lab.messages import BARE, PLAIN, RICH, header_from
from lab.scenarios.base import Catalogue, Stage
from lab.scenarios.imap.dialogue import LOGGED_IN, NOTHING, finish, greeting, login, select

catalogue = Catalogue("imap")
add = catalogue.add


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


@add("rights and quota", **LOGGED_IN, **NOTHING, empty_cause="no_message")
def rights(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        talk.ask("b1 MYRIGHTS INBOX", "b1 (OK|NO|BAD)")
        talk.ask("b2 GETQUOTAROOT INBOX", "b2 (OK|NO|BAD)")
        select(talk)
        finish(talk)


@add("sorted and extended searches", **LOGGED_IN, **NOTHING, empty_cause="no_message")
def searches(stage: Stage) -> None:
    with stage.talk("imap") as talk:
        greeting(talk)
        login(talk)
        select(talk)
        talk.ask("b1 SEARCH RETURN (MIN COUNT) ALL", "b1 (OK|NO|BAD)")
        talk.ask("b2 SORT (DATE) UTF-8 ALL", "b2 (OK|NO|BAD)")
        talk.ask("b3 UID THREAD REFERENCES UTF-8 ALL", "b3 (OK|NO|BAD)")
        talk.ask("b4 UNSELECT", "b4 (OK|NO|BAD)")
        finish(talk)
