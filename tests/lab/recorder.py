"""Records the packets of a server's cable."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass

from lab.arrival import receive, stamp

ETH_P_ALL = 3
BUFFER = 64 << 20
SO_RCVBUFFORCE = 33


@dataclass(frozen=True)
class Frame:
    """An Ethernet frame and the time when it passed, in seconds since the epoch."""

    time: float
    data: bytes


class Recorder:
    """Keeps all frames on an interface."""

    def __init__(self, interface: str) -> None:
        self.frames: list[Frame] = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        stamp(self._socket)
        self._socket.bind((interface, 0))
        threading.Thread(target=self._record, daemon=True).start()

    def _record(self) -> None:
        while True:
            self.frames.append(Frame(*receive(self._socket)))
