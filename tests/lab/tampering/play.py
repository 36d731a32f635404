"""Plays every attack with every server and service, and holds what each side shows against it."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from lab.compare import replay as session_lines
from lab.laboratory import Laboratory
from lab.marks import secrets_in
from lab.recorder import Recorder
from lab.scenarios.base import Stage
from lab.servers.base import Server
from lab.tampering import acts
from lab.tampering.attacks import ATTACKS, EVIL, Honest, Replay
from lab.tampering.proxy import Proxy
from lab.tcp import CLIENT, SERVER, TcpSession, sessions
from lab.views import views
from lab.waiting import until

SECONDS_TO_CLOSE = 5
FIRST_ADDRESS = 10
BROKEN = "tls_failed"
"""What any tampering may lead to."""
LOGIN = "cleartext_login"
"""What is there where a password can be read."""


@dataclass
class Tampered:
    """What came of all attacks."""

    sessions: int = 0
    provoked: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By attack and service."""
    wrong: list[str] = field(default_factory=list)
    """Findings that are missing, or that nothing in the bytes explains."""

    def missing(self) -> list[str]:
        """Attacks that no server and client let happen."""
        return [
            f"{attack.name}: with no server and client of {service}"
            for attack in ATTACKS
            for service in attack.services
            if attack.finding and not self.provoked[attack.name, service]
        ]


def play(lab: Laboratory) -> Tampered:
    """Every attack with every server, the servers at the same time."""
    total = Tampered()
    tap = Recorder("lo")
    servers = [server for server in lab.servers if server.packages]
    with ThreadPoolExecutor(max(1, len(servers))) as pool:
        for part in pool.map(lambda n: _play(lab, servers[n], n, tap), range(len(servers))):
            total.sessions += part.sessions
            total.provoked += part.provoked
            total.wrong += part.wrong
    return total


def _play(lab: Laboratory, server: Server, number: int, tap: Recorder) -> Tampered:
    found = Tampered()
    address = f"127.0.0.{FIRST_ADDRESS + number}"
    everybody = {other.name: other for other in lab.servers}
    for service in ("smtp", "pop3", "imap"):
        port = server.port_of(service)
        if port is None or not server.features & {"STARTTLS", "STLS"}:
            continue
        target = server.network.address, port
        proxy = Proxy(address, port, target)
        stage = Stage(server, port, address, lab.clients, everybody)
        for place, kind in enumerate(ATTACKS):
            if service not in kind.services:
                continue
            for act in acts.acts(kind.client, service, place, lambda s: lab.fits(s, server)):
                attack = kind(service)
                first = len(tap.frames), len(server.recorder.frames)
                proxy.begin(attack)
                with contextlib.suppress(Exception):  # whatever the client makes of it
                    act(stage)
                for ports in proxy.finish():
                    legs = {
                        CLIENT: _leg(tap, first[0], ports.client),
                        SERVER: _leg(server.recorder, first[1], ports.server),
                    }
                    if isinstance(attack, Replay):
                        again = acts.replay(target, attack.sent)
                        legs = {SERVER: _leg(server.recorder, first[1], again)}
                        attack.provoked = True
                    _judge(attack, f"{server.name}, {service}", legs, found)
        proxy.close()
    return found


def _leg(tap: Recorder, first: int, port: int) -> TcpSession | None:
    def own() -> list[TcpSession]:
        frames = [(frame.time, frame.data) for frame in tap.frames[first:]]
        return [session for session in sessions(frames) if session.client[1] == port]

    until(lambda: any(session.closed for session in own()), SECONDS_TO_CLOSE)
    return next(iter(own()), None)


def _judge(attack: Honest, where: str, legs: dict[str, TcpSession | None], found: Tampered) -> None:
    where = f"{where}, {attack.name}"
    found.sessions += 1
    for leg, session in legs.items():
        if session is None:
            found.wrong.append(f"{where}: the connection with the {leg} wasn't recorded")
            continue
        happened = attack.leg == leg and attack.provoked and _proven(attack, session)
        found.provoked[attack.name, attack.service] += happened
        readable = secrets_in([session.streams[CLIENT].decode("latin-1")])
        for view in islice(views(session, 0), 3):
            shown = happened and view.group in ("both", attack.side)
            wanted = {attack.finding} if shown and attack.finding else set()
            allowed = wanted | {BROKEN, attack.otherwise} | ({LOGIN} if readable else set())
            lines = session_lines(view)
            got = {
                name for line in lines.splitlines() for name in json.loads(line).get("findings", ())
            }
            seen = f"{where}: the connection with the {leg}, seen from {view.group},"
            if not wanted <= got <= allowed:
                found.wrong.append(f"{seen} has {sorted(got)}, not {sorted(wanted)}")
            if got & {"command_injected", "response_injected"} and EVIL in lines.lower():
                found.wrong.append(f"{seen} has what was injected: {lines}")


def _proven(attack: Honest, session: TcpSession) -> bool:
    return attack.proof is None or attack.proof[1] in session.streams[attack.proof[0]]
