"""Conditions on a session with its label, as data that gives SQL and a function of one record.

Every condition is either true or false, never NULL: a field that is unset makes `Is`, `Above` and
`Differs` false. Both forms are held to the same answer by a property test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mailtap.correlation import sql

Value = str | int | bool

#: A record by its fields' names, unset ones None; and what is asked of it.
Record = Mapping[str, Any]
Test = Callable[[Record], bool]


class Condition(Protocol):
    def sql(self) -> str:
        """The condition as an SQL expression that is never NULL."""

    def python(self) -> str:
        """The same as a Python expression, of a `record` that has the fields it names."""


def test_of(condition: Condition) -> Test:
    """The condition as a function of a record. It is compiled as one expression: a function each
    part takes five times as long.
    """
    # What is evaluated is made of the conditions of verdicts.py; values are written by `repr`.
    test: Test = eval(f"lambda record: {condition.python()}")  # noqa: S307
    return test


def bits_of(conditions: Mapping[int, Condition]) -> Callable[[Record], int]:
    """The sum of the bits whose conditions hold, as a function of a record."""
    parts = " | ".join(f"{bit} * {condition.python()}" for bit, condition in conditions.items())
    bits: Callable[[Record], int] = eval(f"lambda record: {parts}")  # noqa: S307 -- as above
    return bits


class Is:
    """The field has one of the values."""

    def __init__(self, field: str, *values: Value) -> None:
        self.field = field
        self.values = values

    def sql(self) -> str:
        return f"coalesce({self.field} IN {sql.literals(self.values)}, false)"

    def python(self) -> str:
        return f"(record[{self.field!r}] in {self.values!r})"


@dataclass(frozen=True)
class Unset:
    field: str

    def sql(self) -> str:
        return f"({self.field} IS NULL)"

    def python(self) -> str:
        return f"(record[{self.field!r}] is None)"


@dataclass(frozen=True)
class Above:
    field: str
    bound: int

    def sql(self) -> str:
        return f"coalesce({self.field} > {self.bound}, false)"

    def python(self) -> str:
        value = f"record[{self.field!r}]"
        return f"({value} is not None and {value} > {self.bound!r})"


@dataclass(frozen=True)
class Differs:
    """Both fields are set, and not to the same value."""

    field: str
    other: str

    def sql(self) -> str:
        return f"coalesce({self.field} <> {self.other}, false)"

    def python(self) -> str:
        value, other = f"record[{self.field!r}]", f"record[{self.other!r}]"
        return f"({value} is not None and {other} is not None and {value} != {other})"


class All:
    def __init__(self, *parts: Condition) -> None:
        self.parts = parts

    def sql(self) -> str:
        return "(" + (" AND ".join(part.sql() for part in self.parts) or "true") + ")"

    def python(self) -> str:
        return "(" + (" and ".join(part.python() for part in self.parts) or "True") + ")"


class Either:
    def __init__(self, *parts: Condition) -> None:
        self.parts = parts

    def sql(self) -> str:
        return "(" + (" OR ".join(part.sql() for part in self.parts) or "false") + ")"

    def python(self) -> str:
        return "(" + (" or ".join(part.python() for part in self.parts) or "False") + ")"


class FirstOf:
    """The second condition of the first branch whose first condition is true; false without any."""

    def __init__(self, *branches: tuple[Condition, Condition]) -> None:
        self.branches = branches

    def sql(self) -> str:
        cases = " ".join(f"WHEN {when.sql()} THEN {then.sql()}" for when, then in self.branches)
        return f"(CASE {cases} ELSE false END)" if cases else "false"

    def python(self) -> str:
        cases = (f"{then.python()} if {when.python()} else " for when, then in self.branches)
        return f"({''.join(cases)}False)"


@dataclass(frozen=True)
class Not:
    part: Condition

    def sql(self) -> str:
        return f"(NOT {self.part.sql()})"

    def python(self) -> str:
        return f"(not {self.part.python()})"
