"""Offers of STARTTLS that vanish: how seldom chance looks so, and what is found."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtap.report.vanished import FALSE_ALARMS, Offers, chance, chance_by_client, vanished
from server_days import Server, false_alarms, power


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
    server = Server((share, share, 0.0, 1.0), 5.0)
    assert false_alarms(server, 100, 100 * FALSE_ALARMS) <= 5  # more in 1 of 1,800 runs by chance


def test_sessions_that_come_in_runs_raise_no_alarm() -> None:
    assert false_alarms(Server((0.1,) * 20, 2.0, runs=0.5), 60) == 0


def test_a_client_that_is_never_offered_tls_raises_no_alarm() -> None:
    assert false_alarms(Server((0.0, 1.0), 10.0), 50) == 0


@pytest.mark.parametrize(
    ("usual", "clients", "sessions", "found"),
    [(0.0, 1, 6, 0.6), (0.0, 20, 2, 0.99), (0.02, 20, 2, 0.99), (0.2, 20, 2, 0.99)],
)
def test_an_hour_in_which_offers_are_stripped(
    usual: float, clients: int, sessions: float, found: float
) -> None:
    assert power(Server((usual,) * clients, sessions), 30) >= found


def test_one_client_of_many_proves_nothing_about_the_server() -> None:
    calm = [Offers(f"c{n}", hour, 9, n == hour) for n in range(5) for hour in range(24)]
    assert (
        vanished([Offers(one.client, one.window, 9, 9) if one == calm[3] else one for one in calm])
        == []
    )


def test_half_a_day_is_found_too() -> None:
    offers = [Offers("c", hour * 3600.0, 30, 30 if hour >= 12 else 0) for hour in range(24)]
    assert [one.window for one in vanished(offers)] == [hour * 3600.0 for hour in range(12, 24)]


def test_the_chance_by_client_is_that_of_any_window_of_each() -> None:
    assert chance_by_client([[0, 0, 3], [1, 0]], 4) == pytest.approx(1 / 3 * 1 / 2)
    assert chance_by_client([[0, 0, 3], [1, 0]], 3) == pytest.approx(1 / 3)


def test_nothing_to_compare_with() -> None:
    assert vanished([Offers("c", 0.0, 500, 500)]) == []
    assert vanished([]) == []
