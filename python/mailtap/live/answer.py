"""Verdicts back to the sensors: messages, and how many of them a second."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from mailtap.live.tally import VERDICTS
from mailtap.report.printable import printable

VERSION = 1

#: What Zeek accepts: bytes of a message, and characters of each text in it.
MAXIMUM_BYTES = 4_096
MAXIMUM_TEXT = 200

#: Messages a second.
MAXIMUM_RATE = 2_000

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


def message(judgement: Mapping[str, Any], redact: Collection[str]) -> str | None:
    """One judgement as a JSON object, without what is not known or not to be let out; None where
    there is no verdict.
    """
    if judgement["verdict"] not in VERDICTS:
        return None
    body: dict[str, Any] = {"v": VERSION}
    for key, name in _KEYS.items():
        value = judgement[name]
        if value is None or key in redact:
            continue
        body[key] = printable(value)[:MAXIMUM_TEXT] if isinstance(value, str) else value
    text = json.dumps(body, ensure_ascii=False)
    return text if len(text.encode()) <= MAXIMUM_BYTES else None


class Allowance:
    """So many a second, and as many at once."""

    def __init__(self, rate: float) -> None:
        self._rate = self._left = rate
        self._refilled: float | None = None

    def take(self, wanted: int, now: float) -> int:
        """How many of those wanted may go, by a clock that only goes forward."""
        if self._refilled is not None:
            self._left = min(self._rate, self._left + (now - self._refilled) * self._rate)
        self._refilled = now
        granted = min(wanted, int(self._left))
        self._left -= granted
        return granted
