"""When the kernel had a packet or a datagram, which busy readers get to see later."""

from __future__ import annotations

import socket
import struct

SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@ll")
_LARGEST = 65536


def stamp(receiver: socket.socket) -> None:
    """Have the kernel note the time of each arrival, in seconds since the epoch."""
    receiver.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def receive(receiver: socket.socket) -> tuple[float, bytes]:
    """Wait for the next one, and give its time of arrival and its bytes."""
    data, notes, _, _ = receiver.recvmsg(_LARGEST, socket.CMSG_SPACE(_TIMESPEC.size))
    (at,) = (
        note for level, kind, note in notes if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS)
    )
    seconds, nanoseconds = _TIMESPEC.unpack(at)
    return seconds + nanoseconds / 1e9, data
