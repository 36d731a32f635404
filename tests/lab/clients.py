"""The real clients: a root with their packages, in the network of the laboratory's own process."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from pathlib import Path

from lab import packages
from lab.isolation import Root, make_root

NAME = "clients"
PACKAGES = (
    *("swaks", "msmtp", "s-nail", "mutt", "curl", "fetchmail", "getmail6", "isync", "openssl"),
    *("libnet-ssleay-perl", "libio-socket-inet6-perl", "libdigest-hmac-perl", "libauthen-sasl-perl"),
)
SECONDS = 30


class ClientFailed(Exception):
    """A client that ended otherwise than its scenario says, with what it wrote."""


class Clients:
    """Runs client programs."""

    def __init__(self, folder: Path, downloads: Path, hosts: str) -> None:
        files = packages.downloaded(downloads / NAME)
        self.root: Root = make_root(folder, NAME)
        packages.unpack(files, self.root)
        self.root.file("/etc/hosts", hosts)
        self.root.file("/etc/resolv.conf", "nameserver 127.0.0.1\n")
        self.root.folder("/root/lab", mode=0o700)
        self.versions = {
            name: packages.version(files, name) for name in PACKAGES if not name.startswith("lib")
        }

    def run(self, *command: str, text: str | bytes = "", status: tuple[int, ...] = (0,)) -> str:
        """Run a program to its end, with `text` as its input, and give its output.

        Raises:
            ClientFailed: its exit status is none of `status`.
        """
        done = subprocess.run(
            ["chroot", str(self.root.path), "env", *ENVIRONMENT, *command],
            input=text.encode() if isinstance(text, str) else text,
            capture_output=True,
            timeout=SECONDS,
        )
        output = (done.stdout + done.stderr).decode("utf-8", "replace")
        if done.returncode not in status:
            raise ClientFailed(f"{command[0]} ended with {done.returncode}: {output[-600:]}")
        return output

    def run_in_terminal(self, *command: str) -> None:
        """Run a program that wants a terminal, to its end.

        Raises:
            ClientFailed: it doesn't end.
        """
        main, inner = pty.openpty()
        process = subprocess.Popen(
            ["chroot", str(self.root.path), "env", *ENVIRONMENT, "TERM=vt100", *command],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)
        shown = b""
        deadline = time.monotonic() + SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if select.select([main], [], [], 0.1)[0]:
                try:
                    shown += os.read(main, 4096)
                except OSError:  # the other end is closed
                    break
        os.close(main)
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            raise ClientFailed(f"{command[0]} doesn't end: {shown[-400:]!r}") from None


ENVIRONMENT = ("-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root/lab", "LANG=C.UTF-8", "USER=root", "LOGNAME=root")
