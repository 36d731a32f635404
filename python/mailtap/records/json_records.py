"""JSON records: an object a line, or a document with a list of them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from types import NoneType

from mailtap.records.containers import Texts, columns_sql
from mailtap.records.record_file import RecordFile, lines_sql, path_option, quoted

# A document that is no list is read as one value.
MAX_DOCUMENT_BYTES = 1 << 28
DATA_KEY = "data"
BEFORE_OBJECT = " \t0123456789"

_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class JsonLines:
    """A JSON object a line, digits before it allowed (nDPId's length prefix).

    A place is a key; one with dots is a key with dots, else keys within each other.
    """

    first_line = 1

    def relation(self, file: RecordFile, places: Sequence[str], parallel: bool = True) -> str:
        """See Container."""
        objects = (
            f"SELECT CASE WHEN trim(line) <> '' THEN ltrim(line, '{BEFORE_OBJECT}') END AS object "
            f"FROM {lines_sql(file, parallel)}"
        )
        return _texts_sql(objects, places)

    def parse(self, line: str) -> Texts | None:
        """See Container."""
        try:
            record = json.loads(line.lstrip(BEFORE_OBJECT), parse_constant=_refuse)
        except (ValueError, RecursionError):
            return None
        return JsonTexts(record) if isinstance(record, dict) else None


@dataclass(frozen=True)
class JsonDocument:
    """A list of JSON objects, by itself or, `wrapped`, below the key `data` of an object.

    Places as in JsonLines. A record has no line; the number of a bad one is its own.
    """

    wrapped: bool

    first_line = 1

    @staticmethod
    def of_head(text: str) -> JsonDocument | None:
        """The container of a file that begins with `text`, None if it is no such document."""
        for wrapped in (False, True):
            container = JsonDocument(wrapped)
            if container.parse(text) is not None:
                return container
        return None

    def relation(self, file: RecordFile, places: Sequence[str], parallel: bool = True) -> str:
        """See Container."""
        del parallel  # a document is read by one scanner anyway
        way = "unstructured" if self.wrapped else "array"
        values = f"unnest(json_extract(json, '$.{DATA_KEY}[*]'))" if self.wrapped else "json"
        objects = (
            f"SELECT {values}::VARCHAR AS object FROM read_json_objects({path_option(file)}, "
            f"format = '{way}', maximum_object_size = {MAX_DOCUMENT_BYTES})"
        )
        return _texts_sql(objects, places)

    def parse(self, line: str) -> Texts | None:
        """The texts of the first record in the beginning of a document."""
        text = line.lstrip()
        if self.wrapped:
            text = text.partition(f'"{DATA_KEY}"')[2].lstrip(" \t\r\n:")
        if not text.startswith("["):
            return None
        try:
            record, _ = json.JSONDecoder().raw_decode(text[1:].lstrip())
        except (ValueError, RecursionError):
            return None
        return JsonTexts(record) if isinstance(record, dict) else None


def _texts_sql(objects: str, places: Sequence[str]) -> str:
    """SQL of a container's relation from `objects`, SQL with a column `object` of JSON text."""
    paths: list[str] = []
    columns = []
    for place in places:
        first = len(paths) + 1
        paths += json_paths(place)
        found = [f"v[{n}]" for n in range(first, len(paths) + 1)]
        columns.append(f"coalesce({', '.join(found)})")
    listed = ", ".join(map(quoted, paths))
    return (
        f"SELECT {columns_sql(columns)}, CASE WHEN object IS NOT NULL THEN v IS NULL END AS bad "
        "FROM (SELECT object, CASE WHEN starts_with(object, '{') AND json_valid(object) "
        f"THEN json_extract_string(object, [{listed}]) END AS v FROM ({objects}))"
    )


def json_paths(place: str) -> list[str]:
    """JSON paths of a place: the key itself, and keys within each other."""
    keys = [key.replace("\\", "\\\\").replace('"', '\\"') for key in place.split(".")]
    whole = '$."' + ".".join(keys) + '"'
    return [whole] if len(keys) == 1 else [whole, "$" + "".join(f'."{key}"' for key in keys)]


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _as_text(value: object) -> str | None:
    """A JSON value as the text that the query engine takes it for."""
    if value is None or isinstance(value, str):
        return value
    # As the encoder writes these, by far faster.
    if type(value) is int:
        return str(value)
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float and math.isfinite(value):
        return repr(value)
    if type(value) is list and set(map(type, value)) <= {str}:
        return f"[{','.join(map(encode_basestring, value))}]"
    return _COMPACT.encode(value)


class JsonTexts(Mapping[str, str | None]):
    """The texts of a JSON object by place."""

    def __init__(self, record: Mapping[str, object]) -> None:
        """Of a parsed object."""
        self._record = record

    def __getitem__(self, place: str) -> str | None:
        """The text at a place, None when there is none."""
        direct = _as_text(self._record.get(place))
        if direct is not None or "." not in place:
            return direct
        value: object = self._record
        for key in place.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return _as_text(value)

    def __iter__(self) -> Iterator[str]:
        """The object's own keys."""
        return iter(self._record)

    def __len__(self) -> int:
        """The number of the object's own keys."""
        return len(self._record)


def values_at(place: str, records: Sequence[Mapping[str, object]]) -> list[object]:
    """The value of each of these parsed objects at a place, of which `texts_of` gives the text that
    JsonTexts has.
    """
    found = [record.get(place) for record in records]
    if "." not in place or None not in found:
        return found
    values: list[object] = [*records]
    for key in place.split("."):
        values = [value.get(key) if isinstance(value, dict) else None for value in values]
        if values.count(None) == len(values):
            return found
    return [inner if one is None else one for one, inner in zip(found, values, strict=True)]


def texts_of(values: Sequence[object]) -> Sequence[str | None]:
    """JSON values as texts."""
    # Nearly all are of one kind, and a call for each takes longer than to see that.
    kinds = set(map(type, values))
    if kinds <= {str, NoneType}:
        return values  # type: ignore[return-value]
    if kinds == {bool}:
        return ["true" if value else "false" for value in values]
    return [*map(_as_text, values)]
