"""Sensors that lose, repeat, reorder and delay records, lie about names and numbers and are killed,
and a client that is killed, stopped, restarted with another policy and out of disk: every session
that live mode has kept has the report's verdict, and every other one is counted as lost.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from faults_client import Process
from live_core import by_report
from records import label, session
from stand_in import frame

Record = dict[str, Any]

RUNS = max(2, int(os.environ.get("MAILTAP_FUZZ_EXAMPLES", "0")) // 20)

NORTH, SOUTH, LIAR = 0, 1, 2
SENSORS = ("ws://north", "ws://south", "ws://liar")

#: In three different groups of live mode's intervals.
SERVERS = ("192.0.2.25", "192.0.2.26", "192.0.2.27")

#: What differs between runs of the client. None changes a verdict.
REDACTED = ("[]", "[client_h, uid]", "[app, node, decode_as, service]", "[ts, direction]")

NONSENSE: tuple[bytes, ...] = (
    b"[" * 50_000,
    frame("not JSON").encode(),
    frame({"uid": "C1"}).encode(),
    b'{"type":"error","code":"x"}',
    b"\xff\xfe",
)


@dataclass
class Sensor:
    """Numbers its records, and knows what it sent in each of its runs, by number."""

    url: str
    runs: list[dict[int, Record]] = field(default_factory=lambda: [{}])
    number: int = 0
    late: list[bytes] = field(default_factory=list)  # what waits while the sensor stalls

    def frames(self, record: Record, generator: random.Random) -> Iterator[bytes]:
        """A session: lost, once, or twice. All sensors call their node the same."""
        self.number += 1
        record = record | {"node": "zeek", "seq": self.number, "started": float(len(self.runs))}
        self.runs[-1][self.number] = record
        for _ in range(generator.choice((0, 1, 1, 1, 1, 1, 1, 1, 2))):
            yield frame(record).encode()

    def is_killed(self) -> None:
        self.number = 0
        self.late.clear()
        self.runs.append({})

    def lost_and_known(self, kept: set[int]) -> int:
        """Records that were not kept, before one of the same run that was: of later ones the client
        can't know, nor of those before the first that it ever kept. `kept` has the marks of those
        that were.
        """
        numbers = [
            [number for number, record in run.items() if mark(record) in kept] for run in self.runs
        ]
        numbers = [of_run for of_run in numbers if of_run]
        before_the_first = min(numbers[0]) - 1 if numbers else 0
        return sum(max(of_run) - len(of_run) for of_run in numbers) - before_the_first


def mark(record: Record) -> int:
    """What tells a record from every other one, and is never redacted."""
    return int(record["client_bytes"])


def traffic(generator: random.Random) -> Iterator[tuple[Record, Record | None]]:
    """Sessions of distinct flows, some of them in two halves."""
    for number in range(1, 161):
        kind = generator.choice(
            [{}, {"decode_as": "BASE", "service": None, "mailfrom": None}, {"starttls": "tls"}]
        )
        server = {"server_h": SERVERS[number % 3], "id.resp_h": SERVERS[number % 3]}
        record = session(number, client_bytes=1_000 + 2 * number, **kind, **server)
        if generator.random() < 0.2:
            other = {"uid": f"S{number}", "direction": "s2c", "client_bytes": 1_001 + 2 * number}
            yield record | {"direction": "c2s"}, record | other
        else:
            yield record, None


def lies(generator: random.Random) -> Iterator[bytes]:
    """Nonsense, and sessions with the others' names and numbers."""
    number = generator.randrange(10_000, 20_000)
    for fields in (
        {"seq": generator.randrange(1, 100), "started": 1.0},
        {"seq": 10**18, "started": generator.random()},
        {"uid": "C1", "seq": 1, "started": 1.0},
        {"ts": 1e300, "duration": -1e18, "seq": 2**63},
        {"node": f"w{number}", "seq": -1},
    ):
        yield frame(session(number, **fields)).encode()
    yield generator.choice(NONSENSE)


