"""The items of a dialogue: commands, replies, messages, each with its place in its side's bytes."""

from __future__ import annotations

import base64
import binascii
import email
import email.header
import email.utils
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

COMMAND, ANSWER, MESSAGE, LITERAL, REPLY, LISTING, OTHER, TLS = (
    *("command", "answer", "message", "literal", "reply", "listing", "other", "tls"),
)
"""Kinds. `answer`: the client's within a login exchange. `message`: a message's bytes, by whichever
side. `literal`: another literal of IMAP. `listing`: lines behind a POP3 status, or an untagged
response of IMAP. `other`: what is no line of the protocol."""


@dataclass
class Item:
    """A stretch of one side's bytes, and what it contributes to the session record."""

    side: str
    start: int
    end: int
    kind: str
    verb: str = ""
    """A command's, in capitals; of a reply, that of its command."""
    text: str = ""
    """A reply's last line."""
    values: dict[str, Any] = field(default_factory=dict)
    """Fields of the session record. Sets hold one list's worth, `stage` and `starttls` a step."""
    together: dict[str, Any] = field(default_factory=dict)
    """The same, where only both sides together tell it."""
    maybe: dict[str, Any] = field(default_factory=dict)
    """The same, where the definition of the field leaves it open."""
    alone: dict[str, Any] = field(default_factory=dict)
    """The same, which a side alone may be taken to say though both together say otherwise."""
    begins: int | None = None
    """Where the item of the same side is without which this one can't be read."""
    header_end: int = 0
    """A message's: the end of its header."""
    strong: bool = False
    """Whether it names the service by itself."""
    usual: bool = False
    """Whether it does on the service's own port."""
    known: bool = True
    """A command's, and its reply's: whether the protocol has it."""


class Lines:
    """Reads a side's bytes line by line."""

    def __init__(self, side: str, data: bytes) -> None:
        self.side = side
        self.data = data
        self.at = 0

    @property
    def rest(self) -> bytes:
        """What is still to be read."""
        return self.data[self.at :]

    def line(self) -> tuple[int, str] | None:
        """The next whole line and its start; None where none is left."""
        end = self.data.find(b"\n", self.at)
        if end < 0:
            return None
        start, self.at = self.at, end + 1
        return start, self.data[start:end].rstrip(b"\r").decode("utf-8", "surrogateescape")

    def take(self, count: int) -> tuple[int, bytes]:
        """A number of bytes, fewer at the end, and their start."""
        start = self.at
        self.at = min(len(self.data), start + count)
        return start, self.data[start : self.at]

    def until_dot(self) -> tuple[int, list[str], bool]:
        """The lines up to a dot alone, and whether it came."""
        start = self.at
        lines: list[str] = []
        while (line := self.line()) is not None:
            if line[1] == ".":
                return start, lines, True
            lines.append(line[1][1:] if line[1].startswith(".") else line[1])
        if self.rest:
            lines.append(self.rest.decode("utf-8", "surrogateescape"))
            self.at = len(self.data)
        return start, lines, False


def tls_items(lines: Lines) -> Iterator[Item]:
    """What is left of a side, when it goes on in TLS."""
    if lines.rest:
        values = {"starttls": "tls"} if lines.rest[:1] in (b"\x14", b"\x15", b"\x16") else {}
        yield Item(lines.side, lines.at, len(lines.data), TLS, values=values)
        lines.at = len(lines.data)


def left_over(lines: Lines) -> Iterator[Item]:
    """What is left of a side that is no whole line."""
    if lines.rest:
        yield Item(lines.side, lines.at, len(lines.data), OTHER)
        lines.at = len(lines.data)


def decoded(value: str) -> str:
    """A header's text with its encoded words decoded (RFC 2047)."""
    text = str(email.header.make_header(email.header.decode_header(value)))
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _addresses(value: str) -> list[str]:
    """The addresses of a header field as they came, without groups' names."""
    found, current, quoted, depth = [], "", False, 0
    for letter in value + ",":
        if letter == '"':
            quoted = not quoted
        depth += (letter == "<" and not quoted) - (letter == ">" and not quoted)
        if letter == ":" and not quoted and depth == 0:
            current = ""
        elif letter in ",;" and not quoted and depth == 0:
            found.append(decoded(current.strip()))
            current = ""
        else:
            current += letter
    return [address for address in found if address]


def header_values(lines: list[str], whole: bool) -> tuple[dict[str, Any], int]:
    """The session record's fields in a message's header, and how many lines the header has.

    A field counts once the next line has begun, so that it is known to be whole.
    """
    if not whole and lines and not lines[-1]:
        lines = lines[:-1]
    values: dict[str, Any] = {"from": [], "to": []}
    values |= {"subject": None, "msg_id": None, "user_agent": None}
    count = next((number for number, line in enumerate(lines) if not line), len(lines))
    fields: list[str] = []
    for line in lines[:count]:
        if line[:1] in (" ", "\t") and fields:
            fields[-1] += " " + line.strip()
        else:
            fields.append(line)
    if count == len(lines) and not whole and fields:
        fields.pop()
    for text in fields:
        name, _, value = text.partition(":")
        value = value.strip()
        match name.strip().lower():
            case "from":
                values["from"] += _addresses(value)
            case "to":
                values["to"] += _addresses(value)
            case "subject":
                values["subject"] = decoded(value)
            case "message-id":
                values["msg_id"] = value
            case "user-agent" | "x-mailer":
                values["user_agent"] = value
    return values, count


def decode64(text: str) -> str | None:
    """Base64 as text; None where it isn't Base64."""
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return None


def user_in(mechanism: str, number: int, answer: str) -> str | None:
    """The user that a client's answer in a SASL exchange names, by the mechanism's own standard."""
    text = decode64(answer)
    if text is None:
        return None
    match mechanism:
        case "PLAIN":  # RFC 4616
            parts = text.split("\0")
            return parts[1] or None if len(parts) == 3 else None
        case "LOGIN":
            return text or None if number == 0 else None
        case "CRAM-MD5":  # RFC 2195
            return text.rpartition(" ")[0] or None
        case "XOAUTH2":
            fields = dict(part.partition("=")[::2] for part in text.split("\1"))
            return fields.get("user")
        case "OAUTHBEARER":  # RFC 7628
            header = text.partition("\1")[0].split(",")
            return next((part[2:] for part in header if part.startswith("a=")), None)
        case "DIGEST-MD5" if 'username="' in text:
            return text.partition('username="')[2].partition('"')[0]
        case "SCRAM-SHA-1" | "SCRAM-SHA-256" if number == 0:  # RFC 5802
            return next((part[2:] for part in text.split(",") if part.startswith("n=")), None)
    return None
