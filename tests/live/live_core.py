"""The correlator's core without its threads and sources: records go in, verdicts come out; and what
a report says of the same records.
"""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from mailtap.correlation.engines import DuckDBEngine
from mailtap.labels import LabelFile
from mailtap.labels.load import load as load_labels
from mailtap.live.batches.records import Records
from mailtap.live.batches.sessions import SessionReader
from mailtap.live.core.clocks import Clocks
from mailtap.live.core.tally import VERDICTS, Tally
from mailtap.live.core.window import Change, Window
from mailtap.live.labels.reader import reader_of
from mailtap.policy import load_policy
from mailtap.records.database import open_database
from mailtap.report.build import build_report
from mailtap.report.model import Report
from mailtap.sessions.load import load as load_sessions
from records import client, label, session

POLICY = load_policy(None)

Record = dict[str, Any]


class Verdict(NamedTuple):
    verdict: str
    causes: int
    app: str
    funnel_step: str | None
    funnel_loss: str | None


def verdict_of(row: Record) -> Verdict:
    return Verdict(*(row[name] for name in Verdict._fields))


class Live:
    """The correlator's core, fed by hand."""

    def __init__(self, seconds: float = 600.0, maximum: int = 100_000) -> None:
        self.window = Window(POLICY, seconds, maximum)
        self.tally = Tally()
        self._clocks = Clocks(POLICY)
        self.unlabelled = self.unmatched = 0
        self._read = SessionReader()
        self._sessions, self._labels = itertools.count(), itertools.count()
        self._uids: dict[int, str] = {}
        self._verdicts: dict[int, Verdict] = {}

    def add(
        self,
        sessions: list[Record],
        labels: list[Record],
        now: float = 0.0,
        others: list[Record] | None = None,
        other_engine: str | None = None,
    ) -> None:
        """`others` are labels of another engine than `labels`: of their format, unless named."""
        table = None
        if sessions:
            numbers = list(itertools.islice(self._sessions, len(sessions)))
            self._uids |= dict(zip(numbers, (s["uid"] for s in sessions), strict=True))
            table = (
                self._read([json.dumps(record) for record in sessions])
                .fields.with_column("session_id", numbers, pa.int64())
                .with_column("source", ["ws://zeek"] * len(sessions), pa.string())
                .with_column("bucket", [0] * len(sessions), pa.int64())
            )
        tables = [self._table(labels)] if labels else []
        if others:
            tables.append(self._table(others, other_engine))
        self._apply(self.window.add(table, tables, now))

    def compare_clocks(self) -> None:
        if sample := self.window.clock_sample():
            self._apply(self.window.apply(self._clocks.compare(*sample)))

    @property
    def verdicts(self) -> dict[str, Verdict]:
        return {
            self._uids[number]: verdict
            for number, verdict in self._verdicts.items()
            if verdict.verdict in VERDICTS
        }

    def _apply(self, change: Change) -> None:
        self.tally.add_all(change.cells, change.servers, change.by_engine)
        self.unlabelled += change.unlabelled
        self.unmatched += change.unmatched
        for row in [] if change.judgements is None else change.judgements.rows():
            self._verdicts[row["session_id"]] = verdict_of(row)

    def _table(self, labels: list[Record], engine: str | None = None) -> Records:
        lines = [json.dumps(one).encode() for one in labels]
        reader, _ = reader_of("labels", lines, None, POLICY)
        flows = reader(lines).flows
        numbers = list(itertools.islice(self._labels, len(flows)))
        return (
            flows.with_column("label_id", numbers, pa.int64())
            .with_column("source", [reader.form.name] * len(flows), pa.string())
            .with_column("engine", [engine or reader.form.name] * len(flows), pa.string())
            .with_column("bucket", [0] * len(flows), pa.int64())
        )


def by_report(
    folder: Path,
    sessions: list[Record],
    labels: list[Record],
    others: list[Record] | None = None,
) -> tuple[dict[str, Verdict], Report]:
    """The report's verdicts by uid (of two halves: the first to have come), and its figures.
    `others` are labels of the engine `other`.
    """
    session_file, label_file = folder / "sessions.jsonl", folder / "labels.jsonl"
    other_file = folder / "others.jsonl"
    for path, records in ((session_file, sessions), (label_file, labels), (other_file, others)):
        path.write_text("".join(json.dumps(record) + "\n" for record in records or ()))
    files = [LabelFile(label_file), *([LabelFile(other_file, None, "other")] if others else ())]
    with open_database() as connection:
        load_sessions(connection, [session_file], POLICY)
        load_labels(connection, files, POLICY)
        engine = DuckDBEngine(connection)
        report = build_report(engine, POLICY, engine_name="duckdb", with_labels=True)
        rows = engine.rows(
            "SELECT s.uid AS uid, verdict, causes, v.app AS app, funnel_step, funnel_loss "
            "FROM verdicts v JOIN whole_sessions s USING (session_id)"
        )
    order = {record["uid"]: n for n, record in enumerate(sessions)}
    return {min(row["uid"].split(), key=order.__getitem__): verdict_of(row) for row in rows}, report


def drawn(generator: random.Random) -> tuple[list[Record], list[Record]]:
    """Sessions of two sensors and labels of few flows: much meets, misses and is doubtful."""
    sessions, labels = [], []
    for number in range(1, 301):
        flow, start = generator.randrange(60), generator.random() * 400
        kind = generator.choice(
            [
                {},
                {"decode_as": "BASE", "service": None, "mailfrom": None},
                {"decode_as": "SSL", "service": None, "implicit_tls": True},
                {"starttls": "tls", "mailfrom": None, "empty_cause": "starttls"},
                {"decode_as": "HTTP", "tunnel": "http"},
                {"service": "imap", "midstream": True},
                {"effective": False, "client_bytes": 0, "server_bytes": 0},
            ]
        )
        half = generator.choice([{}, {"direction": "c2s"}, {"direction": "s2c", "node": "south"}])
        port = generator.choice([25, 25, 143, 2_525, 8_080])
        sessions.append(
            session(
                number,
                **{
                    **kind,
                    **half,
                    "ts": 1000 + start,
                    "duration": generator.random() * 20,
                    **{f"{end}_h": client(flow) for end in ("id.orig", "client")},
                    **{f"{end}_p": port for end in ("id.resp", "server")},
                },
            )
        )
        if half == {"direction": "c2s"} and generator.random() < 0.2:
            other = {"uid": f"S{number}", "direction": "s2c", "node": "south"}
            sessions.append(sessions[-1] | other | {"ts": 1000 + start + generator.random()})
        for _ in range(generator.choice([0, 1, 1, 2])):
            begun = 1000 + start + generator.gauss(0, 4)
            labels.append(
                label(
                    flow,
                    app=generator.choice(["smtp", "smtp", "imap", "tls", "http.imap", "unknown"]),
                    provenance=generator.choice(["payload", "port"]),
                    dst_port=port,
                    start=begun,
                    end=begun + generator.random() * 10,
                )
            )
            if generator.random() < 0.1:
                labels.append(labels[-1] | {"app": "ftp"})
    return sessions, labels


def shuffled(seed: int) -> tuple[random.Random, list[Record], list[Record]]:
    """Drawn records in any order, and what draws on."""
    generator = random.Random(seed)
    sessions, labels = drawn(generator)
    generator.shuffle(sessions)
    generator.shuffle(labels)
    return generator, sessions, labels
