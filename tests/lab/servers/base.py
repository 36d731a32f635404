"""What all servers have in common: packages, a root, a network, processes and logs."""

from __future__ import annotations

import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from lab.accounts import DOMAIN
from lab.isolation import Network, Root, in_network
from lab.recorder import Recorder
from lab.systemlog import SystemLog, dated
from lab.waiting import until

SECONDS_TO_START = 30
ACCEPTOR = """
import socket, subprocess, sys
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
while True:
    connection, _ = listener.accept()
    subprocess.Popen(sys.argv[2:], stdin=connection, stdout=connection)
    connection.close()
"""


class ServerError(Exception):
    """A server that doesn't start or doesn't answer, with its log."""


@dataclass(frozen=True)
class Join:
    """What finds a session in a log."""

    port: int
    """The client's."""
    number: int
    """Its place among all sessions with the server, for logs without ports."""


@dataclass(frozen=True)
class LogFacts:
    """What a server's log says of one client port. None: the log doesn't say."""

    mailfrom: tuple[str, ...] | None = None
    rcptto: tuple[str, ...] | None = None
    """Recipients that the server took."""
    user: str | None = None
    auth_result: str | None = None
    messages: int | None = None
    verbs: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Commands by verb: taken, and all."""
    helo: str | None = None
    tls: bool | None = None
    lines: tuple[str, ...] = ()


class Server(ABC):
    """One server software with its configuration for the laboratory."""

    name: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]
    ports: ClassVar[dict[int, str]]
    """Ports and what is served there: smtp, lmtp, pop3, imap, with an s behind for implicit TLS.

    The first port of a service is where scenarios go.
    """
    six: ClassVar[bool] = True
    """Whether it listens on IPv6, too."""
    inbox: ClassVar[str] = ""
    """What stands before the names of mailboxes but INBOX."""
    features: ClassVar[frozenset[str]] = frozenset()
    """What scenarios may need: extensions, and `policy` for the refusals of addresses."""

    def __init__(self, root: Root, network: Network, certificate: Path) -> None:
        self.root = root
        self.network = network
        self.version = "unknown"
        self.certificate = certificate
        self.syslog = SystemLog(root)
        self.recorder = Recorder(network.link)
        self.output: list[str] = []
        self.processes: list[subprocess.Popen[str]] = []

    @property
    def host(self) -> str:
        """The server's name."""
        return f"{self.name}.{DOMAIN}"

    def port_of(self, service: str) -> int | None:
        """The port of a service, if there is one."""
        return next((port for port, served in self.ports.items() if served == service), None)

    @abstractmethod
    def configure(self) -> None:
        """Write users, configuration and spool into the root."""

    @abstractmethod
    def start(self) -> None:
        """Start the processes."""

    def log_facts(self, join: Join) -> LogFacts:  # noqa: ARG002
        """What the log says of a session. Nothing, where the log isn't read."""
        return LogFacts()

    def fill(self) -> None:  # noqa: B027
        """Put messages into the mailboxes of the running server, where `configure` couldn't."""

    def log(self) -> list[str]:
        """The lines of the server's own log."""
        return self.syslog.lines

    def dated_log(self) -> list[str]:
        """The same lines as a log server writes them, with times and the server's name."""
        lines = zip(self.syslog.times, self.syslog.lines, strict=False)  # more may come meanwhile
        return [dated(at, self.name, line) for at, line in lines]

    def relay(self, sender: str, recipient: str, message: str) -> None:
        """Have the server send a message on, as an SMTP client.

        Raises:
            NotImplementedError: it is no SMTP server.
        """
        raise NotImplementedError(self.name)

    def command(self, *command: str, text: str = "") -> str:
        """Run a program inside to its end, with `text` as its input, and give its output."""
        done = subprocess.run(
            [*in_network(self.network, self.root), *command],
            capture_output=True,
            text=True,
            input=text,
        )
        if done.returncode != 0:
            raise ServerError(f"{self.name}: {' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def spawn(self, *command: str) -> None:
        """Start a program inside that stays in the foreground."""
        process = subprocess.Popen(
            [*in_network(self.network, self.root), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes.append(process)
        threading.Thread(target=self._read_output, args=(process,), daemon=True).start()

    def spawn_for_each_connection(self, port: int, *command: str) -> None:
        """Listen on a port, and start a program for each connection, as inetd does."""
        self.spawn(sys.executable, "-c", ACCEPTOR, str(port), *command)

    def _read_output(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.output.append(line)

    def wait_for_ports(self) -> None:
        """Wait until all ports are listened on.

        Raises:
            ServerError: a port stays closed.
        """
        missing = set(self.ports)

        def all_open() -> bool:
            listening = self.command("ss", "-H", "-l", "-t", "-n").split()
            missing.difference_update(
                int(word.rpartition(":")[2])
                for word in listening
                if word.rpartition(":")[2].isdigit()
            )
            return not missing

        if not until(all_open, SECONDS_TO_START):
            log = "\n".join([*self.output[-30:], *self.log()[-30:]])
            raise ServerError(f"{self.name} doesn't listen on {sorted(missing)}; its log:\n{log}")
