"""Normal fields of a batch of records, column by column: `Field.python` for a stream.

Most columns of a batch hold only plain values, which the field leaves as they are; to see that
costs little. Any other value is read by the field itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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


class Places:
    """Takes the values at some places out of records, while they are at hand: a batch of whole
    records is large.
    """

    def __init__(self, fields: Iterable[Field]) -> None:
        self._places = tuple(dict.fromkeys(place for field in fields for place in field.places))
        self._dotted = tuple(n for n, place in enumerate(self._places) if "." in place)

    def row(self, record: Record) -> tuple[object, ...]:
        """A place with dots is a key with dots, else keys within each other."""
        row = tuple(map(record.get, self._places))
        for n in self._dotted:
            if row[n] is None:
                return self._within(record, row)
        return row

    def columns(self, rows: Sequence[tuple[object, ...]]) -> dict[str, Sequence[object]]:
        """The values by place."""
        if not rows:
            return dict.fromkeys(self._places, ())
        return dict(zip(self._places, zip(*rows, strict=True), strict=True))

    def _within(self, record: Record, row: tuple[object, ...]) -> tuple[object, ...]:
        found = list(row)
        for n in self._dotted:
            if found[n] is None:
                value: object = record
                for key in self._places[n].split("."):
                    value = value.get(key) if isinstance(value, Mapping) else None
                found[n] = value
        return tuple(found)


class Column:
    """One field of every record of a batch, from the columns of its places."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._first, *self._others = field.places
        self._plain = _PLAIN.get(field.transform, _never)
        self._is_list = field.transform is HAS_MEMBERS
        self._by_first = not self._others or field.combine is Combine.FIRST
        self._of_text = _remembered(field.transform)

    def __call__(self, columns: Mapping[str, Sequence[object]]) -> Sequence[Scalar | None]:
        raw = columns[self._first]
        if not self._by_first:
            return [self._at(columns, n) for n in range(len(raw))]
        values = self._values(raw)
        if self._others and None in values:
            values = [
                self._at(columns, n) if value is None else value for n, value in enumerate(values)
            ]
        return values

    def _values(self, raw: Sequence[object]) -> Sequence[Scalar | None]:
        if self._is_list:
            return [bool(value) if type(value) is list else self._value(value) for value in raw]
        if self._plain(raw):
            return raw  # type: ignore[return-value]
        of_text = self._of_text
        return [of_text(value) if type(value) is str else self._value(value) for value in raw]

    def _value(self, value: object) -> Scalar | None:
        if value is None:
            return None
        text = JsonTexts({"value": value})["value"]
        return None if text is None else self._of_text(text)

    def _at(self, columns: Mapping[str, Sequence[object]], n: int) -> Scalar | None:
        record = {place: columns[place][n] for place in self._field.places}
        return self._field.python(JsonTexts(record))
