"""A capture as a stream: classic pcap, microseconds."""

from __future__ import annotations

import struct
from typing import IO

from mailtap.capture.reader import Header

MAGIC = 0xA1B2C3D4
SNAPSHOT_LENGTH = 262144


class StreamWriter:
    """Writes packets of one link type."""

    def __init__(self, file: IO[bytes], link_type: int) -> None:
        """Write the file header."""
        self.link_type = link_type
        self._file = file
        self._record = struct.Struct("=IIII")
        file.write(struct.pack("=IHHiIII", MAGIC, 2, 4, 0, 0, SNAPSHOT_LENGTH, link_type))

    def write(self, header: Header, data: bytes) -> None:
        """Write a packet, of which `data` was captured."""
        seconds, microseconds = divmod(round(header.ts * 1e6), 1_000_000)
        self._file.write(
            self._record.pack(seconds & 0xFFFFFFFF, microseconds, len(data), header.len) + data
        )
