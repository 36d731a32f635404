"""Live mode as a service: built from the command's options, run until a signal."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from mailtap.files import StandardInputError, check_standard_input
from mailtap.labels.detect import split_engine
from mailtap.live import status
from mailtap.live.gathering import event_loop
from mailtap.live.labels.streams import SourceTextError, label_stream
from mailtap.live.live_mode import LiveError, LiveMode
from mailtap.live.page.access import PageError, listener, read_token
from mailtap.live.page.server import serve
from mailtap.live.sensors.transport import SensorError, Tls
from mailtap.live.sensors.url import transport
from mailtap.live.store.schema import StoreError
from mailtap.live.store.writer import Store
from mailtap.policy import PolicyError, load_policy

#: Objects allocated before Python's cyclic garbage collector runs over the youngest generation. A
#: batch allocates many, none of them in reference cycles.
COLLECT_AFTER = 200_000

#: Seconds between states on a terminal, and between lines elsewhere. A line is printed at once when
#: the list of troubles changes.
REDRAW = 0.5
LINE = 10.0

#: Errors that keep the service from starting, or end it; the message of each is one line.
ERRORS = (
    *(PolicyError, StandardInputError, StoreError),
    *(SourceTextError, SensorError, LiveError, PageError),
)

#: The umask: only the owner may read what live mode writes, since the store has addresses in it.
OWN_FILES = 0o077


def run(
    sensors: Sequence[str],
    labels: Sequence[str],
    *,
    store: Path | None,
    listen: str | None,
    token_file: Path | None,
    policy_file: Path | None,
    answer: bool,
    tls: Tls,
) -> None:
    """Until SIGINT or SIGTERM. Raises one of ERRORS."""
    gc.set_threshold(COLLECT_AFTER)
    os.umask(OWN_FILES)
    check_standard_input([policy_file, *map(_label_path, labels)])
    policy = load_policy(policy_file)
    transports = [transport(url, tls) for url in sensors]
    token = None if token_file is None else read_token(token_file)
    listening = None if listen is None else listener(listen, token)
    kept = None if store is None else Store(store, policy.redact)
    streams = [
        label_stream(text, (lambda _: None) if kept is None else kept.position) for text in labels
    ]

    async def work() -> None:
        mode = LiveMode(transports, streams, policy, kept, answer=answer)
        await _run(mode, listening, token)

    with asyncio.Runner(loop_factory=event_loop) as runner:
        runner.run(_until_signal(work()))


def _label_path(text: str) -> Path:
    return Path(split_engine(text)[1].partition(":")[0])


async def _run(mode: LiveMode, listening: socket.socket | None, token: str | None) -> None:
    failures: list[BaseException] = []
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(mode.run())
            tasks.create_task(_show(mode))
            if listening is not None:
                tasks.create_task(serve(mode, listening, token))
    except* LiveError as group:
        failures.extend(group.exceptions)
    # Not within except*: Python before 3.11.4 puts what is raised there into a group.
    if failures:
        raise failures[0]


async def _until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Does the work until SIGINT or SIGTERM, and lets it end. A second signal ends the process at
    once, with what is not stored yet.
    """
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()

    def end() -> None:
        if task.cancelling():
            click.echo("Error: stopped before everything was stored", err=True)
            os._exit(1)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    try:
        await task
    except asyncio.CancelledError:
        return


async def _show(mode: LiveMode) -> None:
    """The state on the terminal, or a line every few seconds on standard output. Ends when standard
    output is closed.
    """
    with suppress(OSError):
        await _show_state(mode)


async def _show_state(mode: LiveMode) -> None:
    console = Console()
    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as display:
            async for state in mode.subscribe():
                display.update(status.screen(state), refresh=True)
                await asyncio.sleep(REDRAW)
    else:
        latest, troubles = -LINE, None
        async for state in mode.subscribe():
            if time.monotonic() - latest >= LINE or status.troubles(state) != troubles:
                latest, troubles = time.monotonic(), status.troubles(state)
                click.echo(status.line(state))
            await asyncio.sleep(REDRAW)
