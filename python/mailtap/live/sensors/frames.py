"""Zeek's events in JSON, of whatever quality: frames of its WebSocket API, and the lines in them.

https://docs.zeek.org/projects/broker/en/current/web-socket.html. Zeek's strings are bytes, and what
a mail client or server sent is in them: frames may hold raw control characters, bytes that are no
UTF-8, and the escape `\\v`, which JSON does not know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

import orjson

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_NO_UTF8 = re.compile(r"[\udc80-\udcff]")

#: Of the events that a sensor publishes, one each session.
SESSIONS_TOPIC = "/mailtap/sessions/"

#: As in a file of session lines.
MAXIMUM_LINE_BYTES = 1 << 20

#: Characters of a sensor's complaint that are kept.
MAXIMUM_COMPLAINT = 256


class MalformedError(ValueError):
    """Not what a sensor sends."""


class Event(NamedTuple):
    """An event with one string argument."""

    topic: str
    line: str


class Complaint(NamedTuple):
    """What the sensor has to complain about."""

    text: str


def read_frame(frame: bytes) -> Event | Complaint:
    """Raises MalformedError."""
    message = loads(frame)
    if not isinstance(message, dict):
        raise MalformedError("not an object")
    if message.get("type") == "error":
        text = f"{message.get('code')!s:.{MAXIMUM_COMPLAINT}}: {message.get('context')}"
        return Complaint(text[:MAXIMUM_COMPLAINT])
    try:
        _, arguments = message["data"][2]["data"][:2]
        line = arguments["data"][0]["data"]
        topic = message["topic"]
    except (LookupError, TypeError, ValueError):
        raise MalformedError("not an event with an argument") from None
    if not isinstance(line, str) or not isinstance(topic, str):
        raise MalformedError("not an event with a string")
    return Event(topic, line)


def read_record(line: str | bytes) -> Mapping[str, object]:
    """The JSON object in an event's argument, or in a line of labels. Raises MalformedError."""
    if len(line) > MAXIMUM_LINE_BYTES:
        raise MalformedError("too long")
    record = loads(line)
    if not isinstance(record, dict):
        raise MalformedError("not an object")
    return record


def loads(text: str | bytes) -> object:
    """JSON, also as Zeek writes it. Raises MalformedError."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    text = _NO_UTF8.sub(lambda match: f"\\\\x{ord(match[0]) & 0xFF:02x}", text)
    text = _ESCAPE.sub(_legal, text)
    try:
        value = json.loads(text, strict=False)
        # Once more, for what Python takes and nothing else does: NaN, halves of a surrogate pair.
        return orjson.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError, UnicodeError):
        raise MalformedError("not JSON") from None


def _legal(escape: re.Match[str]) -> str:
    """An escape as JSON has it; a backslash before anything else stands for itself."""
    if escape[1] == "v":
        return "\\u000b"
    return escape[0] if escape[1] in '"\\/bfnrtu' else "\\" + escape[0]
