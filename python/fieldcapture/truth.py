"""What is true of a session, by rule from what was said and which of it was seen.

The rules are those of docs/reference/session.md. Where that page leaves room, the generator reads
it so:

- A turn's facts count when its side was seen and it was said after the tap began.
- `messages`: a client shows a delivery by the end of DATA or its last BDAT chunk, a server by its
  answer to DATA (not by its answers to BDAT chunks). A retrieval is shown by the server, for a
  message or its header; not for an ENVELOPE. What both show is the larger number.
- `auth` and `user` are shown by the client, also inside an AUTH exchange.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .dialogue import Shown, Side, Stage, StartTls, Turn, View

EFFECTIVE_PACKETS, EFFECTIVE_BYTES = 3, 5


@dataclass(frozen=True, slots=True)
class Facts:
    """What the seen turns of a dialogue show together; field names are the session record's."""

    service: str | None = None
    starttls: StartTls = StartTls.NONE
    implicit_tls: bool = False
    tunnel: str | None = None
    decode_as: str = "BASE"
    helo: str | None = None
    mailfrom: tuple[str, ...] = ()
    rcptto: tuple[str, ...] = ()
    from_: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    mailfrom_count: int = 0
    rcptto_count: int = 0
    subject: str | None = None
    user_agent: str | None = None
    auth: str | None = None
    user: str | None = None
    messages: int = 0
    empty_cause: str | None = None


def facts(turns: Sequence[Turn], view: View) -> Facts:
    """The facts of a session whose seen turns are `turns`."""
    shown = [turn.shown for turn in turns]
    service = _first(item.service for item in shown)
    starttls = max((item.starttls for item in shown), default=StartTls.NONE)
    implicit_tls = any(item.implicit_tls for item in shown)
    http = any(item.http for item in shown)
    mailfrom = [address for item in shown for address in item.mailfrom]
    rcptto = [address for item in shown for address in item.rcptto]
    from_ = [address for item in shown for address in item.from_]
    to = [address for item in shown for address in item.to]
    addressed = bool(mailfrom or rcptto or from_ or to)
    return Facts(
        service=service,
        starttls=starttls,
        implicit_tls=implicit_tls,
        tunnel=_first(item.tunnel for item in shown) if service else None,
        decode_as="HTTP" if http else "SSL" if implicit_tls else "MAIL" if service else "BASE",
        helo=_last(item.helo for item in shown),
        mailfrom=_distinct(mailfrom),
        rcptto=_distinct(rcptto),
        from_=_distinct(from_),
        to=_distinct(to),
        mailfrom_count=len(mailfrom),
        rcptto_count=len(rcptto),
        subject=_last(item.subject for item in shown),
        user_agent=_last(item.user_agent for item in shown),
        auth=_last(item.auth for item in shown),
        user=_last(item.user for item in shown),
        messages=max(_messages(turns, side) for side in Side),
        empty_cause=_empty_cause(service, starttls, shown, view)
        if service and not addressed
        else None,
    )


def _empty_cause(service: str, starttls: StartTls, shown: Sequence[Shown], view: View) -> str:
    """The table of docs/reference/session.md, in its order."""
    stage = max((item.stage for item in shown), default=Stage.CONNECT)
    logins = {item.login for item in shown} - {None}
    if starttls in (StartTls.REQUESTED, StartTls.ACCEPTED, StartTls.TLS):
        return "starttls"
    if view is View.S2C and service == "smtp":
        return "server_side_only"
    if view is View.C2S and service in ("pop3", "imap"):
        return "client_side_only"
    if any(item.refusal for item in shown) or logins == {False}:
        return "refused"
    if stage <= Stage.HELLO:
        silent = not any(item.command for item in shown)
        return "greeting_only" if silent else "hello_only"
    if stage == Stage.AUTH:
        return "login_only"
    return "aborted" if stage >= Stage.DATA else "no_message"


def _messages(turns: Iterable[Turn], side: Side) -> int:
    return sum(turn.shown.messages for turn in turns if turn.side is side)


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value is not None), None)


def _last(values: Iterable[str | None]) -> str | None:
    return next((value for value in reversed(list(values)) if value is not None), None)


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


@dataclass(frozen=True, slots=True)
class End:
    """An address and a TCP port."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one session's packets amount to as the tap saw them."""

    ts: int  # first packet, microseconds since the epoch
    packets: dict[Side, int] = field(default_factory=dict)
    payload_bytes: dict[Side, int] = field(default_factory=dict)
    gap_bytes: int = 0
    midstream: bool = False

    @property
    def effective(self) -> bool:
        return (
            sum(self.packets.values()) > EFFECTIVE_PACKETS
            and sum(self.payload_bytes.values()) > EFFECTIVE_BYTES
        )


@dataclass(frozen=True, slots=True)
class SessionTruth:
    """One session of a capture, all of it."""

    kind: str
    view: View
    client: End
    server: End
    originator: Side
    traffic: Traffic
    facts: Facts

    def record(self) -> dict[str, Any]:
        """The record's keys and values; unset ones are absent, sets are arrays, also empty."""
        originator, responder = (
            (self.client, self.server)
            if self.originator is Side.CLIENT
            else (self.server, self.client)
        )
        facts, traffic = self.facts, self.traffic
        values = {
            "kind": self.kind,
            "ts": traffic.ts / 1_000_000,
            "id.orig_h": originator.host,
            "id.orig_p": originator.port,
            "id.resp_h": responder.host,
            "id.resp_p": responder.port,
            "client_h": self.client.host,
            "client_p": self.client.port,
            "server_h": self.server.host,
            "server_p": self.server.port,
            "service": facts.service,
            "direction": self.view.value,
            "starttls": facts.starttls.name.lower(),
            "implicit_tls": facts.implicit_tls,
            "tunnel": facts.tunnel,
            "decode_as": facts.decode_as,
            "effective": traffic.effective,
            "client_pkts": traffic.packets[Side.CLIENT],
            "client_bytes": traffic.payload_bytes[Side.CLIENT],
            "server_pkts": traffic.packets[Side.SERVER],
            "server_bytes": traffic.payload_bytes[Side.SERVER],
            "gap_bytes": traffic.gap_bytes,
            "midstream": traffic.midstream,
            "helo": facts.helo,
            "mailfrom": list(facts.mailfrom),
            "rcptto": list(facts.rcptto),
            "from": list(facts.from_),
            "to": list(facts.to),
            "mailfrom_count": facts.mailfrom_count,
            "rcptto_count": facts.rcptto_count,
            "subject": facts.subject,
            "user_agent": facts.user_agent,
            "auth": facts.auth,
            "user": facts.user,
            "messages": facts.messages,
            "empty_cause": facts.empty_cause,
        }
        return {key: value for key, value in values.items() if value is not None}
