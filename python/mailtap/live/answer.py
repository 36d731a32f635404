"""Verdicts that are published to the sensors: the messages, and the limits of their rate."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailtap.correlation.engines import Row
from mailtap.correlation.judgement import evidence_of, wrong_of
from mailtap.correlation.verdicts import named_causes
from mailtap.live.core.tally import VERDICTS
from mailtap.live.sensors.transport import VERDICT_EVENT, VERDICTS_TOPIC, Transport
from mailtap.live.state import AnswerState
from mailtap.printable import printable
from mailtap.sessions.redaction import REDACTED, redacted_columns

VERSION = 1

#: Bytes of a message and of each text in it that MailTap's Zeek scripts accept.
MAXIMUM_BYTES = 4_096
MAXIMUM_TEXT = 256

#: Messages a second.
MAXIMUM_RATE = 2_000

#: Messages that may wait for a sensor to read. Further ones are not sent to that sensor; other
#: sensors have queues of their own.
MAXIMUM_QUEUED = 4 * MAXIMUM_RATE

#: Keys of a message and what they are called in a judgement.
_KEYS = {
    "ts": "ts",
    "uid": "uid",
    "community_id": "community_id",
    "sensor": "node",
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
    causes = named_causes(judgement["causes"])
    wrong = wrong_of(judgement["verdict"], causes)
    if wrong is not None:
        body["wrong"] = wrong
        if evidence := evidence_of(judgement, causes, redacted):
            body["evidence"] = _text(evidence)
    text = json.dumps(body, ensure_ascii=False)
    return text if len(text.encode()) <= MAXIMUM_BYTES else None


def _text(value: str) -> str:
    return printable(value).encode()[:MAXIMUM_TEXT].decode(errors="ignore")


@dataclass(frozen=True)
class Answer:
    """A message, and the URLs of the sensors that sent the session it is about."""

    sensors: frozenset[str]
    text: str


class Publisher:
    """From the correlator's thread to the sensors, in the event loop: so many a second."""

    def __init__(
        self,
        redact: Collection[str],
        transports: Sequence[Transport],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._redacted = redacted_columns(redact)
        self._loop = loop
        self._queues = [(transport, asyncio.Queue[str](MAXIMUM_QUEUED)) for transport in transports]
        self._sent = self._withheld = 0
        self._left = float(MAXIMUM_RATE)
        self._refilled = 0.0

    def room(self, now: float) -> int:
        """See Answers."""
        self._left = min(MAXIMUM_RATE, self._left + (now - self._refilled) * MAXIMUM_RATE)
        self._refilled = now
        return int(self._left)

    def put(self, judgements: Sequence[Row], of: int) -> None:
        """See Answers."""
        answers = [
            Answer(frozenset(row["sources"]), text)
            for row in judgements
            if (text := message(row, self._redacted)) is not None
        ]
        self._left -= len(answers)
        self._withheld += of - len(answers)
        self._loop.call_soon_threadsafe(self._queue_up, answers)

    async def run(self) -> None:
        """Publishes what is queued, to each sensor at its own pace."""
        async with asyncio.TaskGroup() as tasks:
            for transport, queue in self._queues:
                tasks.create_task(self._publish(transport, queue))

    def state(self) -> AnswerState:
        return AnswerState(self._sent, self._withheld)

    def _queue_up(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            queues = [q for t, q in self._queues if t.connection.url in answer.sensors]
            with_room = [queue for queue in queues if not queue.full()]
            for queue in with_room:
                queue.put_nowait(answer.text)
            # One that no sensor gets is withheld, too.
            self._withheld += max(len(queues), 1) - len(with_room)

    async def _publish(self, transport: Transport, queue: asyncio.Queue[str]) -> None:
        while True:
            text = await queue.get()
            try:
                sent = await transport.publish(VERDICTS_TOPIC, VERDICT_EVENT, text)
            except Exception:  # an error of a connection must not end the others' answers
                sent = False
            if sent:
                self._sent += 1
            else:
                self._withheld += 1
