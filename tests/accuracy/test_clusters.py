"""Shares with intervals that allow for sessions of one server being right or wrong together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtap.accuracy.clusters import _freedom, between_clusters, share, wilson


def test_servers_of_one_session_each_give_wilsons_interval() -> None:
    hits = np.array([1.0] * 800 + [0.0] * 200)
    figure = share(hits, np.ones(1000))
    assert figure.share == 0.8
    assert figure.n == 1000
    assert figure.ci95 == pytest.approx(wilson(0.8, 1000), abs=1e-3)
    assert figure.design_effect == pytest.approx(1.0, abs=0.01)


def test_servers_whose_sessions_are_all_alike_count_as_one_session_each() -> None:
    hits = np.array([10.0] * 80 + [0.0] * 20)
    figure = share(hits, np.full(100, 10.0))
    assert figure.design_effect == pytest.approx(10.1, abs=0.01)
    assert figure.ci95 == pytest.approx(wilson(0.8, 100), abs=0.01)


def test_where_nothing_is_wrong_servers_are_counted_and_not_sessions() -> None:
    figure = share(np.full(20, 1000.0), np.full(20, 1000.0))
    assert figure.share == 1.0
    assert figure.ci95 is not None
    assert figure.ci95[1] == 1.0
    assert figure.ci95[0] == pytest.approx(wilson(1.0, 17.5)[0], abs=0.01)


def test_one_server_has_a_share_but_no_interval() -> None:
    figure = share(np.array([5.0, 0.0]), np.array([10.0, 0.0]))
    assert (figure.share, figure.ci95, figure.n) == (0.5, None, 10)


def test_no_sessions_have_no_share() -> None:
    figure = share(np.zeros(3), np.zeros(3))
    assert (figure.share, figure.ci95, figure.n) == (None, None, 0)


def test_a_server_that_dominates_leaves_few_degrees_of_freedom() -> None:
    even, uneven = np.full(50, 100.0), np.array([10_000.0, *[100.0] * 49])
    generator = np.random.default_rng(1)
    of_even = between_clusters(generator.normal(size=50), even)
    of_uneven = between_clusters(generator.normal(size=50), uneven)
    assert of_even is not None
    assert of_uneven is not None
    assert of_even.freedom == pytest.approx(49)
    assert of_uneven.freedom < 10


@given(st.lists(st.floats(1, 100), min_size=2, max_size=12))
def test_degrees_of_freedom_are_satterthwaites_double_sum(sizes: list[float]) -> None:
    part = np.array(sizes) / sum(sizes)
    weight = part**2 / (1 - part)
    squares = (part**2).sum()
    product = np.eye(len(part)) + squares - part[:, None] - part[None, :]
    double_sum = (weight[:, None] * weight[None, :] * product**2).sum()
    expected = (weight * np.diag(product)).sum() ** 2 / double_sum
    assert _freedom(part) == pytest.approx(max(1.0, expected), rel=1e-4)


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda n: (min(n), max(n))),
        min_size=2,
        max_size=30,
    )
)
def test_a_share_lies_in_its_interval(counts: list[tuple[int, int]]) -> None:
    hits, size = (np.array(column, dtype=np.float64) for column in zip(*counts, strict=True))
    figure = share(hits, size)
    if figure.ci95 is not None:
        assert figure.share is not None
        assert 0 <= figure.ci95[0] <= figure.share <= figure.ci95[1] <= 1
