"""What a server's log and a tap both know of a session, and whether they agree about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mailtap.truth.session import TruthSession

#: Points for each thing that both know and agree about; rarer agreement counts more.
MESSAGE_ID, ADDRESS, USER, COUNTS, HELO, TLS, PORT = 4, 2, 2, 2, 1, 1, 1

#: Points off for each that they differ in: more than agreement elsewhere can outweigh easily.
DIFFERENT = -4

#: The ports that Postfix's services have unless a site moves them (RFC 8314, section 7).
PORT_OF_SERVICE = {"smtp": 25, "submission": 587, "smtps": 465, "submissions": 465}

#: How a session may have ended in which the tap saw TLS asked for, and the server logged none.
HANDSHAKE_FAILED = ("tls_failed", "lost", "closed", "timeout")


@dataclass(frozen=True, slots=True)
class TapSession:
    """A session as a tap saw it; field names and values are those of the session record.

    None and empty tuples: the tap did not see it. `mailfrom_count` and `rcptto_count` are
    numbers of commands.
    """

    start: float
    end: float
    client_h: str
    client_p: int
    server_h: str
    server_p: int
    service: str | None = None
    helo: str | None = None
    mailfrom: tuple[str, ...] = ()
    rcptto: tuple[str, ...] = ()
    mailfrom_count: int | None = None
    rcptto_count: int | None = None
    message_ids: tuple[str, ...] = ()
    messages: int | None = None
    user: str | None = None
    tls: bool | None = None


def agreement(truth: TruthSession, tap: TapSession) -> int:
    """Points for the two being one session. Below zero: something speaks against it."""
    points = 0
    for weight, mine, yours in (
        (MESSAGE_ID, truth.message_ids, tap.message_ids),
        (ADDRESS, truth.mailfrom, tap.mailfrom),
        (ADDRESS, truth.rcptto, tap.rcptto),
        (USER, _one(truth.user), _one(tap.user)),
        (HELO, _one(truth.helo), _one(tap.helo)),
    ):
        if mine and yours:
            points += weight if _folded(mine) & _folded(yours) else DIFFERENT
    if truth.tls is not None and tap.tls is not None:
        if truth.tls == tap.tls:
            points += TLS
        elif not (tap.tls and truth.outcome in HANDSHAKE_FAILED):
            points += DIFFERENT
    if truth.tls is False:
        points += _counts(truth, tap)
    usual = PORT_OF_SERVICE.get(truth.service or "")
    if usual == tap.server_p or (truth.server_p is not None and truth.server_p == tap.server_p):
        points += PORT
    return points


def _counts(truth: TruthSession, tap: TapSession) -> int:
    """Numbers of commands, where all of them were in the clear. The tap may have missed some."""
    points = 0
    given = {name: every for name, _, every in truth.commands}
    if given:
        for name, seen in (("mail", tap.mailfrom_count), ("rcpt", tap.rcptto_count)):
            sent = given.get(name, 0)
            if seen is not None and seen > sent:
                points += DIFFERENT
            elif seen == sent and sent > 0:  # that neither has any is common
                points += COUNTS
    return points


def _one(text: str | None) -> tuple[str, ...]:
    return () if text is None else (text,)


def _folded(texts: Iterable[str]) -> set[str]:
    return {text.casefold() for text in texts}
