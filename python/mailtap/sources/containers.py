"""How records lie in a file: CSV, key=value, fields by position (JSON: json_records.py).

Each container gives the texts at chosen places of every record, as an SQL relation over a whole
file and as Python over one line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
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


def columns_sql(expressions: Sequence[str]) -> str:
    return ", ".join(f"{expression} AS p{n}" for n, expression in enumerate(expressions))


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
        chosen = columns_sql(
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
        columns = columns_sql(
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
        columns = columns_sql([f"trim(v[{int(place) + 1}], '\"')" for place in places])
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
