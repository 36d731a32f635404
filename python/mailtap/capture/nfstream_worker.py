"""Runs NFStream on captures and writes its flows' labels as CSV; a program of its own.

Usage: nfstream_worker.py OUTPUT CAPTURE...
"""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import tempfile
from operator import attrgetter
from pathlib import Path

COLUMNS = (
    "src_ip",
    "src_port",
    "dst_ip",
    "dst_port",
    "protocol",
    "bidirectional_first_seen_ms",
    "bidirectional_last_seen_ms",
    "bidirectional_packets",
    "src2dst_packets",
    "dst2src_packets",
    "application_name",
    "application_category_name",
    "application_is_guessed",
    "application_confidence",
    "requested_server_name",
)
TCP = 6
IDLE_SECONDS = 300  # a flow lasts as long as a session of Zeek's
NEVER_SECONDS = 10 * 365 * 24 * 3600
GZIP_MAGIC = b"\x1f\x8b"
INFLATE = Path(__file__).with_name("inflate.py")


def main(arguments: list[str]) -> int:
    """Exit status 0 done, 1 could not: standard error says why."""
    output, *captures = map(Path, arguments)
    try:
        from nfstream import NFStreamer
    except ImportError as error:
        sys.stderr.write(f"NFStream isn't there ({error}); pip install 'mailtap[ndpi]'")
        return 1
    try:
        with tempfile.TemporaryDirectory(dir=output.parent) as folder:
            plain = [str(_plain(capture, Path(folder))) for capture in captures]
            signal.signal(signal.SIGCHLD, _check_meter)
            streamer = NFStreamer(
                source=plain,
                idle_timeout=IDLE_SECONDS,
                active_timeout=NEVER_SECONDS,
                n_meters=1,
            )
            row = attrgetter(*COLUMNS)
            with output.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(COLUMNS)
                writer.writerows(row(flow) for flow in streamer if flow.protocol == TCP)
    except Exception as error:  # a third party's code: whatever goes wrong there ends as one line
        sys.stderr.write(f"NFStream failed: {error}")
        return 1
    return 0


def _plain(capture: Path, folder: Path) -> Path:
    """The capture as NFStream can read it: decompressed, as far as that goes."""
    with capture.open("rb", buffering=0) as file:
        if file.read(len(GZIP_MAGIC)) != GZIP_MAGIC:
            return capture
        file.seek(0)
        descriptor, plain = tempfile.mkstemp(dir=folder)
        with os.fdopen(descriptor, "wb") as target:
            subprocess.run(
                [sys.executable, "-I", "-S", INFLATE],
                stdin=file,
                stdout=target,
                stderr=subprocess.DEVNULL,
                check=False,
            )
    return Path(plain)


def _check_meter(_signal: int, _frame: object) -> None:
    """NFStream waits forever for a metering process that has crashed: don't."""
    ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if ended is not None and ended.si_status not in (0, signal.SIGTERM):
        raise ChildProcessError("its metering process crashed on this capture")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
