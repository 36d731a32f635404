"""The query engine's own reading of a file and the one line by line give the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mailtap.correlation.sql import literals
from mailtap.policy import load_policy
from mailtap.records import selection
from mailtap.records.database import open_database
from mailtap.records.fields import (
    ADDRESS,
    BOOLEAN,
    COMMUNITY_ID,
    COUNT,
    DURATION,
    HAS_MEMBERS,
    MAX_TEXT,
    MILLISECONDS,
    PORT_NUMBER,
    TEXT,
    TIME,
    TRANSPORT,
    Field,
    Transform,
    number_sql,
    usually,
)
from mailtap.records.record_file import open_file
from mailtap.sessions import SessionsLoaded, load
from mailtap.sessions.detect import recognise
from mailtap.sessions.vocabulary import SERVICES
from zeek_logs import as_json, as_tsv, session
from zeek_logs import connection as conn_record

Writer = Callable[..., str]
POLICY = load_policy()

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 25, 65536, 1.0, 2.5, 1e3, 10**17, 10**25, ["a"], {"b": 1}),
    *("", " ", "-", "(empty)", "[]", "25", "+5", "+-5", "1_000", ".5", "1e400", "nan", "true", "T"),
    *("192.0.2.1", "192.0.2.01", "::FFFF:192.0.2.1", "2001:db8::1", "2001:db8:0:1::"),
    *("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "a::b:c:d:e:f:1", "Grüße", "a\x1b[31mb", "x" * 300),
    *("#close", "#1", "1:C6Qms1GxJiH2jkGWmOV+dKA2dss=", "TCP", "17", "smtp,ssl"),
    *(f"2026-{day}T04:28:45.786007{zone}" for day in ("11-24", "02-30") for zone in ("Z", "+0000")),
)


def read(path: Path) -> tuple[list[Any], SessionsLoaded]:
    with open_database() as connection:
        report = load(connection, [path], POLICY)
        rows = connection.execute("SELECT * EXCLUDE (session_id) FROM sessions").fetchall()
    return sorted(rows, key=repr), report


def both(
    path: Path,
) -> tuple[tuple[list[Any], SessionsLoaded], tuple[list[Any], SessionsLoaded]]:
    """What is read, and what is read line by line."""
    found = read(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "native", lambda *_: None)
        return found, read(path)


def is_read_natively(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Whether nothing is read line by line."""
    with pytest.MonkeyPatch.context() as patch:
        recognised = recognise(open_file(connection, path), POLICY)
        assert recognised is not None

        def refuse(*_: object) -> str:
            raise AssertionError

        patch.setattr(type(recognised.container), "relation", refuse)
        try:
            read(path)
        except AssertionError:
            return False
    return True


WRITERS: dict[str, tuple[Writer, Writer]] = {
    "conn.log": (as_json, conn_record),
    "conn.tsv": (as_tsv, conn_record),
    "sessions.jsonl": (as_json, session),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_without_anything_malformed_is_read_by_the_query_engine_itself(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    write, record = WRITERS[name]
    path = tmp_path / name
    path.write_text(write(*(record(f"C{n}") for n in range(9))))
    assert is_read_natively(connection, path)
    found, line_by_line = both(path)
    assert found == line_by_line
    assert found[1].sessions == 9


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("conn.log", "{broken"),
        ("conn.log", "null"),
        ("conn.tsv", "#fields\tts"),
        ("conn.tsv", "x\ty"),
        ("sessions.jsonl", "x" * 2_000_000),
    ],
    ids=["broken", "null", "header", "short", "long"],
)
def test_a_malformed_line_is_counted_and_located(tmp_path: Path, name: str, line: str) -> None:
    write, record = WRITERS[name]
    path = tmp_path / name
    lines = write(*(record(f"C{n}") for n in range(4))).splitlines()
    at = len(lines) - 2
    path.write_text("\n".join([*lines[:at], line, *lines[at:]]) + "\n")
    found, line_by_line = both(path)
    assert found == line_by_line
    assert found[1].warnings[0].endswith(f"1 malformed line, it is line {at + 1}")


@settings(
    print_blob=False,
    phases=(Phase.explicit, Phase.generate),
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    name=st.sampled_from(sorted(WRITERS)),
    changes=st.lists(
        st.dictionaries(st.integers(0, 40), st.sampled_from(ODD), max_size=3),
        min_size=1,
        max_size=8,
    ),
)
def test_odd_values_are_read_the_same(
    tmp_path: Path,
    name: str,
    changes: list[dict[int, Any]],
) -> None:
    write, record = WRITERS[name]
    names = list(record("C"))
    records = [
        record(f"C{number}") | {names[place % len(names)]: value for place, value in change.items()}
        for number, change in enumerate(changes)
    ]
    if write is as_tsv:
        records = [
            {key: json.dumps(v) if isinstance(v, dict | list) else v for key, v in one.items()}
            for one in records
        ]
    path = tmp_path / name
    # The first lines are as they should be: from them follows how the file is read.
    path.write_text(write(*(record(f"D{n}") for n in range(3)), *records))
    found, line_by_line = both(path)
    assert repr(found) == repr(line_by_line)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
NUMERALS = st.from_regex(r"[+-]{0,2}[0-9_.]{1,6}([eE][+-]?[0-9_]{1,3})?", fullmatch=True)
ODD_TEXTS = [value for value in ODD if isinstance(value, str)]
WORDS = (TEXT, usually(SERVICES), ADDRESS, COMMUNITY_ID, BOOLEAN, TRANSPORT, HAS_MEMBERS)
NUMBERS = (TIME, COUNT, PORT_NUMBER, DURATION, MILLISECONDS)


@pytest.mark.parametrize("transform", [*WORDS, *NUMBERS])
@settings(
    max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(TEXTS | NUMERALS, max_size=40))
def test_each_way_to_a_value_is_the_same(
    connection: duckdb.DuckDBPyConnection, transform: Transform, texts: list[str]
) -> None:
    usual = transform.plain if isinstance(transform.plain, tuple) else ()
    texts = [*texts, *ODD_TEXTS, *usual]
    field = Field(("text",), transform)
    columns = {"text": "t"}
    ways = [("true", field.sql(columns))]
    if transform.plain is not None:
        plain = (
            f"strlen(t) <= {MAX_TEXT} AND regexp_full_match(t, '{transform.plain}')"
            if isinstance(transform.plain, str)
            else f"t IN {literals(transform.plain)}"
        )
        ways.append((plain, field.sql_of_plain(columns)))
    if transform.number is not None:
        number = number_sql("t")
        ways.append((f"{number} IS NOT NULL", transform.number(f"({number})")))
    values = ", ".join("(?)" for _ in texts)
    for condition, value in ways:
        rows = connection.execute(
            f"SELECT t, {value} FROM (VALUES {values}) AS v(t) WHERE {condition}", texts
        ).fetchall()
        assert rows == [(text, field.python({"text": text})) for text, _ in rows]
