"""A virtual cable: two interfaces, and what is sent into one is seen on the other."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest


class Cable(NamedTuple):
    """The names of the two interfaces."""

    sending: str
    tapped: str


@contextmanager
def virtual_cable() -> Iterator[Cable]:
    """Skips the test where no interfaces can be made."""
    cable = Cable(f"mt{os.getpid()}a", f"mt{os.getpid()}b")
    ip = [shutil.which("ip") or "false", "link"]
    added = subprocess.run(
        [*ip, "add", cable.sending, "type", "veth", "peer", "name", cable.tapped],
        capture_output=True,
    )
    if added.returncode != 0:
        pytest.skip(
            "virtual interfaces take CAP_NET_ADMIN (root), and ip: apt-get install iproute2"
        )
    try:
        for name in cable:
            subprocess.run([*ip, "set", name, "mtu", "9000", "up"], check=True)
        yield cable
    finally:
        subprocess.run([*ip, "del", cable.sending], check=True)


def listening(interface: str) -> int:
    """Sockets whose ring takes the packets of an interface.

    libpcap binds a socket first, and what comes before the socket has its ring is lost; the ring is
    there once a process has mapped it.
    """
    index = str(socket.if_nametoindex(interface))
    sockets = (line.split() for line in Path("/proc/net/packet").read_text().splitlines()[1:])
    bound = {f"socket:[{fields[8]}]" for fields in sockets if fields[4] == index}
    return len(bound & _mapped_sockets()) if bound else 0


def _mapped_sockets() -> set[str]:
    mapped = set()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):  # the process has ended
            mapped |= {
                line.split()[-1] for line in maps.read_text().splitlines() if "socket:" in line
            }
    return mapped


def segment(client_port: int, payload: bytes, *, to_server: bool = True) -> bytes:
    """An Ethernet frame with a TCP segment between a client and port 25 of a server."""
    ends = [(b"\x0a\x00\x00\x01", client_port), (b"\xc0\x00\x02\x19", 25)]
    (source, source_port), (target, target_port) = ends if to_server else reversed(ends)
    tcp = struct.pack("!HHIIBBHHH", source_port, target_port, 1, 1, 5 << 4, 0x18, 65_535, 0, 0)
    length = 20 + len(tcp) + len(payload)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, length, 0, 0, 64, 6, 0) + source + target
    return b"\x02" * 6 + b"\x04" * 6 + b"\x08\x00" + ip + tcp + payload


def send(interface: str, *frames: bytes) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as cable:
        cable.bind((interface, 0))
        for one in frames:
            cable.send(one)
