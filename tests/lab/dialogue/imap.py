"""IMAP in lockstep (RFC 9051, 7888, 4959, 4978)."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from typing import Any

from lab.dialogue.envelope import envelope_values
from lab.dialogue.items import (
    ANSWER,
    COMMAND,
    LISTING,
    LITERAL,
    MESSAGE,
    REPLY,
    Item,
    Lines,
    header_values,
    left_over,
    tls_items,
    user_in,
)
from lab.tcp import CLIENT, SERVER

VERBS = {
    "CAPABILITY",
    "NOOP",
    "LOGOUT",
    "STARTTLS",
    "AUTHENTICATE",
    "LOGIN",
    "ENABLE",
    "SELECT",
    "EXAMINE",
    "CREATE",
    "DELETE",
    "RENAME",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "LIST",
    "LSUB",
    "NAMESPACE",
    "STATUS",
    "APPEND",
    "IDLE",
    "CLOSE",
    "UNSELECT",
    "EXPUNGE",
    "SEARCH",
    "FETCH",
    "STORE",
    "COPY",
    "MOVE",
    "UID",
    "CHECK",
    "ID",
    "COMPRESS",
    "NOTIFY",
    "SORT",
    "THREAD",
    "GETQUOTAROOT",
    "GETQUOTA",
    "GETACL",
    "XLIST",
    "MYRIGHTS",
}
STRONG = {
    "CAPABILITY",
    "NAMESPACE",
    "AUTHENTICATE",
    "FETCH",
    "ID",
    "COMPRESS",
    "LOGIN",
    "SELECT",
    "EXAMINE",
    "LIST",
    "STATUS",
    "APPEND",
    "UID",
}
HELLO = {"CAPABILITY", "ID"}
NO_STAGE = {"NOOP", "LOGOUT", "ENABLE", "NAMESPACE", "STARTTLS", "COMPRESS"}
LITERAL_AT_END = re.compile(r"~?\{(\d+)([+-]?)\}$")
SECTION = re.compile(r"(?:BODY\[(HEADER[^\]]*)?\](?:<0>)?|RFC822(\.HEADER)?) ?~?$", re.IGNORECASE)
WANTS_MESSAGE = re.compile(
    r"BODY(?:\.PEEK)?\[(?:\]|HEADER)|RFC822(?:\.HEADER)?[ )]|RFC822$", re.IGNORECASE
)
LOGGED_IN = re.compile(
    r"logged in|login completed|login ok|authenticat|user logged in|protection", re.IGNORECASE
)
REFUSED = re.compile(r"authentication|login failed|invalid|incorrect|password", re.IGNORECASE)
CONTENT = re.compile(r"\* (\d+|FLAGS|LIST|LSUB|XLIST|STATUS|SEARCH|ESEARCH)\b", re.IGNORECASE)


@dataclass
class _Response:
    start: int
    end: int
    text: str
    literals: list[tuple[str, int, bytes]] = field(default_factory=list)
    """What stands before each literal, where the literal is, and its bytes."""

    @property
    def first(self) -> str:
        return self.text.split(" ")[0]


class _Reader:
    def __init__(self, client: bytes, server: bytes) -> None:
        self.client = Lines(CLIENT, client)
        self.server = Lines(SERVER, server)
        self.items: list[Item] = []
        self.verbs: dict[str, Item] = {}

    # The server's side.

    def response(self) -> _Response | None:
        """The next response with its literals; they stand in the text as quoted strings."""
        start = self.server.at
        line = self.server.line()
        if line is None:
            return None
        found = _Response(start, self.server.at, line[1])
        while literal := LITERAL_AT_END.search(found.text):
            if found.text.startswith("+"):
                break
            at, data = self.server.take(int(literal[1]))
            before = found.text[: literal.start()]
            more = self.server.line()
            found.literals.append((before, at, data))
            quoted = (
                data.decode("utf-8", "surrogateescape").replace("\\", r"\\").replace('"', r"\"")
            )
            if more is None:
                self.server.at = len(self.server.data)
                found.text = f'{before}"{quoted}"'
                found.end = self.server.at
                break
            found.text = f'{before}"{quoted}"{more[1]}'
            found.end = self.server.at
        return found

    def until(self, tag: str, *, or_plus: bool = False) -> _Response | None:
        """Take the server's responses up to the one with a tag, or a `+`."""
        while (found := self.response()) is not None:
            if found.first == "+":
                self.items.append(self._reply_item(found, {}))
                if or_plus:
                    return found
            elif found.first == "*":
                self._untagged(found)
            else:
                self._tagged(found)
                if found.first.lower() == tag.lower():
                    return found
        return None

    def _reply_item(self, found: _Response, values: dict[str, Any]) -> Item:
        item = Item(SERVER, found.start, found.end, REPLY, text=found.text)
        item.values |= {"replies": 1, "stage": "greeting"} | values
        if not values:
            item.maybe["last_reply"] = found.text
        return item

    def _greeting(self, found: _Response) -> None:
        words = found.text.split(" ", 2)
        item = self._reply_item(found, {"last_reply": found.text})
        item.values["banner"] = words[2] if len(words) > 2 else ""
        item.values["refused"] = words[1].upper() == "BYE"
        item.strong = "IMAP" in found.text.upper()
        if "STARTTLS" in found.text.upper():
            item.values["starttls"] = "offered"
        if words[1].upper() == "PREAUTH":
            item.values["stage"] = "auth"
        self.items.append(item)

    def _untagged(self, found: _Response) -> None:
        item = Item(SERVER, found.start, found.end, LISTING, text=found.text[:80])
        self.items.append(item)
        upper = found.text.upper()
        if upper.startswith(("* CAPABILITY", "* ID")):
            item.values["stage"] = "hello"
            item.strong = "IMAP4" in upper
            if "STARTTLS" in upper:
                item.values["starttls"] = "offered"
        elif upper.startswith("* BYE"):
            item.values["logout"] = True
        elif CONTENT.match(found.text):
            item.values["stage"] = "envelope"
            item.strong = re.match(r"\* \d+ (EXISTS|FETCH|RECENT)", upper) is not None
        if " FETCH " in upper[:40]:
            item.values |= envelope_values(found.text)
            for before, start, data in found.literals:
                self._literal(item, before, start, data)

    def _literal(self, response: Item, before: str, start: int, data: bytes) -> None:
        section = SECTION.search(before)
        whole = len(self.server.data) > start + len(data) - 1 and response.end > start + len(data)
        if section is None:
            return
        lines = data.decode("utf-8", "surrogateescape").split("\r\n")
        values, _ = header_values(lines, whole)
        item = Item(SERVER, start, start + len(data), MESSAGE, values=values, begins=response.start)
        item.header_end = item.end
        header_only = bool(section[1] or section[2])
        item.values |= {"whole": whole, "stage": "retrieved" if whole else "data"}
        (item.maybe if header_only else item.values)["messages"] = int(whole)
        self.items.append(item)

    def _tagged(self, found: _Response) -> None:
        words = found.text.split(" ", 2)
        status = words[1].upper() if len(words) > 1 else ""
        rest = words[2] if len(words) > 2 else ""
        item = self._reply_item(found, {"last_reply": found.text})
        self.items.append(item)
        good = status == "OK"
        if "STARTTLS" in rest.upper() and rest.upper().startswith("[CAPABILITY"):
            item.values["starttls"] = "offered"
        to = self.verbs.get(words[0].lower())
        if to is None or not words[0].isalnum():  # the client's line was no command
            item.verb = "?"
            item.maybe, item.values = item.values, {}
            return
        item.verb, item.known = to.verb, to.known
        plain = re.sub(r"^\[.*?\]\s*", "", rest)
        match to.verb:
            case "LOGIN" | "AUTHENTICATE":
                result = "success" if good else "failure"
                says_so = (LOGGED_IN.search(plain) if good else REFUSED.search(rest)) is not None
                (item.values if says_so else item.together)["auth_result"] = result
                (item.values if says_so else item.together)["stage"] = "auth"
            case "STARTTLS":
                says_so = "TLS" in rest.upper()
                step = "accepted" if good else "refused"
                (item.values if says_so else item.together)["starttls"] = step
            case "SELECT" | "EXAMINE" | "APPEND" if good:
                item.together["stage"] = "envelope"
                if rest.upper().startswith("[READ-"):
                    item.values["stage"] = "envelope"
            case "LOGOUT":
                item.together["logout"] = True

    # The client's side.

    def read(self) -> list[Item]:
        """All items, in the order of the dialogue."""
        found = self.response()
        if found is not None:
            self._greeting(found)
        while (line := self.client.line()) is not None:
            if not self._command(line[0], line[1]):
                return self.items
        self.until("")
        self.items += [*left_over(self.client), *left_over(self.server)]
        return self.items

    def _command(self, start: int, text: str) -> bool:
        """Read a command and its responses. False when the rest isn't plain any more."""
        command = Item(CLIENT, start, self.client.at, COMMAND)
        self.items.append(command)
        words = text.split(" ")
        tag = words[0]
        command.verb = words[1].upper() if len(words) > 1 else words[0].upper()
        command.known = command.verb in VERBS
        command.strong = command.verb in STRONG
        self.verbs[tag.lower()] = command
        values = {"last_command": command.verb, "commands": 1}
        if command.known:
            command.values |= values
        else:
            command.maybe |= values
        whole, refused = self._with_literals(command, text, tag)
        self._read_command(command, whole)
        if refused:
            return True
        if command.verb == "AUTHENTICATE":
            self._authenticate(command, tag, whole)
            return True
        if command.verb == "IDLE":
            return self._idle(tag)
        answer = self.until(tag)
        good = answer is not None and f"{tag} OK".lower() == answer.text[: len(tag) + 3].lower()
        if good and command.verb == "STARTTLS":
            self.items += [*tls_items(self.client), *tls_items(self.server)]
            return False
        if good and command.verb == "COMPRESS":
            self._compressed()
            return False
        return True

    def _with_literals(self, command: Item, text: str, tag: str) -> tuple[str, bool]:
        """The command with its literals as quoted strings, and whether a literal was refused."""
        whole = text
        while literal := LITERAL_AT_END.search(whole):
            before = whole[: literal.start()]
            if not literal[2]:
                answer = self.until(tag, or_plus=True)
                if answer is None or answer.first != "+":
                    return before, True
            at, data = self.client.take(int(literal[1]))
            message = command.verb == "APPEND"
            self.items.append(Item(CLIENT, at, at + len(data), LITERAL, begins=command.start))
            line = self.client.line()
            quoted = "" if message else data.decode("utf-8", "surrogateescape")
            whole = f'{before}"{quoted}"{line[1] if line else ""}'
            command.end = self.client.at
        return whole, False

    def _read_command(self, command: Item, whole: str) -> None:
        values = command.values
        rest = whole.split(" ", 2)[2] if whole.count(" ") >= 2 else ""
        if command.verb in HELLO:
            values["stage"] = "hello"
        elif command.verb == "LOGIN":
            user = re.match(r'"((?:\\.|[^"\\])*)"|(\S+)', rest)
            name = (user[1] if user[1] is not None else user[2]) if user else None
            values |= {"auth": "LOGIN", "stage": "auth", "user": name or None}
        elif command.verb == "AUTHENTICATE":
            values |= {"auth": rest.split(" ")[0].upper(), "stage": "auth", "user": None}
        elif command.verb == "STARTTLS":
            values["starttls"] = "requested"
        elif command.verb == "LOGOUT":
            values["logout"] = True
        elif command.known and command.verb not in NO_STAGE:
            values["stage"] = "envelope"
            if "FETCH" in whole.upper() and WANTS_MESSAGE.search(whole):
                command.alone["stage"] = "data"

    def _authenticate(self, command: Item, tag: str, whole: str) -> None:
        words = whole.split(" ")
        mechanism, number = words[2].upper(), 0
        if len(words) > 3 and words[3] != "=":
            command.values["user"] = user_in(mechanism, 0, words[3])
            number = 1
        while True:
            answer = self.until(tag, or_plus=True)
            if answer is None or answer.first != "+":
                return
            line = self.client.line()
            if line is None:
                return
            item = Item(CLIENT, line[0], self.client.at, ANSWER, begins=command.start)
            user = user_in(mechanism, number, line[1])
            if user is not None:
                item.values["user"] = user
            number += 1
            self.items.append(item)
            if line[1] == "*":  # cancelled: neither success nor failure
                self._cancelled(tag)
                return

    def _cancelled(self, tag: str) -> None:
        answer = self.until(tag)
        if answer is None:
            return
        reply = next(item for item in reversed(self.items) if item.text == answer.text)
        for values in (reply.values, reply.together):
            if "auth_result" in values:
                reply.maybe["auth_result"] = values.pop("auth_result")

    def _idle(self, tag: str) -> bool:
        self.until(tag, or_plus=True)
        line = self.client.line()
        if line is not None:
            done = Item(CLIENT, line[0], self.client.at, COMMAND, verb="DONE")
            done.maybe |= {"last_command": "DONE", "commands": 1}
            self.items.append(done)
        self.until(tag)
        return True

    def _compressed(self) -> None:
        """What follows, inflated. Its items lie in the whole compressed rest."""
        inflated = {}
        for lines in (self.client, self.server):
            inflated[lines.side] = zlib.decompressobj(-zlib.MAX_WBITS).decompress(lines.rest)
        inner = _Reader(inflated[CLIENT], inflated[SERVER])
        while (line := inner.client.line()) is not None:
            inner._command(line[0], line[1])
        inner.until("")
        for item in inner.items:
            lines = self.client if item.side == CLIENT else self.server
            item.start, item.end, item.begins = lines.at, len(lines.data), None
            item.header_end = item.end
            self.items.append(item)


def read(client: bytes, server: bytes) -> list[Item]:
    """The items of a session."""
    return _Reader(client, server).read()
