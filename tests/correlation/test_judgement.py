"""Who is wrong about a session, by its causes."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtap.correlation.judgement import WRONG, wrong_of, wrong_sql
from mailtap.correlation.verdicts import CAUSES, INCONSISTENT, mask_of


@pytest.mark.parametrize(
    ("causes", "wrong"),
    [
        (("not_mail",), "label"),
        (("label_port_guess", "not_mail"), "label"),
        (("label_port_guess", "no_payload"), "undecided"),
        (("label_port_guess", "oneway"), "decoder"),
        (("unsupported",), "decoder"),
        (("conflict",), "label"),
        (("starttls",), "neither"),
        (("nonstandard_port",), "undecided"),
        ((), "undecided"),
    ],
)
def test_who_is_wrong(causes: tuple[str, ...], wrong: str) -> None:
    assert wrong_of(INCONSISTENT, causes) == wrong


def test_nobody_is_wrong_where_they_agree() -> None:
    assert wrong_of("consistent", ("starttls",)) is None


@given(st.sets(st.sampled_from(CAUSES)), st.sampled_from(["consistent", INCONSISTENT]))
def test_sql_says_the_same(causes: set[str], verdict: str) -> None:
    row = f"SELECT '{verdict}' AS verdict, {mask_of(causes)} AS causes"
    (found,) = duckdb.sql(f"SELECT {wrong_sql()} FROM ({row})").fetchall()
    assert found == (wrong_of(verdict, causes),)
    assert found[0] is None or found[0] in WRONG
