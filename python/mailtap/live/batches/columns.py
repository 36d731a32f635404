"""Normal fields of a batch of records, column by column, with the values that `Field.python` gives.

Each distinct text of a batch is read once. Texts that match the usual pattern of their field are
converted by column in Arrow; all others, and those of a small batch, one by one by `Field.python`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from types import NoneType
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from mailtap.live.batches.records import Listed, Records, Tabled
from mailtap.live.batches.texts import ListedTexts, Texts
from mailtap.records.fields import (
    ADDRESS,
    COMMUNITY_ID,
    COMMUNITY_ID_TEXT,
    COUNT,
    DURATION,
    HAS_MEMBERS,
    MAX_TEXT,
    MICROSECONDS,
    MILLISECONDS,
    PORT_NUMBER,
    SECONDS,
    TEXT,
    TIME,
    UNITS,
    Combine,
    Field,
    Scalar,
    Transform,
)
from mailtap.records.json_records import texts_of
from mailtap.records.key import IPV4

#: Texts of a kind of field that are remembered with their values, and the longest of them.
REMEMBERED = 1 << 16
LONGEST_REMEMBERED = 256


#: The types of JSON numbers that are there or not.
_NUMBERS = {int, float, NoneType}


class _Plain(NamedTuple):
    """Texts that match, and what they become."""

    pattern: str
    values: Callable[[pa.Array], pa.Array]


def _itself(texts: pa.Array) -> pa.Array:
    return texts


def _seconds(digits: int, per_second: float) -> _Plain:
    """A number of so many digits is within the bounds of a time."""
    return _Plain(
        rf"[0-9]{{1,{digits}}}(\.[0-9]{{1,30}})?",
        lambda texts: pc.divide(texts.cast(pa.float64()), per_second),
    )


def _time(texts: pa.Array) -> pa.Array:
    number = seconds = texts.cast(pa.float64())
    for least, unit in reversed(UNITS):
        seconds = pc.if_else(pc.greater_equal(number, least), pc.divide(number, unit), seconds)
    return seconds


_NUMBER = r"[0-9]{1,19}(\.[0-9]{1,30})?"

_PLAIN: Mapping[Transform, _Plain] = {
    TEXT: _Plain(f"[!-~]([ -~]{{0,{MAX_TEXT - 2}}}[!-~])?", _itself),
    ADDRESS: _Plain(IPV4, _itself),
    PORT_NUMBER: _Plain("[0-9]{1,4}|[1-5][0-9]{4}", lambda texts: texts.cast(pa.int32())),
    COUNT: _Plain("[0-9]{1,15}", lambda texts: texts.cast(pa.int64())),
    TIME: _Plain(_NUMBER, _time),
    SECONDS: _seconds(11, 1),
    DURATION: _seconds(11, 1),
    MILLISECONDS: _seconds(14, 1e3),
    MICROSECONDS: _seconds(17, 1e6),
    COMMUNITY_ID: _Plain(COMMUNITY_ID_TEXT, _itself),
    HAS_MEMBERS: _Plain(r"(?s)\[.*\]", lambda texts: pc.not_equal(texts, "[]")),
}


@cache
def _remembered(transform: Transform) -> Callable[[str], Scalar | None]:
    """The transform of a text alone, shared by all fields that have it."""
    alone = Field(("text",), transform)

    remembered = lru_cache(REMEMBERED)(alone.value)

    def value(text: str) -> Scalar | None:
        return alone.value(text) if len(text) > LONGEST_REMEMBERED else remembered(text)

    return value


class Column:
    """One field of every record of a batch, from the texts at its places."""

    def __init__(self, field: Field, kind: pa.DataType) -> None:
        self._field = field
        self._kind = kind
        self._plain = _PLAIN.get(field.transform)
        self._of_text = _remembered(field.transform)

    def listed(self, by_place: Mapping[str, Sequence[object]]) -> Sequence[Scalar | None]:
        """The values of few records; `by_place` is that of ListedTexts."""
        columns = [by_place[place] for place in self._field.places]
        # Most fields have no text in any record of a batch.
        values = [self._listed(found) for found in columns if found.count(None) < len(found)]
        if not values:
            return [None] * len(columns[0])
        if len(values) == 1:
            return values[0]
        return [self._field.combined(of_places) for of_places in zip(*values, strict=True)]

    def array(self, by_place: Mapping[str, pa.Array]) -> pa.Array:
        """The same of many."""
        columns = [by_place[place] for place in self._field.places]
        values = [self._values(texts) for texts in columns if texts.null_count < len(texts)]
        if not values:
            return pa.nulls(len(columns[0]), self._kind)
        if len(values) == 1:
            return values[0]
        return _COMBINED[self._field.combine](values, self._field.separator)

    def _listed(self, found: Sequence[Any]) -> list[Scalar | None]:
        of_number = self._field.transform.python_of_number
        if of_number is None or not set(map(type, found)) <= _NUMBERS:
            return self._one_by_one(texts_of(found))
        values = {n: None if n is None else of_number(float(n)) for n in set(found)}
        return [values[n] for n in found]

    def _values(self, texts: pa.Array) -> pa.Array:
        encoded = texts.dictionary_encode()
        return self._of_distinct(encoded.dictionary).take(encoded.indices)

    def _of_distinct(self, texts: pa.Array) -> pa.Array:
        if self._plain is not None:
            pattern, values = self._plain
            if pc.all(pc.match_substring_regex(texts, rf"\A(?:{pattern})\z")).as_py():
                return values(texts)
        return pa.array(self._one_by_one(texts.to_pylist()), self._kind)

    def _one_by_one(self, texts: Sequence[str | None]) -> list[Scalar | None]:
        values = {text: None if text is None else self._of_text(text) for text in set(texts)}
        return [values[text] for text in texts]


def columns_of(columns: Mapping[str, Column], texts: Texts) -> Records:
    """The columns of a batch by their names."""
    if isinstance(texts, ListedTexts):
        return Listed({name: column.listed(texts.by_place) for name, column in columns.items()})
    arrays = {name: column.array(texts.by_place) for name, column in columns.items()}
    return Tabled(pa.table(arrays))


def _sum(values: list[pa.Array], _: str) -> pa.Array:
    total, *others = (pc.fill_null(value, 0) for value in values)
    for other in others:
        total = pc.add(total, other)
    known = pc.is_valid(pc.coalesce(*values))
    return pc.if_else(known, total, None)


def _joined(values: list[pa.Array], separator: str) -> pa.Array:
    joined, *others = values
    for other in others:
        both = pc.binary_join_element_wise(joined, other, separator)
        joined = pc.coalesce(both, joined, other)
    return joined


_COMBINED: Mapping[Combine, Callable[[list[pa.Array], str], pa.Array]] = {
    Combine.FIRST: lambda values, _: pc.coalesce(*values),
    Combine.SUM: _sum,
    Combine.LATEST: lambda values, _: pc.max_element_wise(*values),
    Combine.JOINED: _joined,
}
