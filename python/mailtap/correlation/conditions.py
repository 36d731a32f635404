"""Conditions on a session with its label, as data that gives SQL.

Every condition is either true or false, never NULL: a field that is unset makes `Is`, `Above` and
`Differs` false.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mailtap.correlation import sql

Value = str | int | bool


class Condition(Protocol):
    def sql(self) -> str:
        """The condition as an SQL expression that is never NULL."""


class Is:
    """The field has one of the values."""

    def __init__(self, field: str, *values: Value) -> None:
        self.field = field
        self.values = values

    def sql(self) -> str:
        return f"coalesce({self.field} IN {sql.literals(self.values)}, false)"


@dataclass(frozen=True)
class Unset:
    field: str

    def sql(self) -> str:
        return f"({self.field} IS NULL)"


@dataclass(frozen=True)
class Above:
    field: str
    bound: int

    def sql(self) -> str:
        return f"coalesce({self.field} > {self.bound}, false)"


@dataclass(frozen=True)
class Differs:
    """Both fields are set, and not to the same value."""

    field: str
    other: str

    def sql(self) -> str:
        return f"coalesce({self.field} <> {self.other}, false)"


class All:
    def __init__(self, *parts: Condition) -> None:
        self.parts = parts

    def sql(self) -> str:
        return "(" + " AND ".join(part.sql() for part in self.parts) + ")"


class Either:
    def __init__(self, *parts: Condition) -> None:
        self.parts = parts

    def sql(self) -> str:
        return "(" + (" OR ".join(part.sql() for part in self.parts) or "false") + ")"


class FirstOf:
    """The second condition of the first branch whose first condition is true; false without any."""

    def __init__(self, *branches: tuple[Condition, Condition]) -> None:
        self.branches = branches

    def sql(self) -> str:
        cases = " ".join(f"WHEN {when.sql()} THEN {then.sql()}" for when, then in self.branches)
        return f"(CASE {cases} ELSE false END)" if cases else "false"


@dataclass(frozen=True)
class Not:
    part: Condition

    def sql(self) -> str:
        return f"(NOT {self.part.sql()})"
