"""What the tap sees of a conversation: one side or both, late, with holes, twice, out of order.

Whatever is done here leaves the dialogue's facts as they are: only bytes inside message bodies are
lost, only turns before a late start are missed, and what comes twice comes with the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

from .conversation import Segment
from .dialogue import Dialogue, Side, View
from .packets import SYN, Payload
from .truth import Traffic

# With fewer data segments a session is left alone: one packet more could make it effective.
FEWEST_DATA_SEGMENTS = 3
# Without a handshake and a mail port, so many lines of one side must be no other protocol's.
LATE_TELLING_PIECES = 3


@dataclass(frozen=True, slots=True)
class Mishaps:
    """What happens to one session; `start` is the first turn seen, None: all from the SYN."""

    start: int | None = None
    reordering: bool = False
    retransmission: bool = False
    overlap: bool = False
    loss: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    segments: list[Segment]  # in order of time
    traffic: Traffic  # with `ts` on the conversation's clock


def late_starts(dialogue: Dialogue, view: View) -> list[int]:
    """The turns at which a late tap may begin and still know what it sees."""
    seen = dialogue.seen(view)
    if any(turn.shown.service for turn in dialogue.turns):
        return [
            start
            for start in dialogue.late_starts
            if any(turn.decisive for turn in dialogue.seen(view, start))
        ]
    # HTTP and TLS are recognised by a session's first byte. A late tap can't know that it saw it.
    known_at_once = any(turn.shown.http or turn.shown.implicit_tls for turn in seen)
    return [0] if seen and not known_at_once else []


def tells_on_any_port(dialogue: Dialogue, view: View, start: int | None) -> bool:
    """Whether a seen side opens with what can only be its protocol; a late tap needs more of it."""
    seen = dialogue.seen(view, start or 0)
    enough = 1 if start is None else LATE_TELLING_PIECES
    for side in Side:
        own = [turn for turn in seen if turn.side is side]
        if own and own[0].decisive and sum(turn.decisive for turn in own) >= enough:
            return True
    return False


def observe(segments: list[Segment], view: View, mishaps: Mishaps, rng: Random) -> Observation:
    """What of `segments` reaches a tap with that view; at least one must be of a seen side."""
    if mishaps.start is not None:
        segments = _from_turn(segments, mishaps.start)
    seen = [segment for segment in segments if view.sees(segment.side)]
    lost = 0
    busy = sum(1 for segment in seen if segment.payload) >= FEWEST_DATA_SEGMENTS
    if mishaps.loss:
        seen, lost = _lose_one(seen, rng)
    payload_bytes = {
        side: sum(len(segment.payload) for segment in seen if segment.side is side) for side in Side
    }
    if busy:
        if mishaps.overlap:
            _overlap(seen, rng)
        if mishaps.retransmission:
            _retransmit(seen, rng)
        if mishaps.reordering:
            _reorder(seen, mishaps.start is not None, rng)
    traffic = Traffic(
        ts=seen[0].time,
        packets={side: sum(1 for segment in seen if segment.side is side) for side in Side},
        payload_bytes=payload_bytes,
        gap_bytes=lost,
        midstream=not any(segment.flags & SYN for segment in seen),
    )
    return Observation(seen, traffic)


def _from_turn(segments: list[Segment], start: int) -> list[Segment]:
    for index, segment in enumerate(segments):
        if segment.payload and segment.turn >= start:
            return segments[index:]
    return []


def _lose_one(seen: list[Segment], rng: Random) -> tuple[list[Segment], int]:
    candidates = [index for index, segment in enumerate(seen) if segment.lossy]
    if not candidates:
        return seen, 0
    index = rng.choice(candidates)
    return seen[:index] + seen[index + 1 :], len(seen[index].payload)


def _successors(seen: list[Segment]) -> list[tuple[Segment, Segment]]:
    """Data segments of one side that follow each other without a hole."""
    pairs = []
    for side in Side:
        own = [segment for segment in seen if segment.side is side and segment.payload]
        pairs += [
            (one, other)
            for one, other in pairwise(own)
            if one.sequence + len(one.payload) == other.sequence
        ]
    return pairs


def _overlap(seen: list[Segment], rng: Random) -> None:
    """The second half of a segment and the first of the next come once more."""
    pairs = _successors(seen)
    if not pairs:
        return
    one, other = rng.choice(pairs)
    half = len(one.payload) // 2
    data = one.payload.data[half:] + other.payload.data[: (len(other.payload) + 1) // 2]
    time = rng.choice((one.time + 1, other.time + 1))
    seen.append(replace(one, time=time, sequence=one.sequence + half, payload=Payload(data)))
    seen.sort(key=_time)


def _retransmit(seen: list[Segment], rng: Random) -> None:
    """A segment comes again soon after, before the session is over."""
    index = rng.choice([index for index, segment in enumerate(seen) if segment.payload])
    later = min(index + rng.randrange(3), len(seen) - 2)
    seen.append(replace(seen[index], time=max(seen[index].time, seen[later].time) + 1))
    seen.sort(key=_time)


def _reorder(seen: list[Segment], midstream: bool, rng: Random) -> None:
    """Neighbours of one side change places; never those that a late tap sees first."""
    neighbours = [
        (one, other)
        for one, other in pairwise(seen)
        if one.side is other.side
        and one.payload
        and other.payload
        and one.sequence < other.sequence
    ]
    if midstream:
        first = {segment.side: segment for segment in reversed(seen) if segment.payload}
        neighbours = [pair for pair in neighbours if pair[0] is not first[pair[0].side]]
    if neighbours:
        one, other = rng.choice(neighbours)
        one.time, other.time = other.time, one.time
        seen.sort(key=_time)


def _time(segment: Segment) -> int:
    return segment.time
