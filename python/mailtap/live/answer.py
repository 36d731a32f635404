"""Verdicts back to the sensors: messages, and how many of them a second."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailtap.correlation.engines import Row
from mailtap.live.core.tally import VERDICTS
from mailtap.live.sensors.transport import VERDICT_EVENT, VERDICTS_TOPIC, Transport
from mailtap.live.state import AnswerState
from mailtap.printable import printable
from mailtap.sessions.redaction import REDACTED, redacted_columns

VERSION = 1

#: What Zeek accepts: bytes of a message, and of each text in it.
MAXIMUM_BYTES = 4_096
MAXIMUM_TEXT = 256

#: Messages a second.
MAXIMUM_RATE = 2_000

#: Messages that may wait to be published.
MAXIMUM_QUEUED = 4 * MAXIMUM_RATE

#: Between the names of two sensors whose halves were put together.
STITCHED_WITH = " + "

#: Keys of a message and what they are called in a judgement.
_KEYS = {
    "ts": "ts",
    "uid": "uid",
    "community_id": "community_id",
    "sensor": "sensor",
    "client_h": "client_h",
    "client_p": "client_p",
    "server_h": "server_h",
    "server_p": "server_p",
    "service": "service",
    "app": "app",
    "provenance": "label_provenance",
    "decode_as": "decode_as",
    "verdict": "verdict",
    "cause": "cause",
}

#: Texts without which Zeek refuses a message.
_REQUIRED = {"sensor", "app"}


def message(judgement: Mapping[str, Any], redacted: Collection[str]) -> str | None:
    """One judgement as a JSON object, without what is not known or not to be let out, which is
    `REDACTED` where Zeek needs a text; None where there is no verdict.
    """
    if judgement["verdict"] not in VERDICTS:
        return None
    body: dict[str, Any] = {"v": VERSION}
    for key, name in _KEYS.items():
        value = judgement[name]
        if name in redacted:
            value = REDACTED if key in _REQUIRED else None
        if value is None:
            continue
        body[key] = _text(value) if isinstance(value, str) else value
    text = json.dumps(body, ensure_ascii=False)
    return text if len(text.encode()) <= MAXIMUM_BYTES else None


def _text(value: str) -> str:
    return printable(value).encode()[:MAXIMUM_TEXT].decode(errors="ignore")


@dataclass(frozen=True)
class Answer:
    """A message, and the nodes whose session it is about."""

    nodes: frozenset[str]
    text: str


class Publisher:
    """From the correlator's thread to the sensors, in the event loop: so many a second."""

    def __init__(self, redact: Collection[str], loop: asyncio.AbstractEventLoop) -> None:
        self._redacted = redacted_columns(redact)
        self._loop = loop
        self._queue: asyncio.Queue[list[Answer]] = asyncio.Queue()
        self._queued = self._sent = self._withheld = 0
        self._left = float(MAXIMUM_RATE)
        self._refilled = 0.0

    def room(self, now: float) -> int:
        """See Answers."""
        self._left = min(MAXIMUM_RATE, self._left + (now - self._refilled) * MAXIMUM_RATE)
        self._refilled = now
        return int(min(self._left, MAXIMUM_QUEUED - self._queued))

    def put(self, judgements: Sequence[Row], of: int) -> None:
        """See Answers."""
        answers = [
            Answer(frozenset((row["sensor"] or "").split(STITCHED_WITH)), text)
            for row in judgements
            if (text := message(row, self._redacted)) is not None
        ]
        self._left -= len(answers)
        self._withheld += of - len(answers)
        self._queued += len(answers)
        self._loop.call_soon_threadsafe(self._queue.put_nowait, answers)

    async def run(
        self,
        transports: Sequence[Transport],
        nodes: Callable[[], Sequence[frozenset[str]]],
    ) -> None:
        """Publishes to those sensors whose `nodes` saw the session."""
        while True:
            answers = await self._queue.get()
            self._queued -= len(answers)
            of_sensors = list(zip(transports, nodes(), strict=True))
            for answer in answers:
                sent = [
                    await transport.publish(VERDICTS_TOPIC, VERDICT_EVENT, answer.text)
                    for transport, of_sensor in of_sensors
                    if answer.nodes & of_sensor
                ]
                if any(sent):
                    self._sent += 1
                else:
                    self._withheld += 1

    def state(self) -> AnswerState:
        return AnswerState(self._sent, self._withheld)
