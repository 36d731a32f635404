"""The texts at some places of a batch of records, a column each place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import duckdb
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from mailtap.live.batches import records
from mailtap.live.sensors.frames import MAXIMUM_LINE_BYTES, MalformedError, read_record
from mailtap.records.containers import Container
from mailtap.records.json_records import BEFORE_OBJECT, JsonLines, json_paths, values_at
from mailtap.records.record_file import quoted

LineBatch = Sequence[str] | Sequence[bytes]

_BEFORE_OBJECT = BEFORE_OBJECT.encode()


class ListedTexts(NamedTuple):
    """By place a text or None each line, or a JSON value that stands for its text; all None where
    the line is no record.
    """

    by_place: Mapping[str, Sequence[object]]
    is_record: Sequence[bool]


class TextArrays(NamedTuple):
    """The texts in Arrow."""

    by_place: Mapping[str, pa.Array]
    is_record: pa.Array


Texts: TypeAlias = ListedTexts | TextArrays

#: Reads lines: up to `FEW` into lists, more into Arrow.
TextReader = Callable[[LineBatch], Texts]


def text_reader(container: Container, places: Sequence[str]) -> TextReader:
    """Reads the lines of a stream whose records lie in them like this."""
    if isinstance(container, JsonLines):
        return JsonTextReader(places)
    return ParsedTextReader(container, places)


class JsonTextReader:
    """Reads lines of JSON objects: many at once in the query engine, which releases the interpreter
    meanwhile; few one by one, since to begin a query takes as long as to read so many.
    """

    def __init__(self, places: Sequence[str]) -> None:
        """A place is a key; one with dots is a key with dots, else keys within each other."""
        self._places = tuple(dict.fromkeys(places))
        self._dotted = tuple(place for place in self._places if "." in place)
        self._connection = duckdb.connect(config={"threads": 1})
        keys = quoted(orjson.dumps(dict.fromkeys(self._places, "VARCHAR")).decode())
        within = ", ".join(quoted(json_paths(place)[-1]) for place in self._dotted)
        (self._query,) = self._connection.extract_statements(
            "SELECT CASE WHEN starts_with(object, '{') "
            f"THEN try(json_transform(object, {keys})) END AS found, "
            f"try(json_extract_string(object, [{within}]::VARCHAR[])) AS within "
            f"FROM (SELECT ltrim(line, '{BEFORE_OBJECT}') AS object FROM lines)"
        )

    def __call__(self, lines: LineBatch) -> Texts:
        """See TextReader."""
        if len(lines) <= records.FEW:
            return self._one_by_one(lines)
        table = self._read(lines)
        if bad := pc.indices_nonzero(pc.is_null(table["found"])).to_pylist():
            places = list(range(len(lines)))
            for n, place in enumerate(bad):
                places[place] = len(lines) + n
            again = self._read([_repaired(lines[place]) for place in bad])
            table = pa.concat_tables([table, again]).take(places)
        found, within = (table[name].combine_chunks() for name in ("found", "within"))
        by_place = dict(zip(self._places, found.flatten(), strict=True))
        for n, place in enumerate(self._dotted):
            by_place[place] = pc.coalesce(by_place[place], pc.list_element(within, n))
        return TextArrays(by_place, found.is_valid())

    def _one_by_one(self, lines: LineBatch) -> Texts:
        found = list(map(_record, lines))
        by_place = {place: values_at(place, found) for place in self._places}
        return ListedTexts(by_place, [record is not _NONE for record in found])

    def _read(self, lines: LineBatch) -> pa.Table:
        try:
            column = pa.array(lines, pa.string())
        except (pa.ArrowInvalid, UnicodeEncodeError):
            column = pa.array(map(_utf8, lines), pa.string())
        if len(lines) and pc.max(pc.binary_length(column)).as_py() > MAXIMUM_LINE_BYTES:
            column = pc.if_else(
                pc.greater(pc.binary_length(column), MAXIMUM_LINE_BYTES), "", column
            )
        self._connection.register("lines", pa.table({"line": column}))
        return self._connection.sql(self._query).to_arrow_table()


def _utf8(line: str | bytes) -> str:
    """The line, or nothing, which is no record, if there is more in it than UTF-8."""
    try:
        return line.decode() if isinstance(line, bytes) else line.encode().decode()
    except UnicodeError:
        return ""


#: What a line is that is no record.
_NONE: Mapping[str, object] = {}


def _record(line: str | bytes) -> Mapping[str, object]:
    """The JSON object in a line, also as Zeek may write it."""
    whole = line if isinstance(line, bytes) else line.encode(errors="surrogatepass")
    try:
        return read_record(whole.lstrip(_BEFORE_OBJECT))
    except MalformedError:
        return _NONE


def _repaired(line: str | bytes) -> str:
    """A record as Zeek may write it, as JSON; nothing if it is none."""
    whole = line if isinstance(line, bytes) else line.encode(errors="surrogatepass")
    try:
        return orjson.dumps(read_record(whole.lstrip(_BEFORE_OBJECT))).decode()
    except MalformedError:
        return ""


class ParsedTextReader:
    """Of lines in any container."""

    def __init__(self, container: Container, places: Sequence[str]) -> None:
        self._container = container
        self._places = tuple(dict.fromkeys(places))

    def __call__(self, lines: LineBatch) -> Texts:
        """See TextReader."""
        found = list(map(self._parse, lines))
        by_place = {
            place: [None if texts is None else texts.get(place) for texts in found]
            for place in self._places
        }
        is_record = [texts is not None for texts in found]
        if len(lines) <= records.FEW:
            return ListedTexts(by_place, is_record)
        arrays = {place: pa.array(texts, pa.string()) for place, texts in by_place.items()}
        return TextArrays(arrays, pa.array(is_record, pa.bool_()))

    def _parse(self, line: str | bytes) -> Mapping[str, str | None] | None:
        if len(line) > MAXIMUM_LINE_BYTES:
            return None
        if isinstance(line, bytes):
            line = line.decode(errors="replace")
        return self._container.parse(line) if line.strip() else None
