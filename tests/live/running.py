"""Live mode running in a test's event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mailtap.live.labels.streams import FileStream, LabelStream
from mailtap.live.live_mode import LiveMode
from mailtap.live.sensors.transport import Transport
from mailtap.live.sensors.websocket import WebSocketTransport
from mailtap.live.state import Snapshot
from mailtap.live.store.writer import Store
from mailtap.policy import load_policy

#: Seconds for what should take much less.
PATIENCE = 30.0


@asynccontextmanager
async def running(
    urls: Sequence[str | Transport],
    labels: Sequence[Path | LabelStream] = (),
    store: Path | None = None,
    policy_file: Path | None = None,
    **options: Any,
) -> AsyncIterator[LiveMode]:
    policy = load_policy(policy_file)
    kept = None if store is None else Store(store, policy.redact)
    transports = [WebSocketTransport(url) if isinstance(url, str) else url for url in urls]
    streams = [
        FileStream(source, None, kept.position(str(source)) if kept else None)
        if isinstance(source, Path)
        else source
        for source in labels
    ]
    mode = LiveMode(transports, streams, policy, kept, **options)
    task = asyncio.create_task(mode.run())
    try:
        yield mode
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(
    mode: LiveMode, condition: Callable[[Snapshot], bool], patience: float = PATIENCE
) -> Snapshot:
    """The first state of which the condition holds."""
    try:
        async with asyncio.timeout(patience):
            async for state in mode.subscribe():
                if condition(state):
                    return state
    except TimeoutError:
        raise AssertionError(f"never came true; the last state: {mode.snapshot()}") from None
    raise AssertionError("live mode ended")


def append(path: Path, records: Iterable[dict[str, Any]]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
