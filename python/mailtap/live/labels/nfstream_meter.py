"""Runs NFStream on an interface and prints each flow's label as CSV, when it has been idle for a
while or goes on for long; a program of its own. SIGTERM ends it with the labels of all its flows.

Usage: python -m mailtap.live.labels.nfstream_meter INTERFACE
"""

from __future__ import annotations

import csv
import multiprocessing
import os
import signal
import socket
import sys
from operator import attrgetter

from mailtap.capture.nfstream_worker import COLUMNS, TCP

#: Seconds without a packet after which a flow's label is printed, and of a flow that goes on.
IDLE = 15
ACTIVE = 120


def main(arguments: list[str]) -> int:
    """Exit status 0 done, 1 could not: standard error says why."""
    (interface,) = arguments
    trouble = _trouble(interface)
    if trouble is not None:
        sys.stderr.write(trouble)
        return 1
    try:
        from nfstream import NFStreamer

        from mailtap.live.labels.nfstream_clock import run_by_clock

        run_by_clock()
    except (ImportError, AttributeError) as error:
        sys.stderr.write(f"NFStream isn't there ({error}); pip install 'mailtap[ndpi]'")
        return 1
    try:
        streamer = NFStreamer(
            source=interface, idle_timeout=IDLE, active_timeout=ACTIVE, n_meters=1
        )
        row = attrgetter(*COLUMNS)
        writer = csv.writer(sys.stdout)
        writer.writerow(COLUMNS)
        sys.stdout.flush()
        _end_with_all_flows()
        for flow in streamer:
            if flow.protocol == TCP:
                writer.writerow(row(flow))
                sys.stdout.flush()
    except Exception as error:  # a third party's code: whatever goes wrong there ends as one line
        sys.stderr.write(f"NFStream failed: {error}")
        return 1
    return 0


def _trouble(interface: str) -> str | None:
    """Why packets of the interface can't be had, in a line that says what to do."""
    if interface not in (name for _, name in socket.if_nameindex()):
        return f"there is no interface {interface}"
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    except PermissionError:
        return (
            "packets can't be captured without the right CAP_NET_RAW: run it as root, or with "
            "AmbientCapabilities=CAP_NET_RAW in its systemd unit"
        )
    except OSError as error:
        return f"packets can't be captured: {error.strerror}"
    return None


def _end_with_all_flows() -> None:
    """On SIGTERM the metering process exports its flows; this one prints them, and ends then."""
    own = os.getpid()

    def end(*_: object) -> None:
        if os.getpid() == own:  # the metering process inherits the handler until it has its own
            for process in multiprocessing.active_children():
                process.terminate()

    signal.signal(signal.SIGTERM, end)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
