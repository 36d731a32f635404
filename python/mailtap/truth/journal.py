"""journald's export format (`journalctl -o export`) and its JSON (`journalctl -o json`).

https://systemd.io/JOURNAL_EXPORT_FORMATS/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from mailtap.truth.files import MAXIMUM_LINE, lines
from mailtap.truth.line import LogLine, MalformedLineError
from mailtap.truth.syslog import CONTROL

MICROSECOND = 1e-6

_FIELDS = frozenset(
    (
        "__REALTIME_TIMESTAMP",
        "_SOURCE_REALTIME_TIMESTAMP",
        "_HOSTNAME",
        "SYSLOG_IDENTIFIER",
        "SYSLOG_PID",
        "_PID",
        "MESSAGE",
    )
)

#: An entry of the export format as fields, or None for one that can't be read.
Entry = Mapping[str, str] | None


def is_export(head: bytes) -> bool:
    """Whether a file that begins so is in the export format."""
    return head.startswith((b"__CURSOR=", b"__REALTIME_TIMESTAMP=", b"__MONOTONIC_TIMESTAMP="))


def export_entries(stream: BinaryIO) -> Iterator[tuple[int, Entry]]:
    """The entries of the export format with the number of the line at which each ends."""
    entry: dict[str, str] = {}
    bad = False
    number = 0
    for number, raw in lines(stream):
        if raw == b"":
            if entry or bad:
                yield number, None if bad else entry
            entry, bad = {}, False
            continue
        if raw is None:
            bad = True
            continue
        name, equals, value = raw.partition(b"=")
        if not equals:
            binary = _binary(stream)
            if binary is None:
                bad = True
                continue
            value = binary
        field = name.decode("ascii", "replace")
        if field in _FIELDS:
            bad |= field in entry  # whoever gives a field twice wants to hide one
            entry[field] = value.decode("utf-8", "replace")
    if entry or bad:
        yield number, None if bad else entry


def _binary(stream: BinaryIO) -> bytes | None:
    """A value that its length goes before; None where it is too long, which is passed over."""
    length = int.from_bytes(stream.read(8), "little")
    if length > MAXIMUM_LINE:
        left = length + 1
        while left > 0 and (data := stream.read(min(left, MAXIMUM_LINE))):
            left -= len(data)
        return None
    value = stream.read(length)
    stream.read(1)
    return value


def json_entry(text: str) -> dict[str, str]:
    """An entry in journald's JSON. Raises MalformedLineError."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedLineError("no JSON") from None
    if not isinstance(document, dict):
        raise MalformedLineError("no JSON object")
    entry = {}
    for name in _FIELDS & document.keys():
        value = document[name]
        if isinstance(value, list):  # bytes that are no UTF-8 text
            try:
                value = bytes(value).decode("utf-8", "replace")
            except (TypeError, ValueError):
                raise MalformedLineError("a field is there twice") from None
        if isinstance(value, str):
            entry[name] = value
    return entry


def line_of(entry: Mapping[str, str]) -> LogLine:
    """The entry as a program's message. Raises MalformedLineError."""
    time = entry.get("_SOURCE_REALTIME_TIMESTAMP", entry.get("__REALTIME_TIMESTAMP", ""))
    message, program = entry.get("MESSAGE"), entry.get("SYSLOG_IDENTIFIER")
    if not time.isascii() or not time.isdigit() or len(time) > 18:
        raise MalformedLineError("no time")
    if message is None or program is None or CONTROL.search(message):
        raise MalformedLineError("no message, or one with control characters")
    pid = entry.get("SYSLOG_PID", entry.get("_PID"))
    return LogLine(
        int(time) * MICROSECOND, MICROSECOND, entry.get("_HOSTNAME"), program, pid, message
    )


def line_of_export(entry: Entry) -> LogLine:
    """As `line_of`."""
    if entry is None:
        raise MalformedLineError("an entry with a field that is too long, or there twice")
    return line_of(entry)
