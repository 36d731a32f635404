"""Live mode as a whole: transports and label streams in the event loop, the correlator beside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from mailtap.live.answer import Publisher
from mailtap.live.core.correlator import Correlator
from mailtap.live.core.inbox import Inbox
from mailtap.live.labels.streams import LabelStream, Position, Put
from mailtap.live.sensors.transport import LONGEST_WAIT, Backoff, Transport
from mailtap.live.state import LabelSourceState, Record, Search, SensorState, Snapshot
from mailtap.live.store.schema import StoreError
from mailtap.live.store.writer import Store
from mailtap.policy import Policy
from mailtap.printable import printable
from mailtap.report.losses import losses_of_counts

#: Seconds within which a session and its label are matched: records are kept for at least that
#: long, unless more than so many of a kind arrive, which bounds memory.
WINDOW = 600.0
MAXIMUM_RECORDS = 500_000

#: Seconds between two snapshots of a subscriber.
NOTIFY = 0.25

#: Seconds between looks at whether there is room again.
ROOM = 0.02

#: Characters of an error that are shown.
MAXIMUM_ERROR = 256


class LiveError(Exception):
    """Live mode can't go on; one line says why."""


class LiveMode:
    """See `state.Live`."""

    def __init__(
        self,
        sensors: Sequence[Transport],
        label_streams: Sequence[LabelStream],
        policy: Policy,
        store: Store | None,
        *,
        answer: bool = False,
        window: float = WINDOW,
        maximum: int = MAXIMUM_RECORDS,
    ) -> None:
        self._sensors = list(sensors)
        self._streams = list(label_streams)
        self._store = store
        self._window = window
        self._inbox = Inbox(len(self._sensors) + len(self._streams))
        self._publisher = (
            Publisher(policy.redact, self._sensors, asyncio.get_running_loop()) if answer else None
        )
        self._ended = False
        self._policy = policy
        self._correlator = Correlator(
            self._inbox,
            [transport.connection.url for transport in self._sensors],
            [(stream.name, stream.form, stream.engine) for stream in self._streams],
            policy,
            window=window,
            maximum=maximum,
            store=store,
            answers=self._publisher,
        )

    async def run(self) -> None:
        """Until it is cancelled. Raises LiveError."""
        self._correlator.start()
        if self._store is not None:
            self._store.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                for number, transport in enumerate(self._sensors):
                    tasks.create_task(self._listen(number, transport))
                for number, stream in enumerate(self._streams):
                    tasks.create_task(self._follow(number, stream))
                if self._publisher is not None:
                    tasks.create_task(self._publisher.run())
                tasks.create_task(self._watch())
        finally:
            self._ended = True
            # Awaited in another thread, so that the event loop can close connections meanwhile.
            await asyncio.to_thread(self._correlator.stop)
            if self._store is not None:
                error = await asyncio.to_thread(self._store.close)
                if error is not None:
                    raise LiveError(f"not everything is stored: {error}")
            if self._correlator.failure is not None:
                raise LiveError(f"could not go on: {self._correlator.failure!r}")

    def snapshot(self) -> Snapshot:
        """See Live."""
        now = self._correlator.latest
        figures = now.figures
        losses = losses_of_counts(figures.labelled, self._policy)
        return Snapshot(
            at=now.at,
            since=self._correlator.since,
            window=self._window,
            sessions=now.sessions,
            labels=now.labels,
            matched=figures.matched,
            ambiguous=figures.ambiguous,
            out_of_scope=figures.out_of_scope,
            waiting=now.waiting,
            unlabelled=now.unlabelled,
            unmatched=now.unmatched,
            findings=now.findings,
            tls=now.tls,
            consistent=figures.consistent,
            compatible=figures.compatible,
            inconsistent=figures.inconsistent,
            unexplained=figures.unexplained,
            both_decoded=figures.both_decoded,
            funnel=losses.funnel,
            base=losses.base,
            actions=losses.actions,
            causes=figures.causes,
            matrix=figures.matrix,
            by_sensor=figures.by_sensor,
            by_engine=figures.by_engine,
            timeline=figures.timeline,
            disagreements=now.disagreements,
            delay=now.delay,
            sensors=tuple(map(_sensor, now.sensors, self._sensors)),
            label_sources=tuple(map(_label_source, now.label_sources, self._streams)),
            store=None if self._store is None else self._store.state(),
            answers=None if self._publisher is None else self._publisher.state(),
        )

    async def subscribe(self) -> AsyncIterator[Snapshot]:
        """See Live."""
        while not self._ended:
            seen = self._correlator.latest
            yield self.snapshot()
            while seen is self._correlator.latest and not self._ended:
                await asyncio.sleep(NOTIFY)

    async def stored(self, what: str, search: Search, most: int) -> list[Record] | None:
        """See Live."""
        if self._store is None:
            return None
        try:
            return await asyncio.to_thread(self._store.listed, what, search, most)
        except StoreError:
            return None

    async def _listen(self, number: int, transport: Transport) -> None:
        def receive(frame: bytes) -> None:
            if not self._inbox.put_frame(number, frame, time.monotonic()):
                transport.connection.discarded += 1

        backoff = Backoff()
        while True:
            begun = time.monotonic()
            try:
                await transport.run(receive)
            except Exception as error:  # the other sensors' connections must go on
                transport.connection.closed(_line(error))
            if time.monotonic() - begun > LONGEST_WAIT:
                backoff.reset()
            await backoff.wait()

    async def _follow(self, number: int, stream: LabelStream) -> None:
        backoff = Backoff()
        while True:
            try:
                return await stream.run(self._putter(number))
            except Exception as error:  # as with sensors
                stream.state.closed(_line(error))
            await backoff.wait()

    def _putter(self, number: int) -> Put:
        async def put(lines: list[bytes], position: Position | None) -> None:
            while self._inbox.is_full(number):
                await asyncio.sleep(ROOM)
            self._inbox.put_lines(number, lines, position, time.monotonic())

        return put

    async def _watch(self) -> None:
        """Ends live mode when the correlator can't go on."""
        while self._correlator.failure is None:
            await asyncio.sleep(1)
        raise _CorrelatorError


class _CorrelatorError(Exception):
    """The correlator's thread ended; the error is `Correlator.failure`."""


def _line(error: Exception) -> str:
    """An error's message, in one line."""
    return printable(str(error).partition("\n")[0])[:MAXIMUM_ERROR] or type(error).__name__


def _sensor(state: SensorState, transport: Transport) -> SensorState:
    connection = transport.connection
    return replace(
        state,
        connected=connection.connected,
        since=connection.since,
        error=connection.error or state.error,
        connections=connection.made,
        discarded=connection.discarded,
    )


def _label_source(state: LabelSourceState, stream: LabelStream) -> LabelSourceState:
    return replace(
        state,
        connected=stream.state.connected,
        since=stream.state.since,
        error=stream.state.error or state.error,
    )
