"""Records in Parquet files: columns with types (https://parquet.apache.org/docs/file-format/)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from mailtap.records.containers import Texts, columns_sql
from mailtap.records.record_file import RecordFile, parquet_sql, quoted

#: Structs within each other whose members are places.
DEEPEST = 4

#: A DOUBLE holds all whole numbers up to here.
_WHOLE = 1 << 53

_FLOATING = frozenset({"float", "double"})
_NUMBERS = _FLOATING | {
    *("tinyint", "smallint", "integer", "bigint", "hugeint", "decimal"),
    *("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"),
}
_TEXTS = frozenset({"varchar", "boolean", "enum", "uuid", "null"})
_MOMENTS = frozenset(
    {"timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone"}
)
_SEVERAL = frozenset({"list", "struct", "map"})
#: As Suricata writes it, which is what the reading of times expects first.
_MOMENT = "'%Y-%m-%dT%H:%M:%S.%fZ'"


@dataclass(frozen=True)
class TypedColumn:
    """A column, or a member of a struct: SQL of it, its type, and what kind of values that has.

    `kind`: `number`, `floating` (a number, too), `text`, `moment`, `several` (a list, struct or
    map), or None for a type of which no field has a value.
    """

    sql: str
    type: str
    kind: str | None

    def text(self) -> str:
        """SQL of the value as the text that a file of lines would have."""
        if self.kind == "floating":  # whole numbers are so, too, where some of them are missing
            return (
                f"CASE WHEN {self.sql} = floor({self.sql}) AND abs({self.sql}) < {_WHOLE} "
                f"THEN CAST(CAST({self.sql} AS BIGINT) AS VARCHAR) "
                f"WHEN isfinite({self.sql}) THEN CAST({self.sql} AS VARCHAR) END"
            )
        if self.kind == "moment":
            return f"strftime(CAST({self.sql} AS TIMESTAMP), {_MOMENT})"
        if self.kind == "several":  # as JSON; a merge patch leaves out unset members (RFC 7396)
            json = f"to_json({self.sql})"
            whole = f"CASE json_type({json}) WHEN 'ARRAY' THEN {json}"
            whole += f" ELSE json_merge_patch('{{}}', {json}) END"
            return f"CASE WHEN {self.sql} IS NOT NULL THEN CAST({whole} AS VARCHAR) END"
        return f"CAST({self.sql} AS VARCHAR)"


@dataclass(frozen=True)
class Parquet:
    """Columns with types. A place is a column's name, or with dots that of a struct's member.

    A record has no line; the number of a bad one is its own.
    """

    columns: Mapping[str, TypedColumn]

    first_line = 1

    @staticmethod
    def of_schema(schema: Iterable[tuple[str, Any]]) -> Parquet:
        """The container of a table with columns of these names and DuckDB's types."""
        found: dict[str, TypedColumn] = {}
        for place, sql, kind in _members(schema, "", "", DEEPEST):
            found.setdefault(place, TypedColumn(sql, str(kind), _kind(kind)))
        return Parquet(found)

    def relation(self, file: RecordFile, places: Sequence[str], parallel: bool = True) -> str:
        """See Container."""
        del parallel  # whether rows keep their order is the query engine's setting
        return self.select(places, (), parquet_sql(file))

    def select(self, places: Sequence[str], numbers: Collection[str], table: str) -> str:
        """SQL of a table with these columns: `p0` and so on for places, and `bad`.

        Those of `numbers` have type DOUBLE, all others have texts.
        """
        columns = columns_sql([self._value(place, place in numbers) for place in places])
        return f"SELECT {columns}, false AS bad FROM {table}"

    def _value(self, place: str, as_number: bool) -> str:
        column = self.columns.get(place)
        if column is None:
            return f"CAST(NULL AS {'DOUBLE' if as_number else 'VARCHAR'})"
        return f"CAST({column.sql} AS DOUBLE)" if as_number else column.text()

    def without_numbers(self, places: Iterable[str]) -> set[str]:
        """Those of the places whose columns are not of numbers."""
        kinds = {place: self.columns[place].kind for place in places if place in self.columns}
        return {place for place, kind in kinds.items() if kind not in ("number", "floating")}

    def of_kinds(self, places: Iterable[str], kinds: Collection[str | None]) -> TypedColumn | None:
        """A column at one of the places that has values of one of the kinds."""
        found = (self.columns[place] for place in places if place in self.columns)
        return next((column for column in found if column.kind in kinds), None)

    def parse(self, line: str) -> Texts | None:
        """See Container: there are no lines."""
        del line
        return None  # a record that isn't there


def write_parquet(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Writes the result of a query to a Parquet file."""
    connection.execute(f"COPY ({query}) TO {quoted(str(path))} (FORMAT parquet, COMPRESSION zstd)")


def _members(
    named: Iterable[tuple[str, Any]], place: str, sql: str, deepest: int
) -> Iterable[tuple[str, str, Any]]:
    """Place, SQL and type of each column, and then of the members of structs."""
    structs = []
    for name, kind in named:
        column = sql + '"' + name.replace('"', '""') + '"'
        yield place + name, column, kind
        if kind.id == "struct" and deepest:
            structs.append((kind.children, f"{place}{name}.", f"{column}."))
    for children, inner, prefix in structs:
        yield from _members(children, inner, prefix, deepest - 1)


def _kind(kind: Any) -> str | None:
    if kind.id in _FLOATING:
        return "floating"
    kinds = {"number": _NUMBERS, "text": _TEXTS, "moment": _MOMENTS, "several": _SEVERAL}
    return next((name for name, ids in kinds.items() if kind.id in ids), None)
