"""Small pieces of SQL that DuckDB and Spark both read."""

from __future__ import annotations

from collections.abc import Iterable


def text(value: str) -> str:
    """A string as an SQL literal.

    Spark reads backslash escapes in literals and DuckDB does not, so those that could differ are
    refused: the names written into queries come from MailTap and from the policy, never from a log.
    """
    if "\\" in value or "\0" in value:
        raise ValueError(f"not usable as a name in a query: {value!r}")
    return "'" + value.replace("'", "''") + "'"


def texts(values: Iterable[str]) -> str:
    """Strings as the right side of an IN."""
    return "(" + ", ".join(text(value) for value in values) + ")"
