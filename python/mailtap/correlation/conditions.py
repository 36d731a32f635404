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

    def test(self) -> Test:
        """The condition as a function of a record that has the fields it names."""


class Is:
    """The field has one of the values."""

    def __init__(self, field: str, *values: Value) -> None:
        self.field = field
        self.values = values

    def sql(self) -> str:
        return f"coalesce({self.field} IN {sql.literals(self.values)}, false)"

    def test(self) -> Test:
        field, values = self.field, frozenset(self.values)
        return lambda record: record[field] in values


@dataclass(frozen=True)
class Unset:
    field: str

    def sql(self) -> str:
        return f"({self.field} IS NULL)"

    def test(self) -> Test:
        field = self.field
        return lambda record: record[field] is None


@dataclass(frozen=True)
class Above:
    field: str
    bound: int

    def sql(self) -> str:
        return f"coalesce({self.field} > {self.bound}, false)"

    def test(self) -> Test:
        field, bound = self.field, self.bound
        return lambda record: record[field] is not None and record[field] > bound


@dataclass(frozen=True)
class Differs:
    """Both fields are set, and not to the same value."""

    field: str
    other: str

    def sql(self) -> str:
        return f"coalesce({self.field} <> {self.other}, false)"

    def test(self) -> Test:
        field, other = self.field, self.other

        def differs(record: Record) -> bool:
            value, another = record[field], record[other]
            return value is not None and another is not None and value != another

        return differs


class All:
    def __init__(self, *parts: Condition) -> None:
        self.parts = parts

    def sql(self) -> str:
        return "(" + (" AND ".join(part.sql() for part in self.parts) or "true") + ")"

    def test(self) -> Test:
        tests = [part.test() for part in self.parts]

        def all_hold(record: Record) -> bool:
            for test in tests:  # noqa: SIM110 -- a generator takes twice as long
                if not test(record):
                    return False
            return True

        return all_hold


class Either:
    def __init__(self, *parts: Condition) -> None:
        self.parts = parts

    def sql(self) -> str:
        return "(" + (" OR ".join(part.sql() for part in self.parts) or "false") + ")"

    def test(self) -> Test:
        tests = [part.test() for part in self.parts]

        def one_holds(record: Record) -> bool:
            for test in tests:  # noqa: SIM110 -- a generator takes twice as long
                if test(record):
                    return True
            return False

        return one_holds


class FirstOf:
    """The second condition of the first branch whose first condition is true; false without any."""

    def __init__(self, *branches: tuple[Condition, Condition]) -> None:
        self.branches = branches

    def sql(self) -> str:
        cases = " ".join(f"WHEN {when.sql()} THEN {then.sql()}" for when, then in self.branches)
        return f"(CASE {cases} ELSE false END)" if cases else "false"

    def test(self) -> Test:
        branches = [(when.test(), then.test()) for when, then in self.branches]

        def holds(record: Record) -> bool:
            for when, then in branches:
                if when(record):
                    return then(record)
            return False

        return holds


@dataclass(frozen=True)
class Not:
    part: Condition

    def sql(self) -> str:
        return f"(NOT {self.part.sql()})"

    def test(self) -> Test:
        test = self.part.test()
        return lambda record: not test(record)
