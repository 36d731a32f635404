"""Capture files: classic pcap, microseconds, Ethernet."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import BinaryIO

ETHERNET = 1
SNAPSHOT_LENGTH = 262144


def write_pcap(file: BinaryIO, frames: Iterable[tuple[int, bytes, bytes]]) -> None:
    """Writes frames of (microseconds since the epoch, headers, payload)."""
    file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAPSHOT_LENGTH, ETHERNET))
    record = struct.Struct("<IIII")
    for time, header, payload in frames:
        seconds, microseconds = divmod(time, 1_000_000)
        length = len(header) + len(payload)
        file.write(b"".join((record.pack(seconds, microseconds, length, length), header, payload)))
