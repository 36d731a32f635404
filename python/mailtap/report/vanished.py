"""Whether a server's offer of STARTTLS vanished for a time: somebody strips it, or the server lost
it. One session can't show that: many servers offer it to some networks only, and some clients
never ask for the capabilities.

As long as nothing changes, a client's sessions without an offer lie anywhere among its sessions
with the server. A window of time in which a server's clients together have more of them than chance
puts there has vanished offers: an exact test, stratified by client (as by Mantel and Haenszel 1959,
without their normal approximation), which holds whatever share of a client's sessions has no offer.
A server's windows share its chance of a false alarm (Bonferroni), so that this is below
`FALSE_ALARMS` a server and run.

A client's sessions may come in runs that see the same: it tries again and again with a program that
doesn't ask. So the window must stand out by clients, too: as long as nothing changes, what each
client saw in this window is what it saw in any other, independently of the others. Where too few
clients have changed to show that, the first test decides alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_Distribution = npt.NDArray[np.float64] | Sequence[float]

#: The chance that anything is reported of a server whose offers come and go by chance.
FALSE_ALARMS = 1e-4


#: Clients without which no window could stand out by clients.
CLIENTS = 4


@dataclass(frozen=True)
class Offers:
    """A client's sessions with a server that begin in one window of time and could show an offer,
    and those of them `without` one.
    """

    client: str
    window: float  # its beginning, in epoch seconds
    sessions: int
    without: int


@dataclass(frozen=True)
class Vanished:
    """A window with more sessions `without` an offer than chance explains."""

    window: float
    sessions: int
    without: int
    chance: float


def vanished(offers: Sequence[Offers], false_alarms: float = FALSE_ALARMS) -> list[Vanished]:
    """The windows of one server in which the offer vanished, in the order of time."""
    totals: dict[str, tuple[int, int]] = {}
    for one in offers:
        sessions, without = totals.get(one.client, (0, 0))
        totals[one.client] = sessions + one.sessions, without + one.without
    windows: dict[float, list[Offers]] = {one.window: [] for one in offers}
    saw: dict[str, list[int]] = {}
    for one in offers:
        # A client that always sees an offer, or never does, says nothing about a change.
        if 0 < totals[one.client][1] < totals[one.client][0]:
            windows[one.window].append(one)
            saw.setdefault(one.client, []).append(one.without)
    found = []
    for start, clients in sorted(windows.items()):
        seen = sum(one.without for one in clients)
        p = chance(((one.sessions, *totals[one.client]) for one in clients), seen)
        if len(saw) >= CLIENTS and p < false_alarms:
            p = max(p, chance_by_client([saw[one.client] for one in clients], seen))
        if p < false_alarms / len(windows):
            found.append(Vanished(start, sum(one.sessions for one in clients), seen, p))
    return found


def chance(clients: Iterable[tuple[int, int, int]], seen: int) -> float:
    """The chance of `seen` sessions without an offer or more in a window, of clients with so many
    sessions in the window, sessions in all, and of these without an offer: the upper tail of a sum
    of hypergeometric distributions.
    """
    return _upper_tail((_hypergeometric(*client) for client in clients), seen)


def chance_by_client(clients: Iterable[Sequence[int]], seen: int) -> float:
    """The chance of `seen` sessions without an offer or more in a window, of clients with so many
    in each window that has sessions of theirs, if each client's window were any of these.
    """
    return _upper_tail((np.bincount(saw) / len(saw) for saw in clients), seen)


def _upper_tail(distributions: Iterable[_Distribution], seen: int) -> float:
    """The chance that a sum of independent numbers is `seen` or more; of each the chances of 0, 1,
    and so on.
    """
    of_sum = np.ones(1)
    for one in distributions:
        of_sum = np.convolve(of_sum, one)
    return min(1.0, math.fsum(of_sum[seen:]))


def _hypergeometric(drawn: int, sessions: int, without: int) -> list[float]:
    """The chances of 0, 1, ... sessions without an offer among those drawn."""
    return [
        math.exp(
            _log_choose(without, n)
            + _log_choose(sessions - without, drawn - n)
            - _log_choose(sessions, drawn)
        )
        if drawn - n <= sessions - without
        else 0.0
        for n in range(min(drawn, without) + 1)
    ]


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
