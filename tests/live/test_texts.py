"""A line that is no record, or hardly one, costs nothing but itself."""

from __future__ import annotations

import json

import pytest

from mailtap.live.batches import records
from mailtap.live.batches.texts import JsonTextReader, ListedTexts
from mailtap.live.sensors.frames import MAXIMUM_LINE_BYTES
from mailtap.records.json_records import texts_of


@pytest.fixture(params=[0, records.FEW], ids=["by the query engine", "one by one"], autouse=True)
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "FEW", request.param)


GOOD = '{"a": "one", "b": {"c": 2}}'


def texts(*lines: str | bytes) -> list[tuple[str | None, str | None, bool]]:
    read = JsonTextReader(["a", "b.c"])(list(lines))  # type: ignore[arg-type]
    columns = (read.by_place["a"], read.by_place["b.c"])
    if isinstance(read, ListedTexts):
        return list(zip(*map(texts_of, columns), read.is_record, strict=True))
    return list(zip(*(column.to_pylist() for column in (*columns, read.is_record)), strict=True))


@pytest.mark.parametrize(
    "line",
    [
        "",
        " ",
        "null",
        "5",
        '"a"',
        '["a"]',
        '{"a": ',
        '{"a": "one"} more',
        "[" * 100_000,
        '{"a":' * 100_000,
        json.dumps({"a": "x" * MAXIMUM_LINE_BYTES}),
    ],
    ids=lambda line: line[:12],
)
def test_a_line_that_is_no_record_is_marked_so(line: str) -> None:
    none = (None, None, False)
    assert texts(GOOD, line, GOOD) == [("one", "2", True), none, ("one", "2", True)]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('{"a": "\\v"}', "\x0b"),
        ('{"a": "tab\tand\x1b"}', "tab\tand\x1b"),
        (b'{"a": "\xff"}', "\\xff"),
        ('{"a": "\\ud800"}', "?"),
        ('{"a": "\\u0000"}', "\0"),
        ('{"a": "\\x41"}', "\\x41"),
        ('12{"a": true}', "true"),
    ],
    ids=ascii,
)
def test_what_only_zeek_writes_is_read(line: str | bytes, text: str) -> None:
    if isinstance(line, bytes):
        assert texts(GOOD.encode(), line) == [("one", "2", True), (text, None, True)]
    else:
        assert texts(GOOD, line) == [("one", "2", True), (text, None, True)]
