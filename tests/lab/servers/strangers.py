"""What isn't mail, on mail ports: SSH, HTTP, FTP, a line protocol of no name, and random bytes."""

from __future__ import annotations

import sys
from typing import ClassVar

from lab.servers.base import Server

PROGRAM = """
import random, socket, threading

def answer(connection, first, replies):
    with connection:
        connection.sendall(first)
        for reply in replies:
            if not connection.recv(4096):
                return
            connection.sendall(reply)

junk = random.Random(7).randbytes(400)
SERVICES = {
    25: (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\\r\\n", [junk]),
    110: (b"", [b"HTTP/1.1 200 OK\\r\\nContent-Length: 12\\r\\n\\r\\n<p>hello</p>"]),
    143: (b"", [junk, junk[:100]]),
    587: (
        b"220 files.lab.test FTP server ready\\r\\n",
        [b"331 Password required\\r\\n", b"230 Logged in\\r\\n", b"221 Bye\\r\\n"],
    ),
    2525: (b"* hello world\\r\\n", [b"ok 1\\r\\n", b"ok 2\\r\\n"]),
}

def serve(port, first, replies):
    listener = socket.create_server(("0.0.0.0", port))
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection, first, replies), daemon=True).start()

for port, (first, replies) in SERVICES.items():
    threading.Thread(target=serve, args=(port, first, replies)).start()
"""


class Strangers(Server):
    """Not mail."""

    name = "not-mail"
    packages = ()
    ports: ClassVar[dict[int, str]] = {
        25: "ssh",
        110: "http",
        143: "junk",
        587: "ftp",
        2525: "lines",
    }

    def configure(self) -> None:
        pass

    def start(self) -> None:
        self.spawn(sys.executable, "-c", PROGRAM)
