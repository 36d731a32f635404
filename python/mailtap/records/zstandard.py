"""Zstandard: the library, by the name that this Python has for it, and whether a file is whole. The
query engine reads a cut-off one without a word.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["beginning", "is_complete", "zstd"]

FRAME_MAGIC = 0xFD2FB528
SKIPPABLE_MAGICS = range(0x184D2A50, 0x184D2A60)
RLE_BLOCK = 1
RESERVED_BLOCK = 3


def is_complete(path: Path) -> bool:
    """Whether each frame of the file ends where the file says (RFC 8878, section 3.1)."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        while stream.tell() < size:
            if not _skip_frame(stream) or stream.tell() > size:
                return False
    return True


def _skip_frame(stream: BinaryIO) -> bool:
    magic = int.from_bytes(stream.read(4), "little")
    if magic in SKIPPABLE_MAGICS:
        length = stream.read(4)
        stream.seek(int.from_bytes(length, "little"), 1)
        return len(length) == 4
    descriptor = stream.read(1)
    if magic != FRAME_MAGIC or not descriptor:
        return False
    single_segment = descriptor[0] >> 5 & 1
    window = 0 if single_segment else 1
    dictionary = (0, 1, 2, 4)[descriptor[0] & 3]
    content_size = (single_segment, 2, 4, 8)[descriptor[0] >> 6]
    stream.seek(window + dictionary + content_size, 1)
    last = False
    while not last:
        header = stream.read(3)
        if len(header) < 3:
            return False
        block = int.from_bytes(header, "little")
        last = bool(block & 1)
        kind = block >> 1 & 3
        if kind == RESERVED_BLOCK:
            return False
        stream.seek(1 if kind == RLE_BLOCK else block >> 3, 1)
    checksum = 4 if descriptor[0] & 4 else 0
    stream.seek(checksum, 1)
    return True


def beginning(data: bytes, most: int) -> bytes:
    """Up to `most` bytes of what a file that begins with `data` holds; none where it is damaged."""
    try:
        return zstd.ZstdDecompressor().decompress(data, most)
    except zstd.ZstdError:
        return b""
