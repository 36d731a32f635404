"""Sensors that lose, repeat, reorder, and lie, and a client that is stopped, restarted with another
policy and whose store fails: every session that came has the report's verdict, and
every one that did not is counted.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mailtap.live.core.correlator import Correlated, Correlator
from mailtap.live.core.inbox import Inbox
from mailtap.live.core.tally import VERDICTS
from mailtap.live.store import writer
from mailtap.live.store.writer import Store
from mailtap.policy import Policy, load_policy
from records import label, session
from stand_in import frame
from test_live_verdicts import by_report

Record = dict[str, Any]

SENSORS = ("ws://north", "ws://south", "ws://liar")

#: What differs between runs of the client. None changes a verdict.
REDACTED = ("[]", "[client_h, uid]", "[app, node, decode_as, service]", "[ts, direction]")

JUNK: tuple[str | bytes, ...] = (
    "[" * 50_000,
    frame("not JSON"),
    frame({"uid": "C1"}),
    '{"type":"error","code":"x"}',
    b"\xff\xfe",
    frame(session(1, ts=1e300, duration=-1e18, seq=10**18, node="w1", started=7.0)),
)


@dataclass
class Sensor:
    """Sends numbered records and knows which of them never arrive."""

    url: str
    node: str
    number: int = 0
    started: float = 1.0
    lost: int = 0
    last_lost: int = 0
    unknown: int = 0  # of the lost, those after which none of that run came
    sent: list[Record] = field(default_factory=list)

    def take(self, record: Record, generator: random.Random) -> Iterator[str]:
        """Frames for a session; none where it is lost."""
        self.number += 1
        record = record | {"node": self.node, "seq": self.number, "started": self.started}
        # The first and the last of a run are not lost: nobody could know of them.
        if self.number > 1 and generator.random() < 0.1:
            self.lost += 1
            self.unknown += 1
            self.last_lost += 1
            return
        self.unknown -= self.last_lost
        self.last_lost = 0
        self.sent.append(record)
        yield frame(record)
        if generator.random() < 0.1:
            yield frame(record)

    def restart(self) -> None:
        self.number, self.started, self.last_lost = 0, self.started + 1, 0


class Client:
    """Live mode without a network: a correlator and a store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store_file = folder / "live.duckdb"
        self._start("[]")

    def _start(self, redact: str) -> None:
        policy_file = self.folder / "policy.yaml"
        policy_file.write_text(f"redact: {redact}\n")
        policy: Policy = load_policy(policy_file)
        self.store = Store(self.store_file, policy.redact)
        self.inbox = Inbox(len(SENSORS) + 1)
        self.correlator = Correlator(
            self.inbox,
            SENSORS,
            [("labels", None)],
            policy,
            window=600.0,
            maximum=100_000,
            store=self.store,
            answers=None,
        )
        self.correlator.start()
        self.store.start()

    def stop(self) -> None:
        self.correlator.stop()
        assert self.correlator.failure is None
        assert self.store.close() is None

    def restart(self, redact: str) -> None:
        self.stop()
        self._start(redact)

    @property
    def latest(self) -> Correlated:
        return self.correlator.latest


def traffic(generator: random.Random) -> tuple[list[Record], list[Record]]:
    """Sessions of distinct flows, some seen as two halves, and labels of most of them."""
    sessions, labels = [], []
    for number in range(1, 121):
        kind = generator.choice(
            [{}, {"decode_as": "BASE", "service": None, "mailfrom": None}, {"starttls": "tls"}]
        )
        sessions.append(session(number, **kind))
        if generator.random() < 0.8:
            app = generator.choice(["smtp", "imap", "tls"])
            labels.append(label(number, app=app, provenance=generator.choice(["payload", "port"])))
    return sessions, labels


@pytest.mark.parametrize("seed", range(2))
def test_every_session_that_came_has_the_report_s_verdict_and_the_others_are_counted(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "INTERVAL", 0.05)
    monkeypatch.setattr(writer, "RETRY", 0.05)
    generator = random.Random(seed)
    failing = False
    insert = Store._insert

    def insert_or_fail(self: Store, *arguments: Any) -> None:
        if failing and generator.random() < 0.7:
            raise duckdb.IOException("No space left on device")
        insert(self, *arguments)

    monkeypatch.setattr(Store, "_insert", insert_or_fail)
    north, south = (Sensor(url, "zeek") for url in SENSORS[:2])  # of one name
    sessions, labels = traffic(generator)
    running = Client(tmp_path)
    waiting = list(labels)
    generator.shuffle(waiting)
    for begun in range(0, len(sessions), 20):
        failing = generator.random() < 0.5
        frames: dict[int, list[str]] = {0: [], 1: []}
        for record in sessions[begun : begun + 20]:
            half = generator.random() < 0.2
            first = record | ({"direction": "c2s"} if half else {})
            sensor = generator.choice((0, 1))
            frames[sensor] += (north, south)[sensor].take(first, generator)
            if half:
                other = record | {"uid": f"S{record['uid']}", "direction": "s2c"}
                frames[1 - sensor] += (north, south)[1 - sensor].take(other, generator)
        for sensor, texts in frames.items():
            if generator.random() < 0.5:  # in another order, within what is sent at once
                generator.shuffle(texts)
            for text in texts:
                assert running.inbox.put_frame(sensor, text.encode(), time.monotonic())
                junk = generator.choice(JUNK)
                junk = junk if isinstance(junk, bytes) else junk.encode()
                running.inbox.put_frame(2, junk, time.monotonic())
        some, waiting = waiting[:15], waiting[15:]
        lines = [json.dumps(one).encode() for one in some]
        running.inbox.put_lines(0, [*lines, b"nonsense"], None, time.monotonic())
        if generator.random() < 0.5:
            failing = False
            running.restart(generator.choice(REDACTED))
        if generator.random() < 0.3:
            north.restart()
    lines = [json.dumps(one).encode() for one in waiting]
    running.inbox.put_lines(0, lines, None, time.monotonic())
    failing = False
    running.restart("[]")
    running.stop()
    latest = running.correlator._correlated()
    came = [*north.sent, *south.sent]
    # In the report a sensor is told by its node: these are two.
    told = [r | {"node": s.url} for s in (north, south) for r in s.sent]
    expected, report = by_report(tmp_path, told, labels)
    assert report.consistency is not None
    lost = [sum(node.lost for node in sensor.nodes) for sensor in latest.sensors[:2]]
    # What was lost at the very end of a run nobody knows.
    assert lost[0] + north.unknown == north.lost
    assert lost[1] + south.unknown == south.lost
    assert latest.figures.matched == report.consistency.matched == len(expected)
    assert latest.figures.consistent == report.consistency.consistent
    assert latest.figures.compatible == report.consistency.compatible
    assert latest.figures.causes == report.consistency.causes
    with duckdb.connect(str(running.store_file), read_only=True) as database:
        ((of_liar,),) = database.execute(
            "SELECT count(*) FROM sessions WHERE source = ?", [SENSORS[2]]
        ).fetchall()
        verdicts = database.execute(
            "SELECT session_id, verdict FROM judgements QUALIFY row_number() OVER "
            "(PARTITION BY session_id ORDER BY rowid DESC) = 1"
        ).fetchall()
    counted = [verdict for _, verdict in verdicts if verdict in VERDICTS]
    assert len(counted) == len(expected)
    assert latest.sessions == len(came) + of_liar
