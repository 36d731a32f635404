"""Records as the query engine reads them by itself: in parallel, and numbers as numbers.

That is several times as fast as to take lines apart with SQL, but it stops at the first malformed
line without counting any. So a file is read like this first, and by its container's `relation`
where it turns out to have something malformed: `staging.py`. What both read is the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mailtap.records.containers import Container, Csv, Separated, columns_sql
from mailtap.records.json_records import JsonLines
from mailtap.records.parquet import Parquet
from mailtap.records.record_file import (
    MAX_LINE_BYTES,
    RecordFile,
    parquet_sql,
    path_option,
    quoted,
)

#: Where several levels of JSON keys end.
_Keys = dict[str, "str | _Keys"]

_NUMERAL = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")


@dataclass(frozen=True)
class Relation:
    """SQL with a row per record: a column per place, `p0`, `p1` and so on, and `bad`.

    `numbers` are the places whose columns have type DOUBLE; all others have texts.
    """

    sql: str
    numbers: frozenset[str] = frozenset()


def native(
    container: Container,
    file: RecordFile,
    places: Sequence[str],
    numeric: Sequence[Collection[str]],
) -> Relation | None:
    """How the query engine itself reads the places of a file; None where it can't.

    `numeric` has the places of each field that may be of numbers: all of a field's are read so, or
    none, by what the head of the file has.
    """
    if not isinstance(container, Csv | JsonLines | Parquet | Separated):
        return None
    numbers = frozenset(place for field in numeric for place in field)
    if isinstance(container, Parquet):
        numbers -= container.without_numbers(numbers)
    else:
        numbers -= _with_other_texts(container, file, numbers)
    while mixed := {
        place
        for field in numeric
        if not numbers.issuperset(field)
        for place in numbers.intersection(field)
    }:
        numbers -= mixed
    if isinstance(container, Parquet):
        return Relation(container.select(places, numbers, parquet_sql(file)), numbers)
    if isinstance(container, Csv):
        return _csv(container, file, places, numbers)
    if isinstance(container, Separated):
        return _separated(container, file, places, numbers)
    return _json_lines(file, places, numbers)


def _with_other_texts(
    container: Csv | JsonLines | Separated, file: RecordFile, places: Collection[str]
) -> set[str]:
    """The places that have texts in the head of the file which are no numbers."""
    records = map(container.parse, file.head[container.first_line - 1 : -1])
    return {
        place
        for record in records
        if record is not None
        for place in places
        if (text := record.get(place)) and not _NUMERAL.fullmatch(text)
    }


def _type(place: str, numbers: Collection[str]) -> str:
    return "DOUBLE" if place in numbers else "VARCHAR"


def _csv_options(file: RecordFile, types: Sequence[str], skip: int) -> str:
    columns = ", ".join(f"'c{n}': '{kind}'" for n, kind in enumerate(types))
    return (
        f"{path_option(file)}, auto_detect = false, header = false, hive_partitioning = false, "
        f"max_line_size = {MAX_LINE_BYTES}, skip = {skip}, columns = {{{columns}}}"
    )


def _csv(
    csv: Csv, file: RecordFile, places: Sequence[str], numbers: frozenset[str]
) -> Relation | None:
    first = {name: n for n, name in reversed(list(enumerate(csv.names)))}
    types = [
        _type(name, numbers) if first[name] == n else "VARCHAR" for n, name in enumerate(csv.names)
    ]
    columns = columns_sql([f"c{first[place]}" if place in first else "NULL" for place in places])
    return Relation(
        f"SELECT {columns}, false AS bad FROM read_csv({_csv_options(file, types, skip=1)}, "
        f"delim = {quoted(csv.delimiter)}, quote = '\"', escape = '\"', strict_mode = true)",
        numbers,
    )


def _separated(
    log: Separated, file: RecordFile, places: Sequence[str], numbers: frozenset[str]
) -> Relation | None:
    """Where values are missing at the end of a line the last column is NULL; `#close` is a line of
    two values. Any other line with # below the header may be another header.

    Numbers are cast here: read as such, none could be unset.
    """
    header = next((n for n, line in enumerate(file.head) if not line.startswith("#")), 0)
    if not header:
        return None
    types = ["VARCHAR"] * len(log.names)
    last = f"c{len(types) - 1}"
    first = {name: n for n, name in reversed(list(enumerate(log.names)))}

    def column(place: str) -> str:
        if place not in first:
            return "NULL"
        text = f"nullif(c{first[place]}, {quoted(log.unset)})"
        if place not in numbers:
            return text
        return f"CAST(CASE WHEN NOT starts_with(c0, '#') THEN {text} END AS DOUBLE)"

    columns = columns_sql([column(place) for place in places])
    return Relation(
        f"SELECT {columns}, CASE WHEN NOT starts_with(c0, '#close') "
        f"THEN starts_with(c0, '#') OR {last} IS NULL WHEN c0 IS NULL THEN true END AS bad "
        f"FROM read_csv({_csv_options(file, types, header)}, delim = {quoted(log.separator)}, "
        "quote = '', escape = '', null_padding = true, strict_mode = true)",
        numbers,
    )


def _json_lines(
    file: RecordFile, places: Sequence[str], numbers: frozenset[str]
) -> Relation | None:
    """A place is a key with dots, else keys within each other."""
    tree: _Keys = {}
    for place in places:
        for path in {(place,), tuple(place.split("."))}:
            if not _add(tree, path, _type(place, numbers)):
                return None
    columns = columns_sql([_json_column(place) for place in places])
    spec = ", ".join(f"{quoted(key)}: {quoted(_struct(value))}" for key, value in tree.items())
    return Relation(
        f"SELECT {columns}, false AS bad FROM read_json({path_option(file)}, "
        "format = 'newline_delimited', hive_partitioning = false, "
        f"maximum_object_size = {MAX_LINE_BYTES}, columns = {{{spec}}})",
        numbers,
    )


def _add(tree: _Keys, path: Sequence[str], kind: str) -> bool:
    """Puts a key into the tree; False where it, or a key in other case, is there otherwise."""
    *keys, last = path
    for key in keys:
        inner = tree.setdefault(key, {})
        if isinstance(inner, str) or _in_other_case(tree, key):
            return False
        tree = inner
    if last in tree or not last:
        return False
    tree[last] = kind
    return not _in_other_case(tree, last)


def _in_other_case(tree: Mapping[str, object], key: str) -> bool:
    """The query engine's names of columns don't differ by case alone."""
    return sum(other.lower() == key.lower() for other in tree) > 1


def _struct(value: str | _Keys) -> str:
    if isinstance(value, str):
        return value
    inner = ", ".join(f"{_name(key)} {_struct(kind)}" for key, kind in value.items())
    return f"STRUCT({inner})"


def _json_column(place: str) -> str:
    keys = place.split(".")
    if len(keys) == 1:
        return _name(place)
    return f"coalesce({_name(place)}, {'.'.join(map(_name, keys))})"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
