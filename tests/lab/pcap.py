"""Capture files in the classic format, Ethernet, microseconds."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

HEADER = struct.Struct("<IHHiIII")
RECORD = struct.Struct("<IIII")
MAGIC, ETHERNET, SNAPLEN = 0xA1B2C3D4, 1, 262144


def write(path: Path, frames: Iterable[tuple[float, bytes]]) -> None:
    """Write frames with their times in seconds."""
    with path.open("wb") as file:
        file.write(HEADER.pack(MAGIC, 2, 4, 0, 0, SNAPLEN, ETHERNET))
        for time, data in frames:
            seconds, micros = divmod(round(time * 1_000_000), 1_000_000)
            file.write(RECORD.pack(seconds, micros, len(data), len(data)) + data)


def read(path: Path) -> list[tuple[float, bytes]]:
    """The frames of a file that `write` wrote."""
    data = path.read_bytes()
    frames = []
    at = HEADER.size
    while at < len(data):
        seconds, micros, length, _ = RECORD.unpack_from(data, at)
        at += RECORD.size
        frames.append((seconds + micros / 1_000_000, data[at : at + length]))
        at += length
    return frames
