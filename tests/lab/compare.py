"""Replays views through the embedded engine and holds the session lines against the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lab.expected import Expected, expected
from lab.marks import secrets_in
from lab.truth import COUNTS, Truth
from lab.views import View, views
from mailtap._engine import Engine

ETHERNET = 1
UNSET: dict[str, Any] = {
    "implicit_tls": False,
    "midstream": False,
    "starttls": "none",
    **dict.fromkeys(COUNTS, 0),
}
"""What it means where a line leaves a field out."""
PACKETS = (
    *("client_h", "client_p", "server_h", "server_p", "direction", "midstream"),
    *("client_pkts", "server_pkts", "client_bytes", "server_bytes"),
)
"""Fields that don't need the service."""


@dataclass(frozen=True)
class Result:
    """One view, judged."""

    server: str
    client: str
    scenario: str
    serves: str
    session: tuple[str, int]
    """The client's address and port."""
    group: str
    view: str
    right: tuple[str, ...]
    wrong: tuple[tuple[str, Any, Any], ...]
    """Fields with what is wanted and what came."""
    undecidable: tuple[str, ...]
    """Fields that the visible bytes leave open, and whose value is one of those left."""

    def mismatches(self) -> Iterator[str]:
        """What is wrong, as JSON lines."""
        for field, wanted, got in self.wrong:
            yield json.dumps(
                {
                    "server": self.server,
                    "client": self.client,
                    "serves": self.serves,
                    "scenario": self.scenario,
                    "view": self.view,
                    "client_p": self.session[1],
                    "field": field,
                    "wanted": wanted,
                    "got": got,
                },
                ensure_ascii=False,
                default=list,
            )


def replay(view: View) -> str:
    """The session lines of a view."""
    engine = Engine()
    engine.set_link_type(ETHERNET)
    for time, data in view.frames:
        engine.packet(time, data, len(data))
    engine.finish()
    return engine.take().decode("utf-8", "surrogateescape")


def judge(truth: Truth, view: View) -> Result:
    """Hold one view against the truth."""
    text = replay(view)
    lines = [json.loads(line) for line in text.splitlines()]
    right: list[str] = []
    wrong: list[tuple[str, Any, Any]] = []
    undecidable: list[str] = []
    if len(lines) != 1:
        wrong.append(("sessions", 1, len(lines)))
    else:
        _judge_line(lines[0], expected(truth, view), right, wrong, undecidable)
    wrong += [("secrets", "in no line", line) for line in secrets_in(text.splitlines())]
    return Result(
        *(truth.server, truth.client, truth.scenario, truth.serves, truth.session.client),
        *(view.group, view.name, tuple(right), tuple(wrong), tuple(undecidable)),
    )


def _judge_line(
    line: dict[str, Any],
    fields: dict[str, Expected],
    right: list[str],
    wrong: list[tuple[str, Any, Any]],
    undecidable: list[str],
) -> None:
    service = line.get("service")
    names = list(fields)
    if not fields["service"].fits(service):
        names = ["service", *PACKETS]  # all else follows from it
    elif service is None and not fields["service"].decided:
        undecidable += [name for name in fields if name not in PACKETS]
        names = list(PACKETS)
    for name in names:
        if name not in fields:
            continue
        wanted, got = fields[name], line.get(name, UNSET.get(name))
        if not wanted.fits(got):
            wrong.append((name, wanted.shown, got))
        elif wanted.decided:
            right.append(name)
        else:
            undecidable.append(name)


def judge_all(truth: Truth, seed: int) -> Iterator[Result]:
    """All views of a session. `seed` says what is lost and reordered."""
    for view in views(truth.session, seed):
        yield judge(truth, view)
