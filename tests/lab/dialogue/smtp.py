"""SMTP and LMTP in lockstep (RFC 5321, 2033, 3030, 4954, 3207)."""

from __future__ import annotations

import re

from lab.dialogue.items import (
    ANSWER,
    COMMAND,
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
    "EHLO",
    "HELO",
    "LHLO",
    "MAIL",
    "RCPT",
    "DATA",
    "BDAT",
    "RSET",
    "QUIT",
    "NOOP",
    "HELP",
    "VRFY",
    "EXPN",
    "ETRN",
    "AUTH",
    "STARTTLS",
    "XCLIENT",
    "XFORWARD",
}
STRONG = {"EHLO", "HELO", "LHLO", "MAIL", "RCPT", "BDAT", "XCLIENT", "XFORWARD"}
STATUS = re.compile(r"\d{3}[ -][245]\.\d+\.\d+ ")


def _address(text: str) -> str:
    inside = re.match(r'\s*<((?:"(?:\\.|[^"\\])*"|[^>"])*)>', text)
    if inside is None:
        return text.split()[0]
    return inside[1].strip() or "<>"


class _Reader:
    def __init__(self, client: bytes, server: bytes) -> None:
        self.client = Lines(CLIENT, client)
        self.server = Lines(SERVER, server)
        self.items: list[Item] = []
        self.recipients = 0
        """Taken ones of the transaction, for LMTP."""
        self.lmtp = False
        self.message: list[Item] = []
        """The chunks of a message that has begun."""
        self.chunks = b""
        self.begun = 0
        """Where the last 354 is."""

    def reply(self, to: Item | None) -> Item | None:
        """The next reply."""
        start, lines = self.server.at, []
        if not self.server.rest[:3].isdigit():
            return None
        while (line := self.server.line()) is not None:
            lines.append(line[1])
            if line[1][3:4] != "-":
                break
        else:
            self.server.at = start
            return None
        item = Item(SERVER, start, self.server.at, REPLY, text=lines[-1])
        item.values |= {"last_reply": lines[-1], "replies": 1, "stage": "greeting"}
        item.strong = any(STATUS.match(line) for line in lines)
        self._read_reply(item, lines, to)
        self.items.append(item)
        return item

    def _read_reply(self, item: Item, lines: list[str], to: Item | None) -> None:
        code = lines[-1][:3]
        if to is None:
            item.values["refused"] = code[0] in "45"
            if code == "220":
                item.values["banner"] = lines[0][4:]
                item.strong |= bool(re.search("SMTP|LMTP", lines[0]))
            return
        item.verb, item.known = to.verb, to.known
        good = code[0] == "2"
        match to.verb:
            case "EHLO" | "HELO" | "LHLO":
                item.together["hello_refused"] = code[0] == "5"
                item.together["stage"] = "hello"
                if len(lines) > 1:
                    item.values["stage"] = "hello"
                    item.strong = True
                if any(line[4:].upper().startswith("STARTTLS") for line in lines[1:]):
                    item.values["starttls"] = "offered"
            case "STARTTLS":
                says_so = "TLS" in lines[-1].upper()
                step = "accepted" if good else "refused"
                (item.values if says_so else item.together)["starttls"] = step
            case "AUTH" if code == "334":
                item.values["stage"] = "auth"
            case "AUTH":
                result = "success" if good else "failure"
                alone = code in ("235", "535", "534", "538")
                (item.values if alone else item.together)["auth_result"] = result
                item.together["stage"] = "auth"
                if alone:
                    item.values["stage"] = "auth"
            case "MAIL" | "RCPT":
                item.together["stage"] = "envelope"
                if re.match(r"250 2\.1\.[05] ", lines[-1]):
                    item.values["stage"] = "envelope"
            case "DATA" if code == "354":
                item.values["stage"] = "data"
            case "QUIT" if good:
                item.values["logout"] = True
        if code == "221":
            item.values["logout"] = True

    def read(self) -> list[Item]:
        """All items, in the order of the dialogue."""
        self.reply(None)
        while (line := self.client.line()) is not None:
            command = Item(CLIENT, line[0], self.client.at, COMMAND)
            self.items.append(command)
            if not self._command(command, line[1]):
                return self.items
        self._goodbye()
        self.items += [*left_over(self.client), *left_over(self.server)]
        return self.items

    def _command(self, command: Item, text: str) -> bool:
        """Read a command and its reply. False when the rest is TLS."""
        verb, _, argument = text.partition(" ")
        verb = re.split(r"[ \t]", text)[0].upper()
        if verb.startswith(("MAIL", "RCPT")):
            argument = text[4:].partition(":")[2]
        command.verb = verb
        command.known = verb in VERBS
        command.strong = verb in STRONG
        command.values |= {"last_command": verb, "commands": 1}
        if not command.known:
            command.maybe, command.values = command.values, {}
        match verb:
            case "EHLO" | "HELO" | "LHLO":
                command.values |= {"helo": argument.strip(), "stage": "hello"}
                self.lmtp = verb == "LHLO"
            case "MAIL":
                command.values |= {
                    "mailfrom": [_address(argument)],
                    "mailfrom_count": 1,
                    "stage": "envelope",
                }
                self.recipients = 0
            case "RCPT":
                command.values |= {
                    "rcptto": [_address(argument)],
                    "rcptto_count": 1,
                    "stage": "envelope",
                }
            case "QUIT":
                command.values["logout"] = True
            case "VRFY" | "EXPN":  # docs/reference/session.md doesn't say what they are
                command.maybe["stage"] = "envelope"
            case "STARTTLS":
                command.values["starttls"] = "requested"
            case "AUTH":
                return self._auth(command, argument)
            case "BDAT":
                return self._chunk(command, argument)
            case "DATA":
                return self._data(command)
            case "RSET":
                self.message, self.chunks = [], b""
        reply = self.reply(command)
        if verb == "RCPT" and reply is not None and reply.text.startswith("2"):
            self.recipients += 1
        if verb == "STARTTLS" and reply is not None and reply.text.startswith("220"):
            if not self.client.rest:
                self._goodbye()
            self.items += [*tls_items(self.client), *tls_items(self.server)]
            return False
        return True

    def _goodbye(self) -> None:
        """What the server says of its own accord, in the clear."""
        while self.reply(Item(CLIENT, 0, 0, COMMAND)):
            pass

    def _auth(self, command: Item, argument: str) -> bool:
        mechanism, _, initial = argument.partition(" ")
        command.values |= {"auth": mechanism.upper(), "stage": "auth"}
        command.strong = True
        number = 0
        if initial and initial != "=":
            command.values["user"] = user_in(mechanism.upper(), 0, initial)
            number = 1
        else:
            command.values["user"] = None
        reply = self.reply(command)
        while reply is not None and reply.text.startswith("334"):
            line = self.client.line()
            if line is None:
                break
            answer = Item(CLIENT, line[0], self.client.at, ANSWER, begins=command.start)
            user = user_in(mechanism.upper(), number, line[1])
            if user is not None:
                answer.values["user"] = user
            number += 1
            self.items.append(answer)
            reply = self.reply(command)
            if line[1] == "*" and reply is not None:  # cancelled: neither success nor failure
                for values in (reply.values, reply.together):
                    if "auth_result" in values:
                        reply.maybe["auth_result"] = values.pop("auth_result")
        if reply is not None and mechanism and reply.text.startswith("5") and number == 0:
            # A mechanism that the server doesn't have: no login was tried.
            command.maybe["auth"] = command.values.pop("auth")
            for values in (reply.values, reply.together):
                if "auth_result" in values:
                    reply.maybe["auth_result"] = values.pop("auth_result")
        return True

    def _data(self, command: Item) -> bool:
        begun = self.reply(command)
        if begun is None or not begun.text.startswith("354"):
            (command.values if begun is None else command.maybe)["stage"] = "data"
            return True
        command.values["stage"] = "data"
        self.begun = begun.start
        start, lines, whole = self.client.until_dot()
        if self.client.at == start:
            return True
        values, count = header_values(lines, whole)
        message = Item(CLIENT, start, self.client.at, MESSAGE, values=values, begins=command.start)
        message.header_end = (
            start + len("\r\n".join(lines[: count + 1]).encode("utf-8", "surrogateescape")) + 2
        )
        message.values["whole"] = whole
        self.items.append(message)
        if whole:
            self._final(message, command)
        return True

    def _final(self, message: Item, command: Item) -> None:
        """The replies to a message's end: one, or with LMTP one for each recipient taken."""
        taken = {"stage": "delivered", "messages": 1}
        begun = self.begun
        good = False
        for _ in range(self.recipients if self.lmtp else 1):
            reply = self.reply(command)
            if reply is not None and reply.text.startswith("2") and not good:
                good = True
                if command.verb == "DATA":
                    reply.values |= taken
                    reply.begins = begun
                else:
                    reply.together |= taken
        if message.values.get("whole"):  # by definition a client alone has delivered what it ended
            message.alone |= taken

    def _chunk(self, command: Item, argument: str) -> bool:
        words = argument.split()
        last = words[-1].upper() == "LAST"
        command.values["stage"] = "data"
        start, data = self.client.take(int(words[0]))
        self.chunks += data
        chunk = Item(CLIENT, start, self.client.at, MESSAGE, begins=command.start)
        chunk.header_end = self.client.at
        self.message.append(chunk)
        self.items.append(chunk)
        whole = last and len(data) == int(words[0])
        lines = self.chunks.decode("utf-8", "surrogateescape").split("\r\n")
        values, _ = header_values(lines, whole)
        if len(self.message) > 1:
            chunk.begins = self.message[0].begins
        for earlier in self.message[:-1]:
            earlier.values = {}
        chunk.values = values | {"whole": whole}
        if whole:
            self._final(chunk, command)
            self.message, self.chunks = [], b""
        else:
            self.reply(command)
        return True


def read(client: bytes, server: bytes) -> list[Item]:
    """The items of a session."""
    return _Reader(client, server).read()
