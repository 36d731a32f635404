"""Offers of STARTTLS that vanish: how seldom chance looks so, and what is found."""

from __future__ import annotations

from math import comb
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtap.report.vanished import FALSE_ALARMS, Offers, chance, vanished

HOURS = 24


def day(random: Random, shares: list[float], sessions: int) -> list[Offers]:
    """A server's day: of each client the share of its sessions that see no offer, and twice its
    mean number of sessions an hour.
    """
    offers = []
    for number, share in enumerate(shares):
        for hour in range(HOURS):
            made = random.randint(0, sessions)
            without = sum(random.random() < share for _ in range(made))
            if made:
                offers.append(Offers(f"192.0.2.{number}", hour * 3600.0, made, without))
    return offers


@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_the_chance_is_that_of_drawing_without_replacement(
    inside: int, outside: int, data: st.DataObject
) -> None:
    total = inside + outside
    without = data.draw(st.integers(1, total))
    seen = data.draw(st.integers(max(0, without - outside), min(inside, without)))
    exact = sum(
        comb(without, n) * comb(total - without, inside - n)
        for n in range(seen, min(inside, without) + 1)
    ) / comb(total, inside)
    assert chance([(inside, total, without)], seen) == pytest.approx(exact)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_false_alarms_of_a_days_server(share: float) -> None:
    """The test is exact, so its level shows at a rate that a short simulation resolves: at a
    hundred times the default, 1 server in 100 may raise an alarm.
    """
    random = Random(17)
    alarms = sum(
        bool(vanished(day(random, [share, share, 0.0, 1.0], 10), 100 * FALSE_ALARMS))
        for _ in range(100)
    )
    assert alarms <= 5  # more come by chance in 1 of 1,800 runs if the level holds


def test_a_client_that_is_never_offered_tls_raises_no_alarm() -> None:
    random = Random(3)
    assert all(not vanished(day(random, [0.0, 1.0], 20)) for _ in range(50))


@pytest.mark.parametrize(
    ("usual", "clients", "sessions", "found"),
    [(0.0, 1, 12, 0.6), (0.0, 20, 4, 0.99), (0.02, 20, 4, 0.99), (0.2, 20, 4, 0.99)],
)
def test_an_hour_in_which_offers_are_stripped(
    usual: float, clients: int, sessions: int, found: float
) -> None:
    random = Random(23)
    hits = 0
    for _ in range(30):
        hour = 3600.0 * random.randrange(HOURS)
        offers = [
            Offers(one.client, hour, one.sessions, one.sessions) if one.window == hour else one
            for one in day(random, [usual] * clients, sessions)
        ]
        hits += hour in [one.window for one in vanished(offers)]
    assert hits / 30 >= found


def test_half_a_day_is_found_too() -> None:
    offers = [Offers("c", hour * 3600.0, 30, 30 if hour >= 12 else 0) for hour in range(HOURS)]
    assert [one.window for one in vanished(offers)] == [hour * 3600.0 for hour in range(12, HOURS)]


def test_nothing_to_compare_with() -> None:
    assert vanished([Offers("c", 0.0, 500, 500)]) == []
    assert vanished([]) == []
