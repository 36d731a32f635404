"""The correlator: from what came in to verdicts, in a thread of its own.

The database releases the interpreter while it works, so the event loop answers pings and requests
however busy this is.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from mailtap.correlation.engines import Row
from mailtap.live.batches.records import Records, together
from mailtap.live.batches.sessions import SessionReader
from mailtap.live.core.aside import Aside
from mailtap.live.core.clocks import Clocks
from mailtap.live.core.encryption import MAXIMUM_WAITING, Encryption
from mailtap.live.core.inbox import BATCH, Batch, Inbox
from mailtap.live.core.intake import LabelIntake, SensorIntake, read_in_parts
from mailtap.live.core.meters import Delays
from mailtap.live.core.rows import (
    Counts,
    Restored,
    Rows,
    clock_rows,
    count_rows,
    engine_rows,
    gap_rows,
    node_rows,
    position_rows,
    server_rows,
    tally_rows,
)
from mailtap.live.core.servers import ServerCell
from mailtap.live.core.tally import BUCKET, Cell, Figures, Tally
from mailtap.live.core.window import Change, Window
from mailtap.live.labels.streams import Position
from mailtap.live.state import Delay, LabelSourceState, SensorState
from mailtap.policy import Policy
from mailtap.report.listing import example_of
from mailtap.report.model import Example
from mailtap.report.tls_model import Tls
from mailtap.sessions.vocabulary import FINDINGS

#: Seconds within which verdicts are to come. As far as that allows a batch waits until there are
#: enough records: to begin one takes some 2 ms however few they are.
PROMPT = 0.5

#: Seconds between looks at whether clocks differ, and between states when nothing comes.
CLOCKS = 30.0
IDLE = 1.0

#: Seconds between states that are shown.
SHOW = 0.25

#: Disagreements that are shown, the latest.
SHOWN = 200


@dataclass(frozen=True)
class Correlated:
    """All of a snapshot but connections, the store and answers."""

    at: float
    sessions: int
    labels: int
    waiting: int
    unlabelled: int
    unmatched: int
    findings: Mapping[str, int]  # sessions by finding, since this run began
    tls: Tls | None
    figures: Figures
    disagreements: tuple[Example, ...]
    delay: Delay | None
    sensors: tuple[SensorState, ...]
    label_sources: tuple[LabelSourceState, ...]


class Answers(Protocol):
    """Where judgements go that are published."""

    def room(self, now: float) -> int:
        """How many may go, by a clock that only goes forward."""

    def put(self, judgements: Sequence[Row], of: int) -> None:
        """Takes the details of these; there were `of` of them in all."""


class Store(Protocol):
    """Where sessions, labels and judgements are kept."""

    def restore(self, first_bucket: int) -> Restored:
        """What an earlier run left; of records only those that came since the bucket began."""

    def put(self, rows: Rows) -> None:
        """Has the rows written soon. Never waits."""


class Correlator:
    def __init__(
        self,
        inbox: Inbox,
        sensors: Sequence[str],
        label_sources: Sequence[tuple[str, str | None, str | None]],
        policy: Policy,
        *,
        window: float,
        maximum: int,
        store: Store | None,
        answers: Answers | None,
    ) -> None:
        """`label_sources` are names, formats, and what figures by engine call them."""
        self._inbox = inbox
        several = len(sensors) > 1
        self._sensors = [SensorIntake(url, one_of_several=several) for url in sensors]
        self._urls = list(sensors)
        self._label_sources = [LabelIntake(*source, policy) for source in label_sources]
        self._window = Window(policy, window, maximum)
        self._seconds = window
        self._store = store
        self._answers = answers
        self._redact = policy.redact
        self._read = SessionReader()
        self._tally = Tally()
        self._delays = Delays()
        self._disagreements: deque[Example] = deque(maxlen=SHOWN)
        self._counts = Counts()
        self._findings = dict.fromkeys(FINDINGS, 0)
        self._encryption = Encryption(policy.redact)
        self._clocks = Clocks(policy)
        self._aside = Aside()
        self._session_numbers, self._label_numbers = itertools.count(), itertools.count()
        self._clocks_compared = self._shown = time.monotonic()
        self._names = [name for name, _, _ in label_sources]
        self._positions: dict[str, Position] = {}
        self._stopping = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="correlator", daemon=True)
        self.since = time.time()
        self.latest = self._correlated()

    def start(self) -> None:
        # The first list that pyarrow takes has it import pandas, where that is installed: here, and
        # not while the first records wait for their verdicts.
        pa.array([])
        if self._store is not None:
            bucket = int((time.time() - self._seconds) // BUCKET)
            self._restore(self._store.restore(bucket))
        self._thread.start()

    def stop(self) -> None:
        """Takes in what came so far, and ends."""
        self._stopping = True
        self._inbox.wake()
        if self._thread.ident is not None:
            self._thread.join()
        self._aside.close()
        self._window.close()
        self._encryption.close()
        self._clocks.close()

    @property
    def failure(self) -> Exception | None:
        """What ended the thread, if it was not `stop`."""
        return self._failure

    def _run(self) -> None:
        try:
            while True:
                stopping = self._stopping
                self._inbox.wait(IDLE)
                begun = time.monotonic()
                batch = self._inbox.take()
                self._step(batch)
                if stopping and not batch:
                    return
                if not stopping and len(batch.arrivals) < BATCH:
                    # The next batch has to wait for this one, and takes as long.
                    pause = PROMPT - 2 * (time.monotonic() - begun)
                    self._inbox.wait_for_enough(max(0.0, pause))
        except Exception as error:  # whatever it is, the event loop must know
            self._failure = error

    def _step(self, batch: Batch) -> None:
        clock, now = time.monotonic(), time.time()
        bucket = int(now // BUCKET)
        sessions = self._sessions_of(batch, now, clock)
        taken = (
            self._label_sources[source].take(lines, self._label_numbers, clock)
            for source, lines in batch.lines.items()
        )
        labels = [
            records.with_column("bucket", [bucket] * len(records), pa.int64())
            for records in taken
            if records is not None
        ]
        if sessions is not None:
            numbers = [*itertools.islice(self._session_numbers, len(sessions))]
            sessions = sessions.with_column("session_id", numbers, pa.int64())
            sessions = sessions.with_column("bucket", [bucket] * len(sessions), pa.int64())
            self._counts.sessions += len(sessions)
            self._count_findings(sessions)
            self._encryption.add(sessions)
        self._counts.labels += sum(map(len, labels))
        for source, position in batch.positions.items():
            self._positions[self._names[source]] = position
        details = 0 if self._answers is None else self._answers.room(clock)
        change = self._window.add(sessions, labels, clock, details)
        if batch or change.unlabelled or change.unmatched:
            self._take(change)
        self._look_aside(clock)
        if change.judgements is not None and len(change.judgements):
            self._delays.add(batch.arrivals, time.monotonic())
        if clock - self._shown >= SHOW or not batch:
            self._shown = clock
            self.latest = self._correlated()

    def _look_aside(self, clock: float) -> None:
        """Has clocks compared, and the figures of TLS brought up to date."""
        self._aside.finish(wait=self._encryption.waiting >= MAXIMUM_WAITING)
        if not self._aside.is_free:
            return
        if clock - self._clocks_compared >= CLOCKS:
            self._clocks_compared = clock
            if sample := self._window.clock_sample():
                self._aside.begin(
                    lambda: self._clocks.compare(*sample),
                    lambda clocks: self._take(self._window.apply(clocks)),
                )
        elif self._encryption.is_due(clock):
            waiting = self._encryption.take()
            self._aside.begin(lambda: self._encryption.count(waiting, clock))

    def _count_findings(self, sessions: Records) -> None:
        """Of the vocabulary only: what a sensor sends may be anything."""
        for array in filter(None, sessions.values("finding_names")):  # as JSON
            for name in FINDINGS:
                self._findings[name] += f'"{name}"' in array

    def _sessions_of(self, batch: Batch, now: float, clock: float) -> Records | None:
        """The sessions of all sensors, read together: to begin reading costs, too."""
        if not batch.frames:
            return None
        lines = {n: self._sensors[n].lines(frames) for n, frames in batch.frames.items()}
        try:
            of_all = self._read(list(itertools.chain(*lines.values())))
        except Exception:  # which line it is about shows when each sensor's are read alone
            taken = [
                records
                for n, own in lines.items()
                for records in self._taken_alone(n, own, now, clock)
            ]
        else:
            taken, first = [], 0
            for n, own in lines.items():
                after = first + len(own)
                taken.append(self._sensors[n].take(of_all.between(first, after), now, clock))
                first = after
        found = [records for records in taken if records is not None]
        return together(found) if found else None

    def _taken_alone(
        self, sensor: int, lines: list[str], now: float, clock: float
    ) -> Iterator[Records | None]:
        for part, sessions in read_in_parts(self._read, lines):
            if sessions is None:
                self._sensors[sensor].count_malformed(len(part))
            else:
                yield self._sensors[sensor].take(sessions, now, clock)

    def _take(self, change: Change) -> None:
        self._tally.add_all(change.cells, change.servers, change.by_engine)
        self._counts.unlabelled += change.unlabelled
        self._counts.unmatched += change.unmatched
        self._disagreements.extend(
            example_of(row, self._redact) for row in reversed(change.disagreements)
        )
        if self._answers is not None and change.judgements is not None:
            self._answers.put(change.details, len(change.judgements))
        if self._store is not None:
            self._store.put(self._rows(change))

    def _rows(self, change: Change) -> Rows:
        """What the store is to know. With the sessions go the numbers that they had: a run that
        goes on with them must not take one for the other's loss.
        """
        rows = Rows()
        rows.add("sessions", change.sessions)
        rows.add("labels", change.labels)
        rows.add("judgements", change.judgements)
        rows.add("judgements_by_engine", change.judgements_by_engine)
        rows.add("tally", tally_rows(change.cells))
        rows.add("tally_by_engine", engine_rows(change.by_engine))
        rows.add("servers", server_rows(change.servers))
        rows.add("counts", count_rows(self._counts))
        if change.clocks is not None:
            rows.add("clocks", clock_rows(change.clocks))
        sensors = list(zip(self._urls, self._sensors, strict=True))
        rows.add(
            "gaps", gap_rows([(url, g) for url, sensor in sensors for g in sensor.gaps_since()])
        )
        rows.add("positions", position_rows(self._positions, self._headers()))
        rows.add("nodes", node_rows([(url, n) for url, s in sensors for n in s.numberings()]))
        return rows

    def _headers(self) -> dict[str, bytes | None]:
        sources = zip(self._names, self._label_sources, strict=True)
        return {name: source.header for name, source in sources}

    def _restore(self, restored: Restored) -> None:
        self._counts = restored.counts
        self._session_numbers = itertools.count(restored.next_session)
        self._label_numbers = itertools.count(restored.next_label)
        for row in restored.tally.to_pylist():
            n, bucket = row.pop("n"), row.pop("bucket")
            self._tally.add(Cell(**row), bucket, n)
        for row in restored.servers.to_pylist():
            n = row.pop("n")
            self._tally.add_servers(ServerCell(**row), n)
        for row in restored.tally_by_engine.to_pylist():
            self._tally.add_by_engine(**row)
        for url, sensor in zip(self._urls, self._sensors, strict=True):
            for numbering in restored.nodes.get(url, ()):
                sensor.resume(numbering)
        for name, source in zip(self._names, self._label_sources, strict=True):
            if name in restored.headers:
                source.resume(restored.headers[name])
        waiting = self._window.restore(*restored.window, restored.clocks, time.monotonic())
        # Those that waited when the last run ended, and came too long ago to find their label.
        self._counts.unlabelled = self._counts.sessions - self._tally.decided - waiting

    def _correlated(self) -> Correlated:
        clock = time.monotonic()
        return Correlated(
            at=time.time(),
            sessions=self._counts.sessions,
            labels=self._counts.labels,
            waiting=self._counts.sessions - self._counts.unlabelled - self._tally.decided,
            unlabelled=self._counts.unlabelled,
            unmatched=self._counts.unmatched,
            findings=dict(self._findings),
            tls=self._encryption.figures,
            figures=self._tally.figures(),
            disagreements=tuple(reversed(self._disagreements)),
            delay=self._delays.value(),
            sensors=tuple(sensor.state(clock) for sensor in self._sensors),
            label_sources=tuple(source.state(clock) for source in self._label_sources),
        )
