"""Files of lines: plain, gzip, xz or Zstandard; whole, cut off or damaged."""

from __future__ import annotations

import gzip
import lzma
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from mailtap.printable import printable
from mailtap.records.zstandard import zstd

#: A longer line is passed over and counted as malformed. Syslog's are a few kilobytes at most.
MAXIMUM_LINE = 1 << 16

HEAD_BYTES = 1 << 16

#: What reading compressed data raises where the data is cut off or damaged.
DAMAGE = (EOFError, zlib.error, lzma.LZMAError, zstd.ZstdError, gzip.BadGzipFile)


class UnreadableLogError(Exception):
    """A log that can't be read at all; the message is one line that names it."""


def open_log(path: Path) -> BinaryIO:
    """The file's bytes, uncompressed. Raises UnreadableLogError."""
    named = printable(str(path))
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a directory" if path.is_dir() else "not a regular file"
            raise UnreadableLogError(f"{named}: is {kind}")
        stream = path.open("rb")
    except OSError as error:
        raise UnreadableLogError(f"{named}: {error.strerror}") from None
    magic = stream.read(6)
    stream.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    if magic.startswith(b"\xfd7zXZ\x00"):
        return cast(BinaryIO, lzma.LZMAFile(stream))
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        return cast(BinaryIO, zstd.ZstdFile(stream))
    return stream


def lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """The lines with their numbers from 1, without line ends; None for one that is too long."""
    number = 0
    while raw := stream.readline(MAXIMUM_LINE + 1):
        number += 1
        if len(raw) <= MAXIMUM_LINE:
            yield number, raw.rstrip(b"\r\n")
            continue
        while raw and not raw.endswith(b"\n"):
            raw = stream.readline(MAXIMUM_LINE)
        yield number, None
