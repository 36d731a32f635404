"""Has NFStream look at the time also when no packet comes, and end with all its flows on SIGTERM.

NFStream's metering process waits for the next packet, and ends flows by the packets' times only:
on an interface that falls silent the last flows would never be exported, and with the process they
would be lost. It asks its engine for each packet; here it gets an engine that answers "only time
has passed" when there is no packet, and "the capture is at its end" after SIGTERM. Both are answers
that it knows (`nfstream.meter.meter_workflow`).
"""

from __future__ import annotations

import os
import select
import signal
import socket
import stat
import time
from pathlib import Path
from typing import Any

#: Answers of `capture_next`.
TIME_ONLY, END = 2, -2

#: Seconds that are waited for a packet.
WAIT = 0.25

#: Seconds by which time lags behind the clock: packets that are on their way are not late then.
LAG = 1.0

#: Seconds after SIGTERM in which packets are still taken: the kernel hands them over in blocks,
#: each after a second at the latest.
DRAIN = 1.5


def run_by_clock() -> None:
    """Changes NFStream for this process and those that it forks. Raises AttributeError or
    ImportError where NFStream is not as it is expected to be.
    """
    from nfstream import meter

    create_engine = meter.create_engine

    def create_engine_with_clock() -> tuple[Any, Any]:
        ffi, lib = create_engine()
        return ffi, None if lib is None else _Engine(lib)

    meter.create_engine = create_engine_with_clock
    meter.activate_capture = _activating(meter.activate_capture)


def _activating(activate_capture: Any) -> Any:
    def activate(capture: Any, lib: _Engine, *arguments: Any) -> Any:
        activated = activate_capture(capture, lib, *arguments)
        if activated:
            lib.capture_is_there()
        return activated

    return activate


class _Engine:
    """NFStream's engine in the metering process."""

    def __init__(self, lib: Any) -> None:
        self._lib = lib
        self._poll = select.poll()
        self._ends: float | None = None
        signal.signal(signal.SIGTERM, self._end)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lib, name)

    def capture_is_there(self) -> None:
        for descriptor in packet_sockets():
            self._poll.register(descriptor, select.POLLIN)

    def capture_next(self, capture: Any, packet: Any, *arguments: Any) -> int:
        """The next packet, or the time."""
        if self._ends is not None and time.monotonic() > self._ends:
            return END
        if self._poll.poll(WAIT * 1000):
            taken: int = self._lib.capture_next(capture, packet, *arguments)
            return taken
        packet.time = int((time.time() - LAG) * 1000)
        return TIME_ONLY

    def _end(self, *_: object) -> None:
        self._ends = time.monotonic() + DRAIN


def packet_sockets() -> list[int]:
    """The descriptors of this process that packets of an interface come from."""
    found = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 -- numbers, no paths
        descriptor = int(name)
        try:
            if not stat.S_ISSOCK(Path(f"/proc/self/fd/{name}").stat().st_mode):
                continue
            with socket.socket(fileno=os.dup(descriptor)) as one:
                if one.family == socket.AF_PACKET:
                    found.append(descriptor)
        except OSError:
            continue
    return found
