"""A whole capture: sessions drawn by a make-up, laid over each other in time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from .conversation import Conversation, Segment
from .dialogue import Opening, Side, View
from .dialogues import build
from .makeup import Makeup
from .packets import FIN, RST, SYN, Address, Direction, syn_options
from .tap import Mishaps, Observation, late_starts, observe, tells_on_any_port
from .truth import End, SessionTruth, facts
from .writer import write_pcap

START = 1_795_493_973_000_000  # 2026-11-24 04:19:33 UTC, in microseconds
SESSIONS_PER_SECOND = 20
REUSE_GAP = (
    1_000_000  # microseconds from the end of a session to the next on its addresses and ports
)
EPHEMERAL_PORTS = range(33000, 61000)
MAXIMUM_SEGMENT = {4: 1460, 6: 1440}
TINY_SEGMENTS = (1, 2, 3, 7, 16)
TINY_TALK = 3000  # bytes; longer talk in tiny segments is cut a little less finely
ODD_PORTS = {
    "smtp": (26, 587, 2525, 2526, 8026, 10025),
    "pop3": (1110, 8110, 10110),
    "imap": (2143, 8143, 10143),
}
# Without a handshake, the end with one of these ports is taken as the responder.
LIKELY_SERVER_PORTS = frozenset(
    {21, 22, 25, 53, 80, 110, 143, 443, 465, 587, 993, 995, 1080, 2525, 3128, 8080}
)

Frame = tuple[int, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Ends:
    client: End
    server: End
    closed: int = 0  # when an earlier session on them ended


@dataclass(frozen=True, slots=True)
class Capture:
    frames: list[Frame]  # (microseconds since the epoch, headers, payload), in order of time
    sessions: list[SessionTruth]  # in order of first packet


def write_capture(
    makeup: Makeup, seed: int, pcap: Path, truth: Path | None = None
) -> list[SessionTruth]:
    """Writes the capture that `makeup` and `seed` determine; the truth as JSON lines."""
    capture = draw_capture(makeup, seed)
    with pcap.open("wb", buffering=1 << 20) as file:
        write_pcap(file, capture.frames)
    if truth is not None:
        with truth.open("w", encoding="utf-8") as lines:
            for session in capture.sessions:
                lines.write(json.dumps(session.record(), ensure_ascii=False) + "\n")
    return capture.sessions


def draw_capture(makeup: Makeup, seed: int) -> Capture:
    """The capture in memory; payloads of bulk are shared, so that it costs less than its size."""
    rng = Random(seed)
    wanted = [
        (row.kind, view)
        for row in makeup.rows
        for view, count in row.counts()
        for _ in range(count)
    ]
    rng.shuffle(wanted)
    span = max(10.0, len(wanted) / SESSIONS_PER_SECOND)
    starts = sorted(START + int(rng.uniform(0, span) * 1_000_000) for _ in wanted)
    addresses = AddressBook(makeup, rng)
    frames: list[Frame] = []
    sessions: list[SessionTruth] = []
    for number, ((kind, view), start) in enumerate(zip(wanted, starts, strict=True)):
        session = SessionDraw(makeup, kind, view, Random(f"{seed} {number}"))
        observation = session.observe()
        ends = addresses.ends(session, start)
        frames.extend(session.frames(observation, ends, start))
        sessions.append(session.truth(observation, ends, start))
        if any(segment.flags & (FIN | RST) for segment in observation.segments):
            addresses.closed(session, ends, start + observation.segments[-1].time)
    frames.sort(key=lambda frame: frame[0])
    sessions.sort(key=lambda session: session.traffic.ts)
    return Capture(frames, sessions)


class SessionDraw:
    """One session: its talk, and all that is left to chance about it."""

    def __init__(self, makeup: Makeup, kind: str, view: View, rng: Random) -> None:
        rates = makeup.impairments
        self.view = view
        self.rng = rng
        self.dialogue = build(kind, rng)
        self.version = 6 if rng.random() < makeup.ipv6 else 4
        start = None
        starts = late_starts(self.dialogue, view)
        if rng.random() < rates.midstream and starts:
            start = rng.choice(starts)
        self.mishaps = Mishaps(
            start=start,
            reordering=rng.random() < rates.reordering,
            retransmission=rng.random() < rates.retransmission,
            overlap=rng.random() < rates.overlap,
            loss=rng.random() < rates.loss,
        )
        self.vlan = rng.randrange(2, 4000) if rng.random() < rates.vlan else None
        self.reuses_tuple = rng.random() < rates.reused_tuple
        self.server_port = self._server_port(makeup, rng.random() < rates.odd_port)
        self.maximum_segment = self._maximum_segment(rng.random() < rates.tiny_segments)
        self.tls_bulk = makeup.tls_bulk

    def _server_port(self, makeup: Makeup, odd: bool) -> int:
        service = next(
            (turn.shown.service for turn in self.dialogue.turns if turn.shown.service), None
        )
        # A tunnel's port is the proxy's: mail inside it is recognised by its content alone.
        carried = any(turn.shown.tunnel for turn in self.dialogue.turns)
        tells = tells_on_any_port(self.dialogue, self.view, self.mishaps.start)
        if odd and service and not carried and tells:
            return self.rng.choice(ODD_PORTS[service])
        return self.dialogue.port or self.rng.choice(makeup.ports)

    def _maximum_segment(self, tiny: bool) -> int:
        if not tiny:
            return MAXIMUM_SEGMENT[self.version]
        talk = sum(len(turn.data) for turn in self.dialogue.turns)
        return self.rng.choice(TINY_SEGMENTS) if talk <= TINY_TALK else 64

    def observe(self) -> Observation:
        conversation = Conversation(self.dialogue, self.maximum_segment, self.tls_bulk, self.rng)
        return observe(conversation.play(), self.view, self.mishaps, self.rng)

    @property
    def can_share_tuple(self) -> bool:
        """Whether a second session on the same ports can be kept apart: the handshake is seen."""
        return self.dialogue.opening is Opening.HANDSHAKE and self.mishaps.start is None

    def frames(self, observation: Observation, ends: Ends, start: int) -> Iterator[Frame]:
        rng = self.rng
        client = Address(
            b"\x02\0\0\0\0\1", ends.client.host, ends.client.port, _initial_sequence(rng)
        )
        refused = (
            self.dialogue.opening is Opening.REFUSED
        )  # such a reset has no sequence number of its own
        server_sequence = 0 if refused else _initial_sequence(rng)
        server = Address(b"\x02\0\0\0\0\2", ends.server.host, ends.server.port, server_sequence)
        ways = {
            Side.CLIENT: Direction(client, server, self.vlan),
            Side.SERVER: Direction(server, client, self.vlan),
        }
        options = syn_options(MAXIMUM_SEGMENT[self.version])
        for segment in observation.segments:
            yield (
                start + segment.time,
                _header(ways[segment.side], segment, options),
                segment.payload.data,
            )

    def truth(self, observation: Observation, ends: Ends, start: int) -> SessionTruth:
        seen = self.dialogue.seen(self.view, self.mishaps.start or 0)
        traffic = replace(observation.traffic, ts=start + observation.traffic.ts)
        first_side = observation.segments[0].side
        by_handshake = not traffic.midstream or ends.server.port in LIKELY_SERVER_PORTS
        return SessionTruth(
            kind=self.dialogue.kind,
            view=self.view,
            client=ends.client,
            server=ends.server,
            originator=Side.CLIENT if by_handshake else first_side,
            traffic=traffic,
            facts=facts(seen, self.view),
        )


def _header(way: Direction, segment: Segment, options: bytes) -> bytes:
    return way.header(
        segment.sequence,
        segment.acknowledged,
        segment.flags,
        segment.payload,
        options if segment.flags & SYN else b"",
    )


def _initial_sequence(rng: Random) -> int:
    """Any; now and then one that soon wraps around."""
    return 0xFFFFFFFF - rng.randrange(300) if rng.random() < 0.1 else rng.randrange(1, 1 << 32)


class AddressBook:
    """Gives every session addresses and ports: its own, or those of a session that is over."""

    def __init__(self, makeup: Makeup, rng: Random) -> None:
        self.rng = rng
        self.used: set[tuple[str, int, str, int]] = set()
        self.free: dict[tuple[int, int, View], list[Ends]] = {}
        size = max(4, min(40, makeup.sessions // 20))
        self.servers = {
            4: [f"198.51.100.{n}" for n in range(1, size)]
            + [f"203.0.113.{n}" for n in range(1, size)],
            6: [f"2001:db8:25::{n:x}" for n in range(1, size)],
        }
        self.clients = {
            4: [f"192.0.2.{n}" for n in range(1, 255)],
            6: [f"2001:db8:c::{n:x}" for n in range(1, 255)],
        }

    def ends(self, session: SessionDraw, start: int) -> Ends:
        key = _sharing_key(session)
        if session.reuses_tuple and session.can_share_tuple:
            over = [ends for ends in self.free.get(key, ()) if ends.closed + REUSE_GAP < start]
            if over:
                chosen = self.rng.choice(over)
                self.free[key].remove(chosen)
                return chosen
        while True:
            client = End(
                self.rng.choice(self.clients[session.version]), self.rng.choice(EPHEMERAL_PORTS)
            )
            server = End(self.rng.choice(self.servers[session.version]), session.server_port)
            ports = (client.host, client.port, server.host, server.port)
            if ports not in self.used:
                self.used.add(ports)
                return Ends(client, server)

    def closed(self, session: SessionDraw, ends: Ends, time: int) -> None:
        if session.can_share_tuple:
            self.free.setdefault(_sharing_key(session), []).append(replace(ends, closed=time))


def _sharing_key(session: SessionDraw) -> tuple[int, int, View]:
    """Sessions may follow each other on the same ports when the tap sees the same sides of both."""
    return session.version, session.server_port, session.view
