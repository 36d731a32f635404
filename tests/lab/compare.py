"""Replays views through the embedded engine and holds the session lines against the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lab.expected import expected
from lab.tcp import CLIENT
from lab.truth import Truth
from lab.views import View, views
from mailtap._engine import Engine

ETHERNET = 1
UNSET = {"implicit_tls": False, "midstream": False}
COUNTED_AS_ZERO = ("messages", "commands", "replies", "mailfrom_count", "rcptto_count")


@dataclass(frozen=True)
class Judged:
    """One view's result."""

    truth: Truth
    view: View
    right: int
    wrong: tuple[tuple[str, Any, Any], ...]
    """Fields with what is wanted and what came."""
    undecidable: tuple[str, ...]
    """Fields that the visible bytes leave open, and whose value is one of those left."""
    line: str
    """The session line."""


def replay(view: View) -> tuple[list[dict[str, Any]], str]:
    """The session lines of a view, and their text."""
    engine = Engine()
    engine.set_link_type(ETHERNET)
    for time, data in view.frames:
        engine.packet(time, data, len(data))
    engine.finish()
    text = engine.take().decode("utf-8", "surrogateescape")
    return [json.loads(line) for line in text.splitlines()], text


def judge(truth: Truth, view: View) -> Judged:
    """Hold one view against the truth."""
    lines, text = replay(view)
    if len(lines) != 1:
        return Judged(truth, view, 0, (("sessions", 1, len(lines)),), (), text)
    line = lines[0]
    right, wrong, undecidable = 0, [], []
    fields = expected(truth, view)
    order = sorted(fields, key=lambda name: name != "service")
    for name in order:
        wanted, got = fields[name], line.get(name, UNSET.get(name))
        if got is None and name in COUNTED_AS_ZERO:
            got = 0
        if name == "starttls" and got is None:
            got = "none"
        if not wanted.fits(got):
            wrong.append((name, wanted.shown, got))
        elif wanted.decided:
            right += 1
        else:
            undecidable.append(name)
        if name == "service" and got != truth.service:
            if wanted.fits(got):  # nothing recognised, rightly: no other field can be asked for
                undecidable += [other for other in order[1:] if other not in PACKETS]
                order = [n for n in order if n in PACKETS]
                for n in order:
                    got_n = line.get(n, UNSET.get(n))
                    if fields[n].fits(got_n):
                        right += 1
                    else:
                        wrong.append((n, fields[n].shown, got_n))
            break
    return Judged(truth, view, right, tuple(wrong), tuple(undecidable), text)


PACKETS = (
    *("client_h", "client_p", "server_h", "server_p", "direction", "midstream"),
    *("client_pkts", "server_pkts", "client_bytes", "server_bytes"),
)


def judge_all(truth: Truth, seed: int) -> Iterator[Judged]:
    """All views of a session."""
    for view in views(truth.session, seed):
        yield judge(truth, view)
