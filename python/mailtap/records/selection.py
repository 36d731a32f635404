"""Normal fields of every record of a file, as SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from mailtap.printable import printable
from mailtap.records.containers import Container
from mailtap.records.fields import MAX_TEXT, Field, number_sql, trimmed_sql
from mailtap.records.native import Relation, native
from mailtap.records.parquet import Parquet
from mailtap.records.record_file import RecordFile, UnreadableFileError, quoted

#: Between texts that are matched together. No text has it that is plain.
_SEPARATOR = r"\x01"


class Reading(Enum):
    """How a file is read.

    NATIVE: by the query engine itself, which raises an error for what is malformed. LINES: line by
    line; malformed lines are rows that are `bad`. IN_ORDER: likewise, in the file's order.
    """

    NATIVE = "native"
    LINES = "lines"
    IN_ORDER = "in order"


class NotNativeError(Exception):
    """The query engine can't read records by itself that lie in a file like this."""


def selection(
    container: Container,
    file: RecordFile,
    fields: Mapping[str, Field],
    names: Sequence[str],
    reading: Reading,
) -> str:
    """SQL with a row per record and a column for each of `names`, NULL where `fields` has none.

    Column `bad` is true for a line that is no record, and NULL for an empty line. Raises
    NotNativeError, and UnreadableFileError for a column of a type that its field can't have.
    """
    if isinstance(container, Parquet):
        _check_types(container, file, fields)
    places = list(dict.fromkeys(place for field in fields.values() for place in field.places))
    columns = {place: f"p{n}" for n, place in enumerate(places)}
    relation = _relation(container, file, fields, places, reading)
    # Texts of fields that have nothing but numbers are cast once, however often they are used.
    only_numbers = _places_of(
        [field for field in fields.values() if field.transform.only_numbers], fields
    )
    cast = only_numbers - relation.numbers
    numbers = only_numbers | relation.numbers
    plain = {
        name: field
        for name, field in fields.items()
        if field.transform.plain is not None and numbers.isdisjoint(field.places)
    }

    def value(name: str) -> str:
        field = fields[name]
        if numbers.issuperset(field.places):
            return field.sql_of_numbers(columns)
        if name in plain:
            return (
                f"CASE WHEN plain THEN {field.sql_of_plain(columns)} ELSE {field.sql(columns)} END"
            )
        return field.sql(columns)

    values = ", ".join(f'{value(name) if name in fields else "NULL"} AS "{name}"' for name in names)
    prepared = ", ".join(
        f"{number_sql(trimmed_sql(column)) if place in cast else column} AS {column}"
        for place, column in columns.items()
    )
    return (
        f"SELECT {values}, bad FROM (SELECT {prepared}, {_are_plain(plain, columns)} AS plain, bad "
        f"FROM ({relation.sql}))"
    )


def _check_types(container: Parquet, file: RecordFile, fields: Mapping[str, Field]) -> None:
    for field in fields.values():
        unusable: set[str | None] = {None}
        if field.transform.number is not None:
            unusable.add("several")
        if field.transform.only_numbers:
            unusable.add("moment")
        column = container.of_kinds(field.places, unusable)
        if column is not None:
            needed = "a number" if field.transform.only_numbers else "a text or a number"
            raise UnreadableFileError(
                f"{file.named}: column {printable(column.sql)} has type {printable(column.type)}, "
                f"where {needed} is needed"
            )


def _relation(
    container: Container,
    file: RecordFile,
    fields: Mapping[str, Field],
    places: Sequence[str],
    reading: Reading,
) -> Relation:
    if reading is not Reading.NATIVE:
        parallel = reading is not Reading.IN_ORDER
        return Relation(container.relation(file, places, parallel))
    numeric = [field for field in fields.values() if field.transform.number is not None]
    alone = _places_of(numeric, fields)
    relation = native(
        container, file, places, [f.places for f in numeric if alone.issuperset(f.places)]
    )
    if relation is None:
        raise NotNativeError
    return relation


def _places_of(chosen: Sequence[Field], fields: Mapping[str, Field]) -> frozenset[str]:
    """The places of the chosen fields that no other field reads."""
    others = [field for field in fields.values() if field not in chosen]
    places = {place for field in chosen for place in field.places}
    return frozenset(places.difference(*(field.places for field in others)))


def _are_plain(fields: Mapping[str, Field], columns: Mapping[str, str]) -> str:
    """SQL of whether each text of the fields is empty or plain.

    Those with a regular expression are matched together, which takes a fraction of the time.
    """
    texts = dict.fromkeys(
        (columns[place], field.transform.plain)
        for field in fields.values()
        for place in field.places
        if place in columns
    )
    conditions = [
        f"coalesce({column} IN ('', {', '.join(map(quoted, plain))}), true)"
        for column, plain in texts
        if isinstance(plain, tuple)
    ]
    patterns = [(column, plain) for column, plain in texts if isinstance(plain, str)]
    if patterns:
        joined = "concat(" + ", chr(1), ".join(column for column, _ in patterns) + ")"
        pattern = _SEPARATOR.join(f"(?:{plain})?" for _, plain in patterns)
        conditions += [
            f"strlen({joined}) <= {MAX_TEXT}",
            f"regexp_full_match({joined}, '{pattern}')",
        ]
    return f"({' AND '.join(conditions) or 'true'})"
