"""How records lie in a file: JSON lines, CSV, key=value, fields by position.

Each container gives the texts at chosen places of every record, as an SQL relation over a whole
file and as Python over one line.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mailtap.sources.textfile import TextFile, lines_sql, quoted, scan_options

MAX_COLUMNS = 4096
DELIMITERS = (",", "|", ";", "\t")

Texts = Mapping[str, str | None]


class TooManyColumnsError(Exception):
    """A header line with more columns than any format has."""


class Container(Protocol):
    """A way records lie in a file; `first_line` is the number of the first record's line."""

    @property
    def first_line(self) -> int: ...

    def relation(self, file: TextFile, places: Sequence[str], parallel: bool = True) -> str:
        """SQL with a row per record: a text column per place, `p0`, `p1` and so on, and `bad`.

        `bad` is true where a line is no record; records that the scan itself can't split are noted
        as rejected instead. Empty lines are rows whose `bad` is NULL.
        """

    def parse(self, line: str) -> Texts | None:
        """The texts of one line by place, or None when it is no record."""


def _columns(expressions: Sequence[str]) -> str:
    return ", ".join(f"{expression} AS p{n}" for n, expression in enumerate(expressions))


def as_text(value: object) -> str | None:
    """A JSON value as the text that the query engine takes it for."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class JsonLines:
    """A JSON object a line, digits before it allowed (nDPId's length prefix).

    A place is a key; one with dots is a key with dots, else keys within each other.
    """

    first_line = 1

    def relation(self, file: TextFile, places: Sequence[str], parallel: bool = True) -> str:
        """See Container."""
        paths: list[str] = []
        columns = []
        for place in places:
            first = len(paths) + 1
            paths += _json_paths(place)
            found = [f"v[{n}]" for n in range(first, len(paths) + 1)]
            columns.append(f"coalesce({', '.join(found)})")
        listed = ", ".join(map(quoted, paths))
        return (
            f"SELECT {_columns(columns)}, v IS NULL AND object IS NOT NULL AS bad "
            "FROM (SELECT object, CASE WHEN json_valid(object) AND json_type(object) = 'OBJECT' "
            f"THEN json_extract_string(object, [{listed}]) END AS v "
            f"FROM (SELECT ltrim(line, '0123456789') AS object FROM {lines_sql(file, parallel)}))"
        )

    def parse(self, line: str) -> Texts | None:
        """See Container."""
        try:
            record = json.loads(line.lstrip("0123456789"), parse_constant=_refuse)
        except (ValueError, RecursionError):
            return None
        return JsonTexts(record) if isinstance(record, dict) else None


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _json_paths(place: str) -> list[str]:
    keys = [key.replace("\\", "\\\\").replace('"', '\\"') for key in place.split(".")]
    whole = '$."' + ".".join(keys) + '"'
    return [whole] if len(keys) == 1 else [whole, "$" + "".join(f'."{key}"' for key in keys)]


class JsonTexts(Mapping[str, str | None]):
    """The texts of a JSON object by place."""

    def __init__(self, record: Mapping[str, object]) -> None:
        self._record = record

    def __getitem__(self, place: str) -> str | None:
        direct = as_text(self._record.get(place))
        if direct is not None or "." not in place:
            return direct
        value: object = self._record
        for key in place.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return as_text(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._record)

    def __len__(self) -> int:
        return len(self._record)


@dataclass(frozen=True)
class Csv:
    """Values between delimiters below a line that names them, or with names known beforehand.

    `skip` is the number of lines above the first record. `quote` empty: values are never quoted.
    """

    delimiter: str
    names: tuple[str, ...]
    skip: int = 1
    quote: str = '"'
    unset: str = ""

    @property
    def first_line(self) -> int:
        """See Container."""
        return self.skip + 1

    @staticmethod
    def of_header(line: str) -> Csv:
        """The container that a header line describes, by the delimiter that splits it most.

        A mark of comment before the first name is no part of it. Raises TooManyColumnsError.
        """
        delimiter = max(DELIMITERS, key=line.count)
        if line.count(delimiter) >= MAX_COLUMNS:
            raise TooManyColumnsError(f"more than {MAX_COLUMNS} columns")
        names = next(csv.reader([line.lstrip("#")], delimiter=delimiter), [])
        return Csv(delimiter, tuple(name.strip() for name in names))

    def relation(self, file: TextFile, places: Sequence[str], parallel: bool = True) -> str:
        """See Container."""
        position = {name: n for n, name in reversed(list(enumerate(self.names)))}
        columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(self.names)))
        chosen = _columns(
            [f"c{position[place]}" if place in position else "NULL" for place in places]
        )
        return (
            f"SELECT {chosen}, false AS bad FROM read_csv({scan_options(file)}, "
            f"delim = {quoted(self.delimiter)}, quote = {quoted(self.quote)}, "
            f"escape = {quoted(self.quote)}, skip = {self.skip}, nullstr = {quoted(self.unset)}, "
            f"columns = {{{columns}}}, parallel = {str(parallel).lower()})"
        )

    def parse(self, line: str) -> Texts | None:
        """See Container."""
        values = self._split(line)
        if values is None or len(values) != len(self.names):
            return None
        return {
            name: None if text == self.unset else text
            for name, text in reversed(list(zip(self.names, values, strict=True)))
        }

    def _split(self, line: str) -> list[str] | None:
        if not self.quote:
            return line.split(self.delimiter)
        try:
            return next(csv.reader([line], delimiter=self.delimiter), None)
        except csv.Error:
            return None


PAIR = r'([A-Za-z0-9_.-]{1,64})=("(?:[^"\\]|\\.)*"|[^ \t"]*)'
_PAIR = re.compile(PAIR)


@dataclass(frozen=True)
class KeyValue:
    """key=value pairs in a line, values with blanks in quotes; the first of a key counts."""

    first_line = 1

    def relation(self, file: TextFile, places: Sequence[str], parallel: bool = True) -> str:
        """See Container."""
        columns = _columns(
            [f"trim(v[list_position(k, {quoted(place)})], '\"')" for place in places]
        )
        return (
            f"SELECT {columns}, len(k) = 0 AS bad FROM ("
            f"SELECT regexp_extract_all(line, {quoted(PAIR)}, 1) AS k, "
            f"regexp_extract_all(line, {quoted(PAIR)}, 2) AS v FROM {lines_sql(file, parallel)})"
        )

    def parse(self, line: str) -> Texts | None:
        """See Container."""
        pairs = _PAIR.findall(line)
        return {key: value.strip('"') for key, value in reversed(pairs)} or None


ITEM = r'("(?:[^"]|"")*"|[^,]*)(?:,|$)'
_ITEM = re.compile(ITEM)


@dataclass(frozen=True)
class Positional:
    """Values between commas that only their position names; a place is a number from 0.

    What stands before the first comma may carry a syslog header.
    """

    first_line = 1

    def relation(self, file: TextFile, places: Sequence[str], parallel: bool = True) -> str:
        """See Container."""
        columns = _columns([f"trim(v[{int(place) + 1}], '\"')" for place in places])
        return (
            f"SELECT {columns}, len(v) < 2 AS bad FROM ("
            f"SELECT regexp_extract_all(line, {quoted(ITEM)}, 1) AS v "
            f"FROM {lines_sql(file, parallel)})"
        )

    def parse(self, line: str) -> Texts | None:
        """See Container."""
        items = _ITEM.findall(line)
        if len(items) < 2:
            return None
        return {str(n): item.strip('"') for n, item in enumerate(items)}
