"""Small expressions of SQL that DuckDB and Spark both read."""

from __future__ import annotations

from collections.abc import Iterable


def literal(value: str | int | bool) -> str:
    """A value as an SQL literal.

    Spark reads backslash escapes in literals and DuckDB does not, so text that could differ is
    refused: what is written into queries comes from MailTap and from the policy, never from a log.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if "\\" in value or "\0" in value:
        raise ValueError(f"not usable in a query: {value!r}")
    return "'" + value.replace("'", "''") + "'"


def literals(values: Iterable[str | int | bool]) -> str:
    """Values as the right side of an IN; no value at all is a list that nothing is in."""
    return "(" + (", ".join(literal(value) for value in values) or "NULL") + ")"


def columns(names: Iterable[str], table: str | None = None) -> str:
    """Names as a list of columns, of one table of a join if it is given."""
    prefix = f"{table}." if table else ""
    return ", ".join(prefix + name for name in names)


def same(names: Iterable[str], one: str, other: str) -> str:
    """The condition that columns of two tables of a join are equal, those of the same name."""
    return " AND ".join(f"{one}.{name} = {other}.{name}" for name in names)
