"""Conditions on a record, said once and read twice: as SQL over a table, and on one record.

A report asks them of millions of rows in the query engine, live mode of one record at a time. Every
condition is either true or false: a field that is unset makes `Is`, `Above` and `Differs` false.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mailtap.correlation import sql

Record = Mapping[str, Any]
Value = str | int | bool


class Condition(Protocol):
    def sql(self) -> str:
        """The condition as an SQL expression that is never NULL."""

    def holds(self, record: Record) -> bool:
        """Whether the condition holds of a record, in which unset fields are None or absent."""


class Is:
    """The field has one of the values."""

    def __init__(self, field: str, *values: Value) -> None:
        self._field = field
        self._values = values

    def sql(self) -> str:
        return f"coalesce({self._field} IN {sql.literals(self._values)}, false)"

    def holds(self, record: Record) -> bool:
        return record.get(self._field) in self._values


@dataclass(frozen=True)
class Unset:
    field: str

    def sql(self) -> str:
        return f"({self.field} IS NULL)"

    def holds(self, record: Record) -> bool:
        return record.get(self.field) is None


@dataclass(frozen=True)
class Above:
    field: str
    bound: int

    def sql(self) -> str:
        return f"coalesce({self.field} > {self.bound}, false)"

    def holds(self, record: Record) -> bool:
        value = record.get(self.field)
        return value is not None and value > self.bound


@dataclass(frozen=True)
class Differs:
    """Both fields are set, and not to the same value."""

    field: str
    other: str

    def sql(self) -> str:
        return f"coalesce({self.field} <> {self.other}, false)"

    def holds(self, record: Record) -> bool:
        value, other = record.get(self.field), record.get(self.other)
        return value is not None and other is not None and value != other


class All:
    def __init__(self, *parts: Condition) -> None:
        self._parts = parts

    def sql(self) -> str:
        return "(" + " AND ".join(part.sql() for part in self._parts) + ")"

    def holds(self, record: Record) -> bool:
        return all(part.holds(record) for part in self._parts)


class Either:
    def __init__(self, *parts: Condition) -> None:
        self._parts = parts

    def sql(self) -> str:
        return "(" + " OR ".join(part.sql() for part in self._parts) + ")"

    def holds(self, record: Record) -> bool:
        return any(part.holds(record) for part in self._parts)


class FirstOf:
    """What the first branch whose first condition holds says by its second; false without any."""

    def __init__(self, *branches: tuple[Condition, Condition]) -> None:
        self._branches = branches

    def sql(self) -> str:
        cases = " ".join(f"WHEN {when.sql()} THEN {then.sql()}" for when, then in self._branches)
        return f"(CASE {cases} ELSE false END)" if cases else "false"

    def holds(self, record: Record) -> bool:
        return next(
            (then.holds(record) for when, then in self._branches if when.holds(record)), False
        )


@dataclass(frozen=True)
class Not:
    part: Condition

    def sql(self) -> str:
        return f"(NOT {self.part.sql()})"

    def holds(self, record: Record) -> bool:
        return not self.part.holds(record)
