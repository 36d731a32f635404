"""The servers' own logs as the truth: is each of their sessions found on the cable, and rightly?

Where a log has the client's port, that shows which session a line is of. OpenSMTPD's has none, but
the kernel hands connections over in the order in which they came, and the server logs that order.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import mailtap
from lab import pcap
from lab.servers.base import Server
from mailtap.sessions.vocabulary import STARTTLS_TAKEN
from mailtap.truth import TruthLog, TruthSession
from mailtap.truth.evidence import TapSession
from mailtap.truth.match import match

SERVERS = ("postfix", "exim", "dovecot", "opensmtpd")
"""Those whose logs show which lines belong to one session; Sendmail's don't."""

FOUND = 0.99
"""The share of sessions that must be found where the log has no ports. None may be mistaken."""


@dataclass(frozen=True)
class Found:
    """Of a server's logged sessions: how many are found by port, and how many without ports."""

    server: str
    logged: int
    by_port: int | None
    """None: the log has no ports."""
    without_ports: int
    mistaken: int

    @property
    def enough(self) -> bool:
        """Whether all are found by port, where there is one, enough without, and none mistaken."""
        return (
            self.by_port in (None, self.logged)
            and self.without_ports >= FOUND * self.logged
            and self.mistaken == 0
        )

    def __str__(self) -> str:
        by_port = "no ports logged" if self.by_port is None else f"{self.by_port} by port"
        return (
            f"{self.server:<12} {self.logged} sessions logged: {by_port}, {self.without_ports} "
            f"without ports, {self.mistaken} of these mistaken"
        )


def save(folder: Path, servers: Iterable[Server]) -> None:
    """Write each server's log, and all packets of its cable."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for server in servers:
        if server.name in SERVERS:
            frames = [(frame.time, frame.data) for frame in server.recorder.frames]
            pcap.write(folder / f"{server.name}.pcap", frames)
            log = "".join(f"{line}\n" for line in server.dated_log())
            (folder / f"{server.name}.log").write_text(log)


def judge(folder: Path) -> list[Found]:
    """Match the logs of a folder with its captures."""
    return [
        found(list(TruthLog([log], log.stem)), seen(log.with_suffix(".pcap")))
        for log in sorted(folder.glob("*.log"))
    ]


def found(truth: Sequence[TruthSession], tap: Sequence[TapSession]) -> Found:
    """Match the sessions of one server's log with those on its cable."""
    right = known(truth, tap)
    ports = any(session.client_p is not None for session in truth)
    by_port = match(truth, tap) if ports else None
    blind = match([replace(session, client_p=None) for session in truth], tap)
    return Found(
        truth[0].software,
        len(truth),
        None if by_port is None else sum(right[m.truth] == m.tap for m in by_port.matches),
        len(blind.matches),
        sum(right.get(m.truth) != m.tap for m in blind.matches),
    )


def seen(capture: Path) -> list[TapSession]:
    """The sessions of a capture, as a tap on the cable has them."""
    with tempfile.TemporaryDirectory() as folder, mailtap.analyze(capture) as report:
        lines = Path(folder) / "sessions.jsonl"
        report.write_sessions(lines)
        return [_tap(session) for session in mailtap.sessions(lines)]


def _tap(session: mailtap.Session) -> TapSession:
    return TapSession(
        start=session.ts,
        end=session.ts + (session.duration or 0),
        client_h=str(session.client_h),
        client_p=session.client_p or 0,
        server_h=str(session.server_h),
        server_p=session.server_p or 0,
        service=session.service,
        helo=session.helo,
        mailfrom=session.mailfrom or (),
        rcptto=session.rcptto or (),
        mailfrom_count=session.mailfrom_count,
        rcptto_count=session.rcptto_count,
        message_ids=(session.msg_id,) if session.msg_id else (),
        messages=session.messages,
        user=session.user_name,
        tls=session.starttls in STARTTLS_TAKEN or bool(session.implicit_tls),
    )


def known(truth: Sequence[TruthSession], tap: Sequence[TapSession]) -> Mapping[int, int]:
    """Which session on the cable each logged one is."""
    if any(session.client_p is not None for session in truth):
        of_client = defaultdict(list)
        for at, one in enumerate(tap):
            of_client[one.client_h, one.client_p].append(at)
        return {
            at: min(own, key=lambda other: abs(tap[other].start - one.start))
            for at, one in enumerate(truth)
            if (own := of_client.get((one.client_h, one.client_p)))
        }
    logged = sorted(range(len(truth)), key=lambda at: truth[at].order)
    began = sorted(range(len(tap)), key=lambda at: tap[at].start)
    return dict(zip(logged, began, strict=True))
