"""Brings the servers up, plays the scenarios, and keeps what was recorded."""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab import certificate, packages
from lab.accounts import ACCOUNTS, CLIENT_NAME, DOMAIN
from lab.clients import ClientHangsError, Clients
from lab.isolation import (
    CLIENT_ADDRESS,
    CLIENT_ADDRESS6,
    HOST_NAME,
    RESOLVER,
    make_network,
    make_root,
)
from lab.isolation import (
    address as address_of,
)
from lab.scenarios.base import Scenario, Stage
from lab.servers.base import Join, LogFacts, Server, ServerError
from lab.tcp import TcpSession, sessions
from lab.waiting import until

FIRST_NUMBER = 10
SECONDS_TO_CLOSE = 15
ATTEMPTS = 3


@dataclass(frozen=True)
class Recorded:
    """One connection of a scenario, with what the server's log says of it."""

    scenario: Scenario
    server: str
    index: int
    """Which of the scenario's connections."""
    session: TcpSession
    log: LogFacts


@dataclass
class Outcome:
    """What came of a run."""

    recorded: list[Recorded] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    """Lines on servers and clients whose packages can't be had."""
    failures: list[str] = field(default_factory=list)
    """Servers that failed, and scenarios that went otherwise than they say."""


class Laboratory:
    """The servers, each in its namespaces."""

    def __init__(self, folder: Path, downloads: Path) -> None:
        self.folder = folder
        self.downloads = downloads
        self.outcome = Outcome()
        self.servers: list[Server] = []
        self._certificate = certificate.make(folder)

    def start(self, kinds: Sequence[type[Server]]) -> None:
        """Start all servers at once."""
        hosts = hosts_file({kind.name: FIRST_NUMBER + n for n, kind in enumerate(kinds)})
        self.hosts = hosts
        with ThreadPoolExecutor(len(kinds) + 1) as pool:
            clients = pool.submit(Clients, self.folder, self.downloads, hosts)
            self.servers = [server for server in pool.map(self._try, enumerate(kinds)) if server]
            self.clients = clients.result()
        self.outcome.versions |= self.clients.versions
        self.outcome.left_out += self.clients.left_out

    def _try(self, numbered: tuple[int, type[Server]]) -> Server | None:
        number, kind = numbered
        try:
            return self._start(kind, FIRST_NUMBER + number)
        except packages.PackagesError as missing:
            self.outcome.left_out.append(f"{kind.name} is left out: {missing}")
        except Exception as error:
            reason = str(error) if isinstance(error, ServerError) else traceback.format_exc()
            self.outcome.failures.append(f"{kind.name} doesn't start: {reason}")
        return None

    def _start(self, kind: type[Server], number: int) -> Server:
        files = packages.downloaded(self.downloads / kind.name) if kind.packages else []
        root = make_root(self.folder, kind.name)
        packages.unpack(files, root)
        certificate.install(root, self._certificate)
        for order, account in enumerate(ACCOUNTS):
            root.user(account.name, 950 + order, f"/home/{account.name}")
            root.folder(f"/home/{account.name}", 950 + order, 950 + order)
        network = make_network(kind.name, number)
        root.file("/etc/hosts", self.hosts)
        root.file("/etc/resolv.conf", RESOLVER)
        root.file("/etc/mailname", f"{kind.name}.{DOMAIN}\n")
        server = kind(root, network, self._certificate[0])
        if kind.packages:
            server.version = packages.version(files, kind.packages[0])
        server.configure()
        server.start()
        server.wait_for_ports()
        server.fill()
        self.outcome.versions[kind.name] = server.version
        return server

    def play(self, scenarios: Iterable[Scenario]) -> Outcome:
        """Play all scenarios with all servers that fit them, the servers at the same time."""
        known = list(scenarios)
        with ThreadPoolExecutor(max(1, len(self.servers))) as pool:
            for recorded in pool.map(lambda server: self._play(server, known), self.servers):
                self.outcome.recorded.extend(recorded)
        return self.outcome

    def _play(self, server: Server, scenarios: Sequence[Scenario]) -> list[Recorded]:
        recorded: list[Recorded] = []
        taken: set[int] = set()
        todo = deque(scenario for scenario in scenarios if self.fits(scenario, server))
        while todo:
            scenario = todo.popleft()
            seen = self._act(scenario, server)
            ports = {session.client[1] for session in seen}
            if ports & taken:
                # Logs are joined by port: what had this one before is played again.
                again = [r for r in recorded if r.session.client[1] in ports]
                recorded = [r for r in recorded if r not in again]
                todo.extend([scenario, *(r.scenario for r in again)])
            else:
                recorded += [
                    Recorded(scenario, server.name, index, session, LogFacts())
                    for index, session in enumerate(seen)
                ]
            taken |= ports
        settle(server)
        every = self._sessions_since(server, 0)
        order = {session.client: number for number, session in enumerate(every)}
        return [
            replace(r, log=server.log_facts(Join(r.session.client[1], order[r.session.client])))
            for r in recorded
        ]

    def fits(self, scenario: Scenario, server: Server) -> bool:
        """Whether the server offers what the scenario needs, and its client is there."""
        others = {f"from-{other.name}" for other in self.servers if other is not server}
        return (
            server.port_of(scenario.serves) is not None
            and scenario.needs <= server.features | others
            and self.clients.has(scenario.client)
            and (server.six or not scenario.six)
        )

    def _act(self, scenario: Scenario, server: Server) -> list[TcpSession]:
        port = server.port_of(scenario.serves)
        assert port is not None
        address = server.network.address6 if scenario.six else server.network.address
        everybody = {other.name: other for other in self.servers}
        stage = Stage(server, port, address, self.clients, everybody)
        where = f"{server.name}, {scenario.name}"
        for attempt in range(ATTEMPTS):
            first = len(server.recorder.frames)
            failed = None
            try:
                scenario.act(stage)
            except ClientHangsError as error:  # getmail misses the end of a child now and then
                failed = error
            except Exception as error:
                self.outcome.failures.append(f"{where}: {error!r}")
            seen = self._sessions(server, scenario, first)
            if failed is None:
                break
            if attempt == ATTEMPTS - 1:
                self.outcome.failures.append(f"{where}: {failed!r}")
        if len(seen) != scenario.sessions:
            count = f"{len(seen)} connections, not {scenario.sessions}"
            self.outcome.failures.append(f"{where}: {count}")
        return seen

    def _sessions(self, server: Server, scenario: Scenario, first: int) -> list[TcpSession]:
        def all_closed() -> bool:
            found = self._sessions_since(server, first)
            return len(found) >= scenario.sessions and all(session.closed for session in found)

        until(all_closed, SECONDS_TO_CLOSE)
        return self._sessions_since(server, first)

    def _sessions_since(self, server: Server, first: int) -> list[TcpSession]:
        own = {server.network.address, server.network.address6}
        frames = [(frame.time, frame.data) for frame in server.recorder.frames[first:]]
        return [session for session in sessions(frames) if session.server[0] in own]


def hosts_file(numbers: Mapping[str, int]) -> str:
    """/etc/hosts of all roots."""
    lines = [
        f"127.0.0.1 localhost {HOST_NAME}",
        f"{CLIENT_ADDRESS} {CLIENT_NAME}",
        f"{CLIENT_ADDRESS6} {CLIENT_NAME}",
        *(
            f"{address_of(number)} {name}.{DOMAIN} {name} plain.{name}.{DOMAIN}"
            for name, number in numbers.items()
        ),
    ]
    return "\n".join([*lines, ""])


def settle(server: Server) -> None:
    """Wait until the server's log has said nothing new for a moment."""
    state = [-1, time.monotonic()]

    def quiet() -> bool:
        if len(server.log()) != state[0]:
            state[0], state[1] = len(server.log()), time.monotonic()
        return time.monotonic() - state[1] > 0.5

    until(quiet, 20)
