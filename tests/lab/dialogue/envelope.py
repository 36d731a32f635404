"""The ENVELOPE of an IMAP FETCH response (RFC 9051 7.5.2)."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from lab.dialogue.items import decoded


def _tokens(text: str) -> list[Any]:
    """Parenthesised lists as lists; NIL is None, a quoted string is a tuple of itself."""
    stack: list[list[Any]] = [[]]
    for match in re.finditer(r'"((?:\\.|[^"\\])*)"|(\()|(\))|([^\s()"]+)', text, re.DOTALL):
        quoted, opened, closed, atom = match.groups()
        if opened:
            stack.append([])
        elif closed:
            if len(stack) > 1:
                done = stack.pop()
                stack[-1].append(done)
        elif quoted is not None:
            stack[-1].append((re.sub(r"\\(.)", r"\1", quoted),))
        else:
            stack[-1].append(None if atom.upper() == "NIL" else atom)
    return stack[0]


def _text(token: Any) -> str | None:
    text = token[0] if isinstance(token, tuple) else token
    return None if text is None else str(text)


SPECIAL = re.compile(r"[][()<>@,;:\\\".]")


def _mailbox(token: list[Any]) -> str | None:
    """An address structure as a header has it (RFC 9051 7.5.2); None for a group's ends, and for
    what is none (Twisted's have three parts).
    """
    if len(token) != 4:
        return None
    name, _, local, host = (_text(part) for part in token)
    if host is None or local is None:
        return None
    address = f"{local}@{host}"
    if name is None:
        return address
    quoted = name.replace("\\", r"\\").replace('"', r"\"")
    shown = f'"{quoted}"' if SPECIAL.search(name) else decoded(name)
    return f"{shown} <{address}>"


def envelope_values(text: str) -> dict[str, Any]:
    """The session record's fields in a FETCH response's ENVELOPE."""
    tokens = _tokens(text.split(" ", 2)[2])
    items = next((token for token in tokens if isinstance(token, list)), [])
    for name, value in pairwise(items):
        if isinstance(name, str) and name.upper() == "ENVELOPE" and isinstance(value, list):
            subject = _text(value[1])
            return {
                "from": [m for token in value[2] or [] if (m := _mailbox(token))],
                "to": [m for token in value[5] or [] if (m := _mailbox(token))],
                "subject": decoded(subject) if subject else None,
                "msg_id": _text(value[9]),
            }
    return {}
