"""Normal fields of a batch of records, column by column: `Field.python` for a stream.

Most columns of a batch hold only plain values, which the field leaves as they are; to see that
costs little. Any other value is read by the field itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache

from mailtap.sources.fields import (
    BOOLEAN,
    COUNT,
    HAS_MEMBERS,
    MAX_TEXT,
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
from mailtap.sources.json_records import JsonTexts

Record = Mapping[str, object]

#: Texts of a kind of field that are remembered with their values.
REMEMBERED = 1 << 16

_NOTHING = type(None)
_LEAST_SCALED = UNITS[-1][0]
_LARGEST_COUNT = 10**18
_LARGEST_PORT = 65535
_LEAST_NUMBER = 1e-9


def _numbers(values: Sequence[object]) -> bool:
    return set(map(type, values)) <= {float, _NOTHING} and not [
        value
        for value in values
        if value and not _LEAST_NUMBER <= value < _LEAST_SCALED  # type: ignore[operator]
    ]


def _whole_below(bound: int) -> Callable[[Sequence[object]], bool]:
    def plain(values: Sequence[object]) -> bool:
        return set(map(type, values)) <= {int, _NOTHING} and not [
            value
            for value in values
            if value and not 0 < value < bound  # type: ignore[operator]
        ]

    return plain


def _texts(values: Sequence[object]) -> bool:
    if not set(map(type, values)) <= {str, _NOTHING} or "" in values:
        return False
    present = [str(value) for value in values if value is not None]
    joined = "".join(present)
    return (
        joined.isascii()
        and joined.isprintable()
        and " " not in joined
        and max(map(len, present), default=0) <= MAX_TEXT
    )


def _never(_: Sequence[object]) -> bool:
    return False


#: Whether a transform leaves all these values of a JSON record as they are.
_PLAIN: Mapping[Transform, Callable[[Sequence[object]], bool]] = {
    TIME: _numbers,
    SECONDS: _numbers,
    COUNT: _whole_below(_LARGEST_COUNT),
    PORT_NUMBER: _whole_below(_LARGEST_PORT + 1),
    BOOLEAN: lambda values: set(map(type, values)) <= {bool, _NOTHING},
    TEXT: _texts,
}


@cache
def _remembered(transform: Transform) -> Callable[[str], Scalar | None]:
    """The transform of a text alone, shared by all fields that have it."""
    alone = Field(("text",), transform)

    @lru_cache(REMEMBERED)
    def value(text: str) -> Scalar | None:
        return alone.python({"text": text})

    return value


class Column:
    """One field of every record of a batch."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._first = field.places[0]
        self._plain = _PLAIN.get(field.transform, _never)
        self._is_list = field.transform is HAS_MEMBERS
        self._by_first = len(field.places) == 1 or field.combine is Combine.FIRST
        # Where the first place has nothing, the value may still be elsewhere.
        self._elsewhere = len(field.places) > 1 or "." in self._first
        self._of_text = _remembered(field.transform)

    def __call__(self, records: Sequence[Record]) -> list[Scalar | None]:
        if not self._by_first:
            return [self._field.python(JsonTexts(record)) for record in records]
        raw = [record.get(self._first) for record in records]
        values = self._values(raw, records)
        if self._elsewhere and None in values:
            values = [
                self._field.python(JsonTexts(record)) if value is None else value
                for value, record in zip(values, records, strict=True)
            ]
        return values

    def _values(self, raw: list[object], records: Sequence[Record]) -> list[Scalar | None]:
        if self._is_list:
            return [
                bool(value) if type(value) is list else self._value(value, record)
                for value, record in zip(raw, records, strict=True)
            ]
        if self._plain(raw):
            return raw  # type: ignore[return-value]
        return [self._value(value, record) for value, record in zip(raw, records, strict=True)]

    def _value(self, value: object, record: Record) -> Scalar | None:
        if value is None:
            return None
        if type(value) is str:
            return self._of_text(value)
        return self._field.python(JsonTexts(record))