@pytest.mark.parametrize("seed", range(RUNS))
def test_what_live_mode_keeps_has_the_report_s_verdict_and_what_it_lost_is_counted(
    seed: int, tmp_path: Path
) -> None:
    generator = random.Random(seed)
    sensors = Sensor(SENSORS[NORTH]), Sensor(SENSORS[SOUTH])
    labels = [
        label(
            n,
            app=generator.choice(["smtp", "imap", "tls"]),
            provenance=provenance,
            dst_ip=SERVERS[n % 3],
        )
        for n in range(1, 161)
        if (provenance := generator.choice(["payload", "payload", "port", None]))
    ]
    generator.shuffle(labels)
    lines = [json.dumps(one).encode() for one in labels]
    sessions = list(traffic(generator))
    client = Process(tmp_path, SENSORS, "[]")
    read = 0
    for begun in range(0, len(sessions), 20):
        full = begun > 0 and generator.random() < 0.3
        client("disk", full)
        frames: tuple[list[bytes], list[bytes]] = ([], [])
        for whole_or_half, other in sessions[begun : begun + 20]:
            first = generator.choice((NORTH, SOUTH))
            frames[first].extend(sensors[first].frames(whole_or_half, generator))
            if other is not None:
                frames[1 - first].extend(sensors[1 - first].frames(other, generator))
        for number, (sensor, new) in enumerate(zip(sensors, frames, strict=True)):
            if generator.random() < 0.5:
                generator.shuffle(new)
            if generator.random() < 0.2:
                sensor.late += new
                continue
            client("frames", number, [*sensor.late, *new])
            sensor.late.clear()
        client("frames", LIAR, list(lies(generator)))
        client("nonsense", [generator.choice(NONSENSE), b"a\rb,c"])
        client("labels", lines[read : read + 20], min(read + 20, len(lines)))
        read = min(read + 20, len(lines))
        if not begun:  # of what came before anything was stored nobody can know
            wait_until_stored(client)
        for sensor in sensors:
            if generator.random() < 0.2:
                sensor.is_killed()
        what = generator.random()
        if what < 0.4:
            time.sleep(generator.random() * 0.3)
            client.kill()
        elif what < 0.7:
            _, error = client.stop()
            assert error is None or full
        if what < 0.7:
            client = Process(tmp_path, SENSORS, generator.choice(REDACTED))
            read = client.labels_read
    client("disk", False)
    client("labels", lines[read:], len(lines))
    for number, sensor in enumerate(sensors):
        client("frames", number, sensor.late)
    latest, error = client.stop()
    assert error is None

    kept, verdicts, of_liar = in_store(tmp_path / "live.duckdb")
    sent = {
        mark(record): record | {"node": sensor.url}  # a report knows sensors by their node
        for sensor in sensors
        for run in sensor.runs
        for record in run.values()
    }
    came = [sent[one] for one in kept]
    expected, report = by_report(tmp_path, came, labels)
    by_uid = {record["uid"]: mark(record) for record in sent.values()}
    assert verdicts == {by_uid[uid]: verdict[:2] for uid, verdict in expected.items()}
    assert len(expected) > 20
    for sensor, state in zip(sensors, latest.sensors, strict=False):
        assert sum(node.lost for node in state.nodes) == sensor.lost_and_known(set(kept))
    figures = report.consistency
    assert figures is not None
    assert latest.sessions == len(kept) + of_liar
    assert latest.figures.matched == figures.matched
    for name in ("consistent", "compatible", "inconsistent", "unexplained"):
        live, reported = getattr(latest.figures, name), getattr(figures, name)
        assert (live.n, live.share) == (reported.n, reported.share)
        assert live.ci95 == pytest.approx(reported.ci95)
    assert min(latest.waiting, latest.unlabelled) >= 0
    assert latest.figures.causes == figures.causes


def wait_until_stored(client: Process) -> None:
    ends = time.monotonic() + 120
    while not client("stored"):
        assert time.monotonic() < ends
        time.sleep(0.02)


def in_store(path: Path) -> tuple[list[int], dict[int, tuple[str, int]], int]:
    """The marks of the sessions of both sensors as they came, verdict and causes of those that have
    any, and how many sessions the liar has.
    """
    with duckdb.connect(str(path), read_only=True) as database:
        rows = database.execute(
            "SELECT client_bytes, source FROM sessions ORDER BY session_id"
        ).fetchall()
        judged = database.execute(
            "SELECT s.client_bytes, j.verdict, j.causes FROM (SELECT * FROM judgements QUALIFY "
            "row_number() OVER (PARTITION BY session_id ORDER BY rowid DESC) = 1) j "
            "JOIN sessions s ON s.session_id = j.session_id WHERE s.source <> ? "
            "AND j.verdict IN ('consistent', 'compatible', 'inconsistent')",
            [SENSORS[LIAR]],
        ).fetchall()
    kept = [bytes_ for bytes_, source in rows if source != SENSORS[LIAR]]
    verdicts = {bytes_: (verdict, causes) for bytes_, verdict, causes in judged}
    return kept, verdicts, len(rows) - len(kept)
