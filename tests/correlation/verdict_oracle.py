"""The rules of verdicts on one record, in plain Python: what the SQL has to give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mailtap.correlation.conditions import (
    Above,
    All,
    Condition,
    Differs,
    Either,
    FirstOf,
    Is,
    Not,
    Unset,
)
from mailtap.correlation.verdicts import CAUSES, Judge, first_cause


@dataclass(frozen=True)
class Judgement:
    verdict: str
    cause: str | None
    causes: tuple[str, ...]  # all that hold


def judgement(judge: Judge, record: Mapping[str, Any]) -> Judgement:
    """On one session in scope; fields of the record that are unset are None or absent."""
    verdict = "inconsistent"
    if holds(judge.consistent, record):
        verdict = "consistent"
    elif holds(judge.compatible, record):
        verdict = "compatible"
    causes = tuple(name for name in CAUSES if holds(judge.causes[name], record))
    return Judgement(verdict, first_cause(verdict, record["decode_as"], causes), causes)


def holds(condition: Condition, record: Mapping[str, Any]) -> bool:
    match condition:
        case Is():
            return record.get(condition.field) in condition.values
        case Unset(field):
            return record.get(field) is None
        case Above(field, bound):
            value = record.get(field)
            return value is not None and value > bound
        case Differs(field, other):
            values = record.get(field), record.get(other)
            return None not in values and values[0] != values[1]
        case All():
            return all(holds(part, record) for part in condition.parts)
        case Either():
            return any(holds(part, record) for part in condition.parts)
        case FirstOf():
            return next(
                (holds(then, record) for when, then in condition.branches if holds(when, record)),
                False,
            )
        case Not(part):
            return not holds(part, record)
    raise TypeError(condition)
