"""The real clients: a root with their packages, in the network of the laboratory's own process."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from lab import packages
from lab.isolation import RESOLVER, Root, make_root

NAME = "clients"
PROGRAMS = {
    "swaks": (
        *("swaks", "libnet-ssleay-perl", "libio-socket-inet6-perl"),
        *("libdigest-hmac-perl", "libauthen-sasl-perl"),
    ),
    "msmtp": ("msmtp",),
    "s-nail": ("s-nail",),
    "mutt": ("mutt",),
    "curl": ("curl",),
    "fetchmail": ("fetchmail",),
    "getmail": ("getmail6",),
    "mbsync": ("isync",),
    "openssl": ("openssl",),
}
"""Client programs and their packages."""


def folder(program: str) -> str:
    """Where a program's packages are downloaded to, below the folder of all downloads."""
    return f"{NAME}-{program}"


SECONDS = 20
USER = 971
"""Who runs the clients: some refuse to be run by root."""


class ClientError(Exception):
    """A client that ended otherwise than its scenario says, with what it wrote."""


class ClientHangsError(ClientError):
    """A client that doesn't end."""


class Clients:
    """Runs client programs."""

    def __init__(self, roots: Path, downloads: Path, hosts: str) -> None:
        self.root: Root = make_root(roots, NAME)
        self.root.user("reader", USER)
        self.root.file("/etc/hosts", hosts)
        self.root.file("/etc/resolv.conf", RESOLVER)
        self.versions: dict[str, str] = {}
        """Of the programs that are there."""
        self.left_out: list[str] = []
        for program, wanted in PROGRAMS.items():
            try:
                files = packages.downloaded(downloads / folder(program))
            except packages.PackagesError as missing:
                self.left_out.append(f"{program} is left out: {missing}")
                continue
            packages.unpack(files, self.root)
            self.versions[program] = packages.version(files, wanted[0])

    def has(self, client: str) -> bool:
        """Whether a scenario's client is there: a program, or one that is no package."""
        return client in self.versions or client not in PROGRAMS

    def _inside(self, home: str, command: Sequence[str]) -> list[str]:
        self.own_folder(home)
        place = str(self.root.path)
        user = f"--userspec={USER}:{USER}"
        return ["chroot", user, place, "env", *ENVIRONMENT, f"HOME={home}", *command]

    def own_folder(self, name: str) -> None:
        """Make a folder of the user that runs the clients."""
        self.root.folder(name, USER, USER, 0o700)

    def file(self, name: str, text: str) -> None:
        """Write a file of that user."""
        os.chown(self.root.file(name, text, 0o600), USER, USER)

    def run(
        self, home: str, *command: str, text: str | bytes = "", status: tuple[int, ...] = (0,)
    ) -> str:
        """Run a program to its end, with `text` as its input, and give its output.

        Raises:
            ClientError: it doesn't end, or its exit status is none of `status`.
        """
        try:
            done = subprocess.run(
                self._inside(home, command),
                input=text.encode() if isinstance(text, str) else text,
                capture_output=True,
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired as slow:
            raise ClientHangsError(
                f"{command[0]} doesn't end: {slow.stdout!r} {slow.stderr!r}"
            ) from None
        output = (done.stdout + done.stderr).decode("utf-8", "replace")
        if done.returncode not in status:
            raise ClientError(f"{command[0]} ended with {done.returncode}: {output[-600:]}")
        return output

    def run_in_terminal(self, home: str, *command: str) -> None:
        """Run a program that wants a terminal, to its end.

        Raises:
            ClientError: it doesn't end.
        """
        main, inner = pty.openpty()
        termios.tcsetwinsize(inner, (24, 80))  # ncurses opens no terminal without a size
        process = subprocess.Popen(
            self._inside(home, ["TERM=vt100", *command]),
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
            raise ClientError(f"{command[0]} doesn't end: {shown[-400:]!r}") from None


ENVIRONMENT = (
    "-i",
    "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG=C.UTF-8",
    "USER=reader",
    "LOGNAME=reader",
)
