"""What a sensor may see of a session: both sides or one, without first packets, with loss."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from lab.tcp import CLIENT, RST, SERVER, SYN, Segment, TcpSession, resegmented

SMALL = 7
LOSS = 0.02
LOSSES = 4
"""How many times each session is replayed with other packets lost."""
ATTEMPTS = 1000
OVERTAKES = 0.5
"""How many seconds apart packets may be that overtake one another."""

Pair = tuple[Segment, tuple[float, bytes]]
Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class View:
    """The packets that are seen, and so the bytes."""

    group: str
    """The table's column."""
    name: str
    """The group, and which of it."""
    session: TcpSession
    """With the whole session's addresses, and only the packets that are seen."""
    frames: tuple[tuple[float, bytes], ...]
    lengths: dict[str, int]
    """How many bytes each side really sent."""

    def seen(self, side: str) -> bool:
        """Whether any packet of a side is seen."""
        return any(segment.side == side for segment in self.session.segments)

    @cached_property
    def handshake(self) -> bool:
        """Whether the client's SYN is seen."""
        return any(s.flags & SYN and s.side == CLIENT for s in self.session.segments)

    @cached_property
    def ranges(self) -> dict[str, Ranges]:
        """The seen stretches of each side's bytes, in order."""
        return {side: _union(self.session.segments, side) for side in (CLIENT, SERVER)}

    def covers(self, side: str, start: int, end: int) -> bool:
        """Whether all bytes of a stretch are seen."""
        return start >= end or any(a <= start and end <= b for a, b in self.ranges[side])

    def touches(self, side: str, start: int, end: int) -> bool:
        """Whether any byte of a stretch is seen."""
        return any(a < end and start < b for a, b in self.ranges[side])

    def start_known(self, side: str) -> bool:
        """Whether a handshake tells that a side's first seen byte is its first: its own SYN or, of
        the client, the server's answer to it.
        """
        senders = {s.side for s in self.session.segments if s.flags & SYN}
        return side in senders or (side == CLIENT and SERVER in senders)

    def whole(self, side: str) -> bool:
        """Whether every byte of a side is seen, and that is known."""
        return self.start_known(side) and self.covers(side, 0, self.lengths[side])


def _union(segments: Sequence[Segment], side: str) -> Ranges:
    found: list[tuple[int, int]] = []
    for start, end in sorted((s.start, s.end) for s in segments if s.side == side and s.payload):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def views(session: TcpSession, seed: int) -> Iterator[View]:
    """All views of a session."""
    lengths = {side: len(data) for side, data in session.streams.items()}
    pairs = list(zip(session.segments, session.frames(), strict=True))

    def view(group: str, name: str, kept: Sequence[Pair]) -> View:
        seen = replace(session, segments=tuple(segment for segment, _ in kept))
        return View(group, name, seen, tuple(frame for _, frame in kept), lengths)

    sides = {side: [pair for pair in pairs if pair[0].side == side] for side in (CLIENT, SERVER)}
    yield view("both", "both", pairs)
    yield view("client", "client", sides[CLIENT])
    yield view("server", "server", sides[SERVER])

    small = replace(session, segments=resegmented(session.segments, SMALL))
    yield view(
        "small segments", "small segments", list(zip(small.segments, small.frames(), strict=True))
    )
    yield view("reordered", "reordered", _reordered(pairs, random.Random(seed)))
    for number in range(LOSSES):
        lost = _lossy(pairs, random.Random(seed * LOSSES + number))
        if lost is not None:
            yield view("loss", f"loss {number + 1}", lost)
    for group, kept in (("both", pairs), ("client", sides[CLIENT]), ("server", sides[SERVER])):
        for count in range(1, len(kept)):
            yield view(f"{group}, start cut", f"{group} without {count}", kept[count:])


def _reordered(pairs: list[Pair], chance: random.Random) -> list[Pair]:
    """Neighbours of one side swapped here and there, but no handshake, no reset, none far apart."""
    moved = list(pairs)
    places = {
        side: [
            number
            for number, (segment, _) in enumerate(moved)
            if segment.side == side and not segment.flags & (SYN | RST)
        ]
        for side in (CLIENT, SERVER)
    }
    for numbers in places.values():
        at = 0
        while at + 1 < len(numbers):
            one, two = numbers[at], numbers[at + 1]
            close = moved[two][1][0] - moved[one][1][0] < OVERTAKES
            if chance.random() < 0.3 and close:
                moved[one], moved[two] = moved[two], moved[one]
                at += 1
            at += 1
    return moved


def _lossy(pairs: list[Pair], chance: random.Random) -> list[Pair] | None:
    """Without 2 % of the packets with data, at least one of them; None where there is no data."""
    if not any(segment.payload for segment, _ in pairs):
        return None
    for _ in range(ATTEMPTS):
        kept = [pair for pair in pairs if not pair[0].payload or chance.random() >= LOSS]
        if len(kept) < len(pairs):
            return kept
    return None
