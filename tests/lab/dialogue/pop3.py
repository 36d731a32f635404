"""POP3 in lockstep (RFC 1939, 2449, 2595, 5034)."""

from __future__ import annotations

import re

from lab.dialogue.items import (
    ANSWER,
    COMMAND,
    LISTING,
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
    "USER",
    "PASS",
    "APOP",
    "AUTH",
    "CAPA",
    "STLS",
    "STAT",
    "LIST",
    "UIDL",
    "RETR",
    "TOP",
    "DELE",
    "RSET",
    "NOOP",
    "QUIT",
    "UTF8",
    "LANG",
    "LAST",
}
STRONG = {"APOP", "CAPA", "STLS", "UIDL", "TOP"}
USUAL = {"USER", "PASS", "AUTH", "RETR", "DELE"}
LOGGED_IN = re.compile(r"logged in|logging in|mailbox|maildrop|authenticat|welcome", re.IGNORECASE)
REFUSED = re.compile(
    r"\[AUTH\]|authentication|login failed|invalid|incorrect|password", re.IGNORECASE
)
BYE = re.compile(r"bye|logging out|logout|signing off|closing", re.IGNORECASE)


class _Reader:
    def __init__(self, client: bytes, server: bytes) -> None:
        self.client = Lines(CLIENT, client)
        self.server = Lines(SERVER, server)
        self.items: list[Item] = []
        self.mechanism = ""

    def reply(self, to: Item | None) -> Item | None:
        """The next status line."""
        line = self.server.line()
        if line is None:
            return None
        item = Item(SERVER, line[0], self.server.at, REPLY, text=line[1])
        item.values |= {"replies": 1, "stage": "greeting"}
        if line[1].startswith("+ ") or line[1] == "+":
            item.values["stage"] = "auth"
            item.maybe["last_reply"] = line[1]
        else:
            item.values["last_reply"] = line[1]
            self._read_reply(item, line[1], to)
        self.items.append(item)
        return item

    def _read_reply(self, item: Item, text: str, to: Item | None) -> None:
        good = text.startswith("+OK")
        rest = text[3 if good else 4 :].strip()
        if to is None:
            item.strong = good and (
                "POP" in rest.upper() or re.search(r"<\S+@\S+>", rest) is not None
            )
            item.usual = good
            item.values["refused"] = not good
            if good:
                item.values["banner"] = rest
            return
        item.verb, item.known = to.verb, to.known
        match to.verb:
            case "PASS" | "APOP" | "AUTH":
                result = "success" if good else "failure"
                says_so = (LOGGED_IN if good else REFUSED).search(rest) is not None
                (item.values if says_so else item.together)["auth_result"] = result
                (item.values if says_so else item.together)["stage"] = "auth"
            case "USER" if not good:
                item.together["auth_result"] = "failure"
            case "STLS":
                says_so = "TLS" in rest.upper()
                (item.values if says_so else item.together)["starttls"] = (
                    "accepted" if good else "refused"
                )
            case "STAT" | "LIST" | "UIDL" | "DELE" if good:
                item.together["stage"] = "envelope"
                if re.match(r"\d+ \d+$", rest):
                    item.values["stage"] = "envelope"
            case "RETR" | "TOP" if good:
                item.together["stage"] = "data"
                if re.match(r"\d+ octets", rest):
                    item.values["stage"] = "data"
            case "QUIT" if good:
                says_so = BYE.search(rest) is not None
                (item.values if says_so else item.together)["logout"] = True

    def read(self) -> list[Item]:
        """All items, in the order of the dialogue."""
        self.reply(None)
        while (line := self.client.line()) is not None:
            command = Item(CLIENT, line[0], self.client.at, COMMAND)
            self.items.append(command)
            if not self._command(command, line[1]):
                return self.items
        while self.reply(Item(CLIENT, 0, 0, COMMAND)):
            pass
        self.items += [*left_over(self.client), *left_over(self.server)]
        return self.items

    def _command(self, command: Item, text: str) -> bool:
        verb, _, argument = text.partition(" ")
        command.verb = verb.upper()
        command.known = command.verb in VERBS
        command.strong = command.verb in STRONG
        command.usual = command.verb in USUAL
        command.values |= {"last_command": command.verb, "commands": 1}
        if not command.known:
            command.maybe, command.values = command.values, {}
        several = False
        match command.verb:
            case "USER" | "APOP":
                command.values |= {
                    "auth": command.verb,
                    "user": argument.split(" ")[0],
                    "stage": "auth",
                }
            case "PASS":
                command.values["stage"] = "auth"
            case "AUTH" if argument:
                return self._auth(command, argument)
            case "CAPA":
                command.values["stage"] = "hello"
                several = True
            case "AUTH":
                several = True
            case "STLS":
                command.values["starttls"] = "requested"
            case "LIST" | "UIDL":
                command.values["stage"] = "envelope"
                several = not argument
            case "STAT" | "DELE" | "LAST":
                command.values["stage"] = "envelope"
            case "RETR" | "TOP":
                command.values["stage"] = "envelope"
                several = True
            case "QUIT":
                command.values["logout"] = True
        reply = self.reply(command)
        good = reply is not None and reply.text.startswith("+OK")
        if several and good:
            self._several(command)
        if command.verb in ("RETR", "TOP"):
            command.alone["stage"] = "data"
        if command.verb == "STLS" and good:
            self.items += [*tls_items(self.client), *tls_items(self.server)]
            return False
        return True

    def _several(self, command: Item) -> None:
        if command.verb in ("RETR", "TOP"):
            command.together["stage"] = "data"
        reply_start = self.items[-1].start
        start, lines, whole = self.server.until_dot()
        if self.server.at == start:
            return
        if command.verb in ("RETR", "TOP"):
            values, count = header_values(lines, whole)
            item = Item(SERVER, start, self.server.at, MESSAGE, values=values, begins=reply_start)
            item.header_end = (
                start + len("\r\n".join(lines[: count + 1]).encode("utf-8", "surrogateescape")) + 2
            )
            item.values |= {
                "whole": whole,
                "messages": int(whole),
                "stage": "retrieved" if whole else "data",
            }
        else:
            item = Item(SERVER, start, self.server.at, LISTING, begins=reply_start)
            if command.verb == "CAPA":
                item.values["stage"] = "hello"
                if "STLS" in (line.upper() for line in lines):
                    item.values["starttls"] = "offered"
                item.strong = True
            elif command.verb in ("LIST", "UIDL"):
                item.together["stage"] = "envelope"
                if lines:
                    item.values["stage"] = "envelope"
        self.items.append(item)

    def _auth(self, command: Item, argument: str) -> bool:
        mechanism, _, initial = argument.partition(" ")
        mechanism = mechanism.upper()
        command.values |= {"auth": mechanism, "stage": "auth", "user": None}
        number = 0
        if initial and initial != "=":
            command.values["user"] = user_in(mechanism, 0, initial)
            number = 1
        reply = self.reply(command)
        while reply is not None and reply.text.startswith("+") and not reply.text.startswith("+OK"):
            line = self.client.line()
            if line is None:
                break
            answer = Item(CLIENT, line[0], self.client.at, ANSWER, begins=command.start)
            user = user_in(mechanism, number, line[1])
            if user is not None:
                answer.values["user"] = user
            number += 1
            self.items.append(answer)
            reply = self.reply(command)
            if line[1] == "*" and reply is not None:  # cancelled: neither success nor failure
                for values in (reply.values, reply.together):
                    if "auth_result" in values:
                        reply.maybe["auth_result"] = values.pop("auth_result")
        return True


def read(client: bytes, server: bytes) -> list[Item]:
    """The items of a session."""
    return _Reader(client, server).read()
