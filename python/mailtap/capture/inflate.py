"""Decompresses gzip from standard input to standard output; a program of its own.

While libpcap opens a capture nothing else of the process runs (cypcap holds Python's lock), so
that a thread of it could not feed it.
"""

from __future__ import annotations

import gzip
import signal
import sys
import zlib

BLOCK = 16 * 1024  # what at most is lost before the place of damage


def main() -> int:
    """Exit status 0 done, 1 damaged: standard error says why."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly when the reader has had enough
    try:
        with gzip.GzipFile(fileobj=sys.stdin.buffer) as content:
            while block := content.read1(BLOCK):
                sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
    except (OSError, EOFError, zlib.error) as error:
        sys.stderr.write(f"damaged gzip data: {error}".lower())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
