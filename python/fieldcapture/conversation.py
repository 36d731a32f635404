"""A dialogue as TCP segments at the tap, both sides, before anything goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from .dialogue import Closing, Dialogue, Opening, Side, Turn
from .dialogues.tls import APPLICATION_DATA, record
from .packets import ACK, FIN, NOTHING, PSH, RST, SYN, Payload

BULK_SEGMENT = 1380  # full on a path with some tunnel in it, as many are
BULK_RECORD_SEGMENTS = 11  # what fits into a TLS record of at most 16 KiB
LOSSY_MARGIN = (
    64  # bytes kept at both ends of a body with a hole: a whole line, so that its end is seen
)
SYN_RETRY = 1_000_000  # microseconds, doubling


@dataclass(slots=True)
class Segment:
    """Sequence numbers count from the SYN. `turn` is the first turn of the segment's flight."""

    time: int
    side: Side
    sequence: int
    acknowledged: int
    flags: int
    payload: Payload
    turn: int = -1
    lossy: bool = False


def bulk_payloads() -> list[Payload]:
    """One TLS record of application data, cut into full segments."""
    length = BULK_SEGMENT * BULK_RECORD_SEGMENTS
    data = record(APPLICATION_DATA, Random(0).randbytes(length - 5))
    return [Payload(data[start : start + BULK_SEGMENT]) for start in range(0, length, BULK_SEGMENT)]


BULK = bulk_payloads()


class Conversation:
    """Plays a dialogue. Times are microseconds from the first packet on."""

    def __init__(
        self, dialogue: Dialogue, maximum_segment: int, tls_bulk: int, rng: Random
    ) -> None:
        self.dialogue = dialogue
        self.maximum_segment = maximum_segment
        self.tls_bulk = tls_bulk
        self.rng = rng
        self.segments: list[Segment] = []
        self.time = 0
        self.sent = {Side.CLIENT: 0, Side.SERVER: 0}
        # From a packet at the tap to the other end's answer at the tap: 0.3 to 60 and 1 to 100 ms.
        self.delay = {
            Side.CLIENT: 10 ** rng.uniform(2.5, 4.8),
            Side.SERVER: 10 ** rng.uniform(3.0, 5.0),
        }

    def play(self) -> list[Segment]:
        if not self._open():
            return self.segments
        speaker: Side | None = None
        for index, flight in flights(self.dialogue.turns):
            side = flight[0].side
            self._wait(side if side is not speaker else None)
            self._say(index, flight)
            speaker = side
        if self.dialogue.bulk and self.tls_bulk:
            self._bulk(self.dialogue.bulk)
            speaker = self.dialogue.bulk
        if speaker:
            self._wait(speaker.other)
            self._send(speaker.other, ACK)
        self._close()
        return self.segments

    def _send(
        self,
        side: Side,
        flags: int,
        payload: Payload = NOTHING,
        turn: int = -1,
        lossy: bool = False,
    ) -> None:
        acknowledged = self.sent[side.other] if flags & ACK else 0
        self.segments.append(
            Segment(self.time, side, self.sent[side], acknowledged, flags, payload, turn, lossy)
        )
        self.sent[side] += len(payload) + bool(flags & (SYN | FIN))

    def _wait(self, answering: Side | None) -> None:
        """Until `answering` could hear and answer; None: until the same side goes on."""
        if answering is None:
            self.time += self.rng.randrange(20, 900)
        else:
            self.time += int(self.delay[answering] * self.rng.uniform(0.8, 1.6))

    def _open(self) -> bool:
        """Whether the connection came about."""
        opening = self.dialogue.opening
        self._send(Side.CLIENT, SYN)
        if opening is Opening.UNANSWERED:
            for retry in range(self.rng.randrange(3)):
                self.time += SYN_RETRY << retry
                self.sent[Side.CLIENT] = 0
                self._send(Side.CLIENT, SYN)
            return False
        self._wait(Side.SERVER)
        if opening is Opening.REFUSED:
            self._send(Side.SERVER, RST | ACK)
            return False
        self._send(Side.SERVER, SYN | ACK)
        self._wait(Side.CLIENT)
        if opening is Opening.HALF_OPEN:
            self._send(Side.CLIENT, RST)
            return False
        self._send(Side.CLIENT, ACK)
        return True

    def _say(self, turn: int, flight: list[Turn]) -> None:
        data = b"".join(part.data for part in flight)
        side = flight[0].side
        holes = lossy_spans(flight)
        for number, start in enumerate(range(0, len(data), self.maximum_segment)):
            if number:
                self._wait(None)
                if number % 2 == 0:
                    self._send(side.other, ACK)
            end = min(start + self.maximum_segment, len(data))
            lossy = any(first <= start and end <= last for first, last in holes)
            flags = ACK | PSH if end == len(data) else ACK
            self._send(side, flags, Payload(data[start:end]), turn, lossy)

    def _bulk(self, side: Side) -> None:
        last_turn = len(self.dialogue.turns)
        for number in range(self.tls_bulk):
            self._wait(None)
            self._send(side, ACK, BULK[number % BULK_RECORD_SEGMENTS], last_turn)
            self._send(side.other, ACK)

    def _close(self) -> None:
        closing = self.dialogue.closing
        if closing is Closing.NONE:
            return
        first = (
            Side.CLIENT if closing in (Closing.CLIENT_FIN, Closing.CLIENT_RESET) else Side.SERVER
        )
        self._wait(first)
        if closing in (Closing.CLIENT_RESET, Closing.SERVER_RESET):
            self._send(first, RST | ACK)
            return
        self._send(first, FIN | ACK)
        self._wait(first.other)
        self._send(first.other, ACK)
        self._wait(None)
        self._send(first.other, FIN | ACK)
        self._wait(first)
        self._send(first, ACK)


def flights(turns: tuple[Turn, ...]) -> Iterator[tuple[int, list[Turn]]]:
    """Stretches that one side sends in one go, each with the index of its first turn."""
    start = 0
    for index, turn in enumerate(turns):
        last = index + 1 == len(turns)
        if turn.push or last or turns[index + 1].side is not turn.side:
            yield start, list(turns[start : index + 1])
            start = index + 1


def lossy_spans(flight: list[Turn]) -> list[tuple[int, int]]:
    spans, offset = [], 0
    for turn in flight:
        if turn.lossy:
            spans.append((offset + LOSSY_MARGIN, offset + len(turn.data) - LOSSY_MARGIN))
        offset += len(turn.data)
    return spans
