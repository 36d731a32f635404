"""Runs NFStream on an interface and prints each flow's label as CSV, when it has been idle for a
while or goes on for long; a program of its own.

Usage: python -m mailtap.live.labels.nfstream_meter INTERFACE
"""

from __future__ import annotations

import csv
import sys
from operator import attrgetter

from mailtap.capture.nfstream_worker import COLUMNS, TCP

#: Seconds without a packet after which a flow's label is printed, and of a flow that goes on.
IDLE = 15
ACTIVE = 120


def main(arguments: list[str]) -> int:
    """Exit status 0 done, 1 could not: standard error says why."""
    (interface,) = arguments
    try:
        from nfstream import NFStreamer
    except ImportError as error:
        sys.stderr.write(f"NFStream isn't there ({error}); pip install 'mailtap[ndpi]'")
        return 1
    try:
        streamer = NFStreamer(
            source=interface, idle_timeout=IDLE, active_timeout=ACTIVE, n_meters=1
        )
        row = attrgetter(*COLUMNS)
        writer = csv.writer(sys.stdout)
        writer.writerow(COLUMNS)
        for flow in streamer:
            if flow.protocol == TCP:
                writer.writerow(row(flow))
                sys.stdout.flush()
    except Exception as error:  # a third party's code: whatever goes wrong there ends as one line
        sys.stderr.write(f"NFStream failed: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
