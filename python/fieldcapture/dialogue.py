"""A dialogue: what the two ends of one TCP session say, turn by turn, and what each turn shows.

A turn is some of one side's bytes (a command, a reply, a header) together with what somebody learns
who sees just that turn. The truth of a session then is what its *seen* turns show together
(truth.py); no decoder is involved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum, StrEnum
from random import Random
from typing import Any


class Side(StrEnum):
    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> Side:
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT


class View(StrEnum):
    """Whose packets the tap saw; the values are those of the record's `direction`."""

    C2S = "c2s"
    S2C = "s2c"
    BOTH = "bidirectional"

    def sees(self, side: Side) -> bool:
        if self is View.BOTH:
            return True
        return (side is Side.CLIENT) == (self is View.C2S)


class StartTls(IntEnum):
    """Steps towards TLS, in the record's order of strength."""

    NONE = 0
    OFFERED = 1
    REQUESTED = 2
    REFUSED = 3
    ACCEPTED = 4
    TLS = 5


class Stage(IntEnum):
    """The record's stages as far as the empty cause needs them; the logout is noted apart."""

    CONNECT = 0
    GREETING = 1
    HELLO = 2
    AUTH = 3
    ENVELOPE = 4
    DATA = 5
    DELIVERED = 6
    RETRIEVED = 7


class Opening(Enum):
    HANDSHAKE = "handshake"
    HALF_OPEN = "half open"  # the client resets on the SYN-ACK, as port scanners do
    UNANSWERED = "unanswered"  # the SYN meets silence
    REFUSED = "refused"  # the SYN meets a reset


class Closing(Enum):
    CLIENT_FIN = "client fin"
    SERVER_FIN = "server fin"
    CLIENT_RESET = "client reset"
    SERVER_RESET = "server reset"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Shown:
    """What one turn shows, in the session record's terms."""

    service: str | None = None
    starttls: StartTls = StartTls.NONE
    stage: Stage = Stage.CONNECT
    command: bool = False
    logout: bool = False
    refusal: bool = False  # a greeting or an answer to the hello that turns the client away
    login: bool | None = None  # outcome of a login
    implicit_tls: bool = False
    http: bool = False
    tunnel: str | None = None
    helo: str | None = None
    mailfrom: tuple[str, ...] = ()
    rcptto: tuple[str, ...] = ()
    from_: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    subject: str | None = None
    user_agent: str | None = None
    auth: str | None = None
    user: str | None = None
    messages: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    side: Side
    data: bytes
    shown: Shown = field(default_factory=Shown)
    decisive: bool = False  # can only be this protocol, whatever the port
    push: bool = True  # the sender's segment ends here
    lossy: bool = False  # bytes may be missing inside without any fact being lost


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One session's talk.

    `port` is None where the make-up chooses it. `late_starts` are the turns at which a tap that
    missed the beginning may start and still see what the remaining turns show. `bulk` is the side
    that may go on with TLS application data before the close.
    """

    kind: str
    turns: tuple[Turn, ...] = ()
    port: int | None = None
    opening: Opening = Opening.HANDSHAKE
    closing: Closing = Closing.CLIENT_FIN
    views: frozenset[View] = frozenset(View)
    late_starts: tuple[int, ...] = ()
    bulk: Side | None = None

    @property
    def client(self) -> list[bytes]:
        return [turn.data for turn in self.turns if turn.side is Side.CLIENT]

    @property
    def server(self) -> list[bytes]:
        return [turn.data for turn in self.turns if turn.side is Side.SERVER]

    @property
    def interleaving(self) -> list[Side]:
        return [turn.side for turn in self.turns]

    def seen(self, view: View, start: int = 0) -> list[Turn]:
        """The turns a tap sees that saw nothing before turn `start`."""
        return [turn for turn in self.turns[start:] if view.sees(turn.side)]


Builder = Callable[[Random], Dialogue]


class Script:
    """Builds a dialogue turn by turn. Every turn shows `service` unless it says otherwise."""

    def __init__(self, kind: str, service: str | None = None, port: int | None = None) -> None:
        self.kind = kind
        self.service = service
        self.port = port
        self.turns: list[Turn] = []
        self.late_starts: list[int] = []

    def client(self, data: str | bytes, **shown: Any) -> None:
        """A client's bytes; text is a line without its line end."""
        self._add(Side.CLIENT, data, shown)

    def server(self, data: str | bytes, **shown: Any) -> None:
        self._add(Side.SERVER, data, shown)

    def _add(self, side: Side, data: str | bytes, shown: dict[str, Any]) -> None:
        decisive, push = shown.pop("decisive", False), shown.pop("push", True)
        lossy = shown.pop("lossy", False)
        encoded = data if isinstance(data, bytes) else line(data)
        facts = Shown(**{"service": self.service, **shown})
        self.turns.append(Turn(side, encoded, facts, decisive, push, lossy))

    def late_start(self) -> None:
        """A tap may start at the next turn and still see what the turns from there on show."""
        self.late_starts.append(len(self.turns))

    def dialogue(self, closing: Closing = Closing.CLIENT_FIN, bulk: Side | None = None) -> Dialogue:
        return Dialogue(
            kind=self.kind,
            turns=tuple(self.turns),
            port=self.port,
            closing=closing,
            late_starts=tuple(self.late_starts),
            bulk=bulk,
        )


def line(text: str) -> bytes:
    """A protocol line. Surrogates stand for bytes that are no UTF-8."""
    return text.encode("utf-8", "surrogateescape") + b"\r\n"


def without_push(dialogue: Dialogue) -> Dialogue:
    """The same dialogue with each side's turns sent in as few segments as possible."""
    turns = list(dialogue.turns)
    for index, turn in enumerate(turns[:-1]):
        if turns[index + 1].side is turn.side:
            turns[index] = replace(turn, push=False)
    return replace(dialogue, turns=tuple(turns))
