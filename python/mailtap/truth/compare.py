"""What of the servers' truth the tap's sessions have, and where the rest went.

The mirror loses what a server logged and no tap session can be; the decoder loses what the tap saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mailtap.accuracy.clusters import Figure, share
from mailtap.truth.evidence import TapSession
from mailtap.truth.match import Match, Matching
from mailtap.truth.session import TruthSession


@dataclass(frozen=True)
class Losses:
    """Every session that the servers logged in the tap's time, in one place.

    unseen          lost before the tap: the mirror, a filter, packets dropped on the sensor
    ambiguous       in the log, but several tap sessions fit equally well
    unrecognised    the tap saw it, the decoder recognised no mail in it
    other_protocol  the decoder took it for another mail protocol
    recognised      the decoder recognised what it is
    """

    unseen: int
    ambiguous: int
    unrecognised: int
    other_protocol: int
    recognised: int


def losses(truth: Sequence[TruthSession], tap: Sequence[TapSession], matching: Matching) -> Losses:
    """Count the sessions by where they were lost."""
    unrecognised = other = recognised = 0
    for found in matching.matches:
        service = tap[found.tap].service
        if service is None:
            unrecognised += 1
        elif service == _service(truth[found.truth]):
            recognised += 1
        else:
            other += 1
    return Losses(
        unseen=len(matching.unseen),
        ambiguous=len(matching.ambiguous),
        unrecognised=unrecognised,
        other_protocol=other,
        recognised=recognised,
    )


def services(
    truth: Sequence[TruthSession], tap: Sequence[TapSession], matching: Matching
) -> list[str | None]:
    """What each tap session is: a mail protocol, `other`, or None where that isn't known.

    `other` needs a log that would know better: that of a server at whose address and port logged
    sessions were found, in the time of that log.
    """
    known: list[str | None] = [None] * len(tap)
    covered: dict[tuple[str, int], tuple[float, float]] = {}
    for found in matching.matches:
        session = tap[found.tap]
        known[found.tap] = _service(truth[found.truth])
        listener = session.server_h, session.server_p
        first, last = covered.get(listener, (session.start, session.end))
        covered[listener] = min(first, session.start), max(last, session.end)
    for number in matching.unlogged:
        session = tap[number]
        first, last = covered.get((session.server_h, session.server_p), (0.0, -1.0))
        if first <= session.start and session.end <= last:
            known[number] = "other"
    return known


@dataclass(frozen=True)
class Recall:
    """Of the values of a field that the servers logged in the clear, the share that the tap has."""

    field: str
    figure: Figure


_OfTruth = Callable[[TruthSession], Iterable[str]]
_OfTap = Callable[[TapSession], Iterable[str]]

_FIELDS: dict[str, tuple[_OfTruth, _OfTap]] = {
    "helo": (lambda truth: _one(truth.helo), lambda tap: _one(tap.helo)),
    "mailfrom": (lambda truth: truth.mailfrom, lambda tap: tap.mailfrom),
    "rcptto": (lambda truth: truth.rcptto, lambda tap: tap.rcptto),
    "msg_id": (lambda truth: truth.message_ids, lambda tap: tap.message_ids),
    "user": (lambda truth: _one(truth.user), lambda tap: _one(tap.user)),
}


def recalls(
    truth: Sequence[TruthSession], tap: Sequence[TapSession], matches: Iterable[Match]
) -> tuple[Recall, ...]:
    """The recall of each field over these matches; servers are the clusters of the intervals.

    Sessions that went to TLS are left out: what is encrypted nobody reads.
    """
    servers: dict[str, int] = {}
    found: dict[str, list[tuple[int, int, int]]] = {name: [] for name in _FIELDS}
    for pair in matches:
        logged, seen = truth[pair.truth], tap[pair.tap]
        if logged.tls:
            continue
        server = servers.setdefault(seen.server_h, len(servers))
        for name, (of_truth, of_tap) in _FIELDS.items():
            wanted = {text.casefold() for text in of_truth(logged)}
            if wanted:
                there = {text.casefold() for text in of_tap(seen)}
                found[name].append((server, len(wanted & there), len(wanted)))
    return tuple(Recall(name, _share(rows, len(servers))) for name, rows in found.items())


def _share(rows: Sequence[tuple[int, int, int]], servers: int) -> Figure:
    hits, size = np.zeros(servers), np.zeros(servers)
    for server, there, wanted in rows:
        hits[server] += there
        size[server] += wanted
    return share(hits, size)


def _service(truth: TruthSession) -> str:
    """The session record has LMTP as SMTP."""
    return "smtp" if truth.protocol == "lmtp" else truth.protocol


def _one(text: str | None) -> tuple[str, ...]:
    return () if text is None else (text,)
