"""Connections to sensors: their state, the waits between attempts, and what a transport does."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mailtap.live.sensors.frames import SESSIONS_TOPIC

TOPICS: tuple[str, ...] = (SESSIONS_TOPIC,)
VERDICTS_TOPIC = "/mailtap/verdicts/"
VERDICT_EVENT = "MailTap::mail_verdict"

#: Seconds until a lost connection is made again: at most so many, doubled after each failure. The
#: wait is random below that, so that many clients don't connect at the same moment.
FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0


class SensorError(Exception):
    """A `--sensor` that can't be used; one line says why."""


@dataclass(frozen=True)
class Tls:
    """How sensors are reached: certificates (PEM) they are verified with, the client's own and its
    key; `disabled` for Broker, which has TLS by default and doesn't verify it.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    disabled: bool = False


@dataclass
class Connection:
    """The state of a sensor's connection."""

    url: str
    connected: bool = False
    since: float | None = None
    error: str | None = None
    made: int = 0
    discarded: int = 0

    def opened(self) -> None:
        self.connected, self.since, self.error = True, time.time(), None
        self.made += 1

    def closed(self, why: str) -> None:
        if self.connected:
            self.since = time.time()
        self.connected, self.error = False, why


#: Takes a frame in as Zeek's WebSocket API has it.
Receive = Callable[[bytes], None]


class Transport(Protocol):
    connection: Connection

    async def run(self, receive: Receive) -> None:
        """Receives until the connection is lost or refused, and raises the error it ended with.
        The caller waits and calls it again.
        """

    async def publish(self, topic: str, event: str, line: str) -> bool:
        """Publishes an event with one string argument, and returns whether there was a connection.
        Waits while the sensor does not read.
        """


class Backoff:
    def __init__(self) -> None:
        self._wait = FIRST_WAIT

    def reset(self) -> None:
        self._wait = FIRST_WAIT

    async def wait(self) -> None:
        await asyncio.sleep(random.uniform(0, self._wait))  # noqa: S311 -- no secret
        self._wait = min(LONGEST_WAIT, self._wait * 2)
