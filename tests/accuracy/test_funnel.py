"""The funnel from labelled sessions to addresses: every session in one place, sums exact."""

from __future__ import annotations

from itertools import pairwise
from operator import itemgetter

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtap.accuracy.funnel import STEPS, cause_of, cause_sql, funnel, step_sql, step_test

COUNTS = [
    ("labelled", "unmatched", 5),
    ("matched", "no_payload", 10),
    ("payload", "below_threshold", 7),
    ("effective", "oneway", 3),
    ("effective", "not_mail", 9),
    ("effective", "oneway", 2),
    ("recognised", "starttls", 20),
    ("readable", "greeting_only", 4),
    ("addresses", None, 40),
]


def test_each_step_has_what_reaches_it_and_what_it_loses() -> None:
    steps = {step["step"]: step for step in funnel(COUNTS)}
    assert list(steps) == list(STEPS)
    assert [step["n"] for step in steps.values()] == [100, 95, 85, 78, 64, 44, 40]
    assert steps["effective"]["lost"] == [
        {"cause": "not_mail", "n": 9},
        {"cause": "oneway", "n": 5},
    ]
    assert steps["addresses"]["lost"] == []


def test_no_sessions_have_all_steps() -> None:
    assert [(step["step"], step["n"]) for step in funnel([])] == [(step, 0) for step in STEPS]


@given(
    st.lists(
        st.tuples(st.sampled_from(STEPS), st.sampled_from(["oneway", "gap"]), st.integers(0, 10**9))
    )
)
def test_a_step_is_the_next_one_and_its_own_losses(counts: list[tuple[str, str, int]]) -> None:
    given_counts = [(s, None if s == STEPS[-1] else cause, n) for s, cause, n in counts]
    steps = funnel(given_counts)
    assert steps[0]["n"] == sum(n for _, _, n in given_counts)
    for step, following in pairwise(steps):
        assert step["n"] == following["n"] + sum(loss["n"] for loss in step["lost"])


@pytest.mark.parametrize(
    "count",
    [("decoded", "x", 1), ("matched", None, 1), ("addresses", "x", 1), ("matched", "x", -1)],
)
def test_counts_that_fit_no_place_are_refused(count: tuple[str, str | None, int]) -> None:
    with pytest.raises(ValueError, match=r"a step of the funnel|a loss at"):
        funnel([count])


@pytest.mark.parametrize(
    ("reached", "expected"),
    [
        ("true, true, true, true, true, true, true", "addresses"),
        ("true, true, true, true, true, true, NULL", "readable"),
        ("true, true, true, false, true, true, true", "payload"),
        ("true, false, false, false, false, false, false", "labelled"),
        ("false, true, true, true, true, true, true", None),
        ("NULL, true, true, true, true, true, true", None),
    ],
)
def test_the_last_step_in_sql(reached: str, expected: str | None) -> None:
    rows = duckdb.sql(f"SELECT {step_sql()} FROM (VALUES ({reached})) t({', '.join(STEPS)})")
    assert rows.fetchall() == [(expected,)]


@given(st.lists(st.booleans(), min_size=len(STEPS), max_size=len(STEPS)))
def test_the_last_step_of_one_record_is_that_of_the_sql(reached: list[bool]) -> None:
    record = dict(zip(STEPS, reached, strict=True))
    values = ", ".join(f"{reaches} AS {step}" for step, reaches in record.items())
    (expected,) = duckdb.sql(f"SELECT {step_sql()} FROM (SELECT {values})").fetchall()
    assert (step_test({step: itemgetter(step) for step in STEPS})(record),) == expected


def test_steps_can_be_conditions() -> None:
    rows = duckdb.sql(f"SELECT {step_sql(dict.fromkeys(STEPS, 'n > 0'))} FROM (SELECT 1 n)")
    assert rows.fetchall() == [("addresses",)]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("labelled", "ambiguous"),
        ("matched", "no_payload"),
        ("payload", "below_threshold"),
        ("effective", "unexplained"),
        ("recognised", "implicit_tls"),
        ("readable", "aborted"),
        ("addresses", None),
    ],
)
def test_the_cause_of_a_loss_in_sql(step: str, expected: str | None) -> None:
    rows = duckdb.sql(
        f"SELECT {cause_sql()} FROM (SELECT '{step}' AS step, 'ambiguous' AS unmatched_cause, "
        "NULL AS cause, 'implicit_tls' AS encryption, 'aborted' AS empty_cause)"
    )
    assert rows.fetchall() == [(expected,)]


@given(
    st.sampled_from([None, *STEPS]), st.lists(st.none() | st.just("known"), min_size=4, max_size=4)
)
def test_the_cause_of_one_loss_is_that_of_the_sql(
    step: str | None, known: list[str | None]
) -> None:
    values = ("NULL" if value is None else f"'{value}'" for value in (step, *known))
    (expected,) = duckdb.sql(f"SELECT {cause_sql(*values)}").fetchall()
    assert (cause_of(step, *known),) == expected
