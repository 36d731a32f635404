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

from mailtap.records.record_file import RecordFile, lines_sql, quoted, scan_options

MAX_COLUMNS = 4096
DELIMITERS = (",", "|", ";", "\t")

Texts = Mapping[str, str | None]


class TooManyColumnsError(Exception):
    """A header line with more columns than any format has."""


class Container(Protocol):
    """A way records lie in a file; `first_line` is the number of the first record's line."""

    @property
    def first_line(self) -> int: ...

    def relation(self, file: RecordFile, places: Sequence[str], parallel: bool = True) -> str:
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
    """Values between delimiters, in quotes where needed, below a line that names them."""

    delimiter: str
    names: tuple[str, ...]

    first_line = 2

    @staticmethod
    def of_header(line: str) -> Csv:
        """The container that a header line describes, by the delimiter that splits it most.

        A mark of comment before the first name is no part of it. A line that is no CSV names
        nothing. Raises TooManyColumnsError.
        """
        delimiter = max(DELIMITERS, key=line.count)
        if line.count(delimiter) >= MAX_COLUMNS:
            raise TooManyColumnsError(f"more than {MAX_COLUMNS} columns")
        try:
            names = next(csv.reader([line.lstrip("#")], delimiter=delimiter), [])
        except csv.Error:
            names = []
        return Csv(delimiter, tuple(name.strip() for name in names))

    def relation(self, file: RecordFile, places: Sequence[str], parallel: bool = True) -> str:
        """See Container."""
        columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(self.names)))
        chosen = columns_sql(
            [f"c{self.names.index(place)}" if place in self.names else "NULL" for place in places]
        )
        return (
            f"SELECT {chosen}, false AS bad FROM read_csv({scan_options(file)}, "
            f"strict_mode = {str(file.strict).lower()}, delim = {quoted(self.delimiter)}, "
            f"quote = '\"', escape = '\"', skip = 1, columns = {{{columns}}}, "
            f"parallel = {str(parallel).lower()})"
        )

    def parse(self, line: str) -> Texts | None:
        """See Container."""
        try:
            values = next(csv.reader([line], delimiter=self.delimiter), [])
        except csv.Error:
            return None
        if len(values) != len(self.names):
            return None
        return dict(reversed(list(zip(self.names, values, strict=True))))


@dataclass(frozen=True)
class Separated:
    """Values between separators and never in quotes, as Zeek writes them; lines with # are none.

    `header` is the line that names the values. Another one further down is a bad record: what
    follows it may have other values.
    """

    separator: str
    names: tuple[str, ...]
    unset: str
    header: str

    first_line = 1

    def relation(self, file: RecordFile, places: Sequence[str], parallel: bool = True) -> str:
        """See Container."""
        chosen = columns_sql(
            [
                f"nullif(v[{self.names.index(place) + 1}], {quoted(self.unset)})"
                if place in self.names
                else "NULL"
                for place in places
            ]
        )
        return (
            f"SELECT {chosen}, CASE WHEN NOT starts_with(line, '#') "
            f"THEN len(v) <> {len(self.names)} "
            f"WHEN starts_with(line, '#fields') AND line <> {quoted(self.header)} THEN true "
            f"END AS bad FROM (SELECT line, string_split(line, {quoted(self.separator)}) AS v "
            f"FROM {lines_sql(file, parallel)})"
        )

    def parse(self, line: str) -> Texts | None:
        """See Container."""
        values = line.split(self.separator)
        if line.startswith("#") or len(values) != len(self.names):
            return None
        return {
            name: None if text == self.unset else text
            for name, text in zip(self.names, values, strict=True)
        }


PAIR = r'([A-Za-z0-9_.-]{1,64})=("(?:[^"\\]|\\.)*"|[^ \t,"]*)'
_PAIR = re.compile(PAIR)


@dataclass(frozen=True)
class KeyValue:
    """key=value pairs; values with blanks or commas in quotes; of a key the first one counts."""

    first_line = 1

    def relation(self, file: RecordFile, places: Sequence[str], parallel: bool = True) -> str:
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

    def relation(self, file: RecordFile, places: Sequence[str], parallel: bool = True) -> str:
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
