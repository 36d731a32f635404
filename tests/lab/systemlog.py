"""The system log of one root: what its servers write to /dev/log."""

from __future__ import annotations

import re
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path

from lab.arrival import receive, stamp
from lab.isolation import Root

# RFC 3164: priority and time, which say nothing here.
HEADER = re.compile(r"^<\d+>(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d )?")


class SystemLog:
    """Collects the lines, oldest first, and the times at which they came (epoch seconds)."""

    def __init__(self, root: Root) -> None:
        self.lines: list[str] = []
        self.times: list[float] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        place = root.path / "dev/log"
        stamp(self._socket)
        self._socket.bind(str(place))
        place.chmod(0o666)
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self) -> None:
        while True:
            at, line = receive(self._socket)
            self.times.append(at)
            self.lines.append(HEADER.sub("", line.decode("utf-8", "replace").rstrip("\0\n")))


def dated(time_of_line: float, host: str, text: str) -> str:
    """A line as a log server writes it."""
    return f"{datetime.fromtimestamp(time_of_line, UTC).isoformat()} {host} {text}"


def read_lines(path: Path) -> list[str]:
    """The lines of a log file; none where it isn't there yet."""
    return path.read_text("utf-8", "replace").splitlines() if path.exists() else []
