"""Live mode without a network, in a process of its own that can be killed.

Runs on the other end of a pipe: each message is the name of a method of `Client` and its arguments,
and is answered with what the method returns.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mailtap.live.core.correlator import Correlated, Correlator
from mailtap.live.core.inbox import Inbox
from mailtap.live.labels.streams import Position
from mailtap.live.store import writer
from mailtap.live.store.writer import Store
from mailtap.policy import load_policy

#: Bytes up to which files can be written while the disk is full.
FULL_DISK = 1_000

#: The label source whose position in its file is kept; offsets are counted in lines here.
LABELS = "labels"


class Client:
    """A correlator and a store, fed by hand."""

    def __init__(self, folder: Path, sensors: tuple[str, ...], redact: str) -> None:
        policy_file = folder / "policy.yaml"
        policy_file.write_text(f"redact: {redact}\n")
        policy = load_policy(policy_file)
        self._store = Store(folder / "live.duckdb", policy.redact)
        position = self._store.position(LABELS)
        self.labels_read = 0 if position is None else position.offset
        self._inbox = Inbox(len(sensors) + 2)
        self._correlator = Correlator(
            self._inbox,
            sensors,
            [(LABELS, "jsonl", None), ("nonsense", None, None)],
            policy,
            window=600.0,
            maximum=100_000,
            store=self._store,
            answers=None,
        )
        self._correlator.start()
        self._store.start()

    def frames(self, sensor: int, frames: list[bytes]) -> None:
        for one in frames:
            assert self._inbox.put_frame(sensor, one, time.monotonic())

    def labels(self, lines: list[bytes], read: int) -> None:
        """Lines of the label file, of which so many are read with them."""
        self._inbox.put_lines(0, lines, Position(1, 1, read), time.monotonic())

    def nonsense(self, lines: list[bytes]) -> None:
        self._inbox.put_lines(1, lines, None, time.monotonic())

    def disk(self, full: bool) -> None:
        most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_DISK if full else most, most))

    def stored(self) -> int:
        return self._store.state().stored

    def stop(self) -> tuple[Correlated, str | None]:
        """The last state, and what could not be stored."""
        self._correlator.stop()
        assert self._correlator.failure is None
        error = self._store.close()
        return self._correlator._correlated(), error


class Process:
    """A `Client` in a process of its own."""

    def __init__(self, folder: Path, sensors: tuple[str, ...], redact: str) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(
            ["mailtap.live.core.correlator", "mailtap.live.store.writer"]
        )
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_run, args=(other, folder, sensors, redact))
        self._process.start()
        other.close()
        self.labels_read: int = self._pipe.recv()

    def __call__(self, method: str, *arguments: Any) -> Any:
        self._pipe.send((method, arguments))
        return self._pipe.recv()

    def stop(self) -> tuple[Correlated, str | None]:
        stopped: tuple[Correlated, str | None] = self("stop")
        self._process.join()
        return stopped

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


def _run(pipe: Connection, folder: Path, sensors: tuple[str, ...], redact: str) -> None:
    writer.INTERVAL = writer.RETRY = 0.05
    client = Client(folder, sensors, redact)
    pipe.send(client.labels_read)
    while True:
        method, arguments = pipe.recv()
        pipe.send(getattr(client, method)(*arguments))
        if method == "stop":
            return
