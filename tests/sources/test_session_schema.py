"""The one table of session fields, and what is made of it."""

from __future__ import annotations

import pytest

from mailtap.sessions.redaction import REDACTABLE, redacted_columns
from mailtap.sessions.schema import FIELDS, columns, markdown


def test_the_table_has_a_row_for_each_listed_field() -> None:
    names = [line.split("`")[1] for line in markdown().splitlines() if line.startswith("| `")]
    assert names == [field.name for field in FIELDS if field.listed]


def test_every_column_has_one_entry() -> None:
    assert len({field.column for field in FIELDS}) == len(FIELDS)
    assert len(columns(details=True)) == len(FIELDS)


def test_every_listed_field_is_documented_once() -> None:
    listed = [field for field in FIELDS if field.listed]
    assert len({field.name for field in listed}) == len(listed)
    assert all(field.meaning and field.kind for field in listed)


@pytest.mark.parametrize("name", REDACTABLE)
def test_every_name_that_may_be_redacted_hides_something(name: str) -> None:
    assert redacted_columns([name])


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("subject", {"subject"}),
        ("client_h", {"client_h", "orig_h", "resp_h", "community_id", "last_reply"}),
        ("id.resp_p", {"client_p", "server_p", "resp_p", "community_id"}),
        ("from", {"header_from"}),
        ("user", {"user_name", "last_reply"}),
        ("node", {"node", "sensor"}),
        ("sensor", {"node", "sensor"}),
        ("provenance", {"label_provenance"}),
        ("label_provenance", {"label_provenance"}),
        ("app", {"app"}),
        ("mailfrom", {"mailfrom", "last_reply"}),
    ],
)
def test_what_a_name_hides(name: str, hidden: set[str]) -> None:
    assert redacted_columns([name]) == hidden
