"""Simulated days of servers that offer STARTTLS, but for known shares of their sessions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mailtap.report.vanished import FALSE_ALARMS, Offers, vanished

HOURS = 24


@dataclass(frozen=True)
class Server:
    """`shares` are those of each client's sessions that see no offer, `an_hour` the mean number of
    a client's sessions; `runs` is the chance that a session of a client sees what its last one saw,
    instead of being drawn anew.
    """

    shares: Sequence[float]
    an_hour: float
    runs: float = 0.0


def day(random: np.random.Generator, server: Server) -> list[Offers]:
    """A day in which nobody tampers with the server's sessions."""
    offers = []
    for number, share in enumerate(server.shares):
        made = random.poisson(server.an_hour, HOURS)
        without = _without(random, server, share, made)
        offers += [
            Offers(f"client {number}", hour, int(made[hour]), int(without[hour]))
            for hour in range(HOURS)
            if made[hour]
        ]
    return offers


def _without(
    random: np.random.Generator, server: Server, share: float, made: np.ndarray
) -> np.ndarray:
    if not server.runs:
        return random.binomial(made, share)
    drawn = random.random(made.sum()) < share
    again = random.random(made.sum()) < server.runs
    for place in range(1, len(drawn)):
        if again[place]:
            drawn[place] = drawn[place - 1]
    return np.array([part.sum() for part in np.split(drawn, np.cumsum(made)[:-1])])


def stripped(
    random: np.random.Generator, offers: Sequence[Offers], hour: int, share: float
) -> list[Offers]:
    """The day with offers stripped from a share of an hour's sessions."""
    return [
        replace(one, without=one.without + int(random.binomial(one.sessions - one.without, share)))
        if one.window == hour
        else one
        for one in offers
    ]


def false_alarms(server: Server, days: int, level: float = FALSE_ALARMS, seed: int = 1) -> int:
    """The days with an alarm, though nobody tampers."""
    random = np.random.default_rng(seed)
    return sum(bool(vanished(day(random, server), level)) for _ in range(days))


def power(
    server: Server, days: int, share: float = 1.0, level: float = FALSE_ALARMS, seed: int = 1
) -> float:
    """The share of days on which an hour is found in which offers are stripped."""
    random = np.random.default_rng(seed)
    found = Counter[bool]()
    for _ in range(days):
        hour = int(random.integers(HOURS))
        offers = stripped(random, day(random, server), hour, share)
        found[hour in [one.window for one in vanished(offers, level)]] += 1
    return found[True] / days
