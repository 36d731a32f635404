"""The funnel: of what is labelled as mail, how much gets how far, and why the rest doesn't.

Each step is a condition on a session; a session reaches a step when that condition and those of all
steps before hold. It is lost at the last step that it reaches, for one cause. So the number of a
step is that of the next one plus its own losses, exactly.

    labelled    a label says mail
    matched     the label belongs to one session
    payload     either side sent payload
    effective   the session is above the thresholds of the policy
    recognised  the decoder recognised a mail protocol
    readable    the session was not encrypted before its envelope
    addresses   one of the four address fields is there
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import TypedDict, TypeVar

from mailtap.sessions.vocabulary import FUNNEL_STEPS

STEPS = FUNNEL_STEPS

#: The cause of a loss for which nothing else is known, and of one at the last step where the source
#: of sessions doesn't say whether there are addresses.
UNEXPLAINED = "unexplained"
NOT_KNOWN = "not_known"

#: The cause at each step for a session of which nothing else is known.
_USUAL = {
    "labelled": "unmatched",
    "matched": "no_payload",
    "payload": "below_threshold",
    "effective": UNEXPLAINED,
    "recognised": "starttls",
    "readable": UNEXPLAINED,
}

_Record = TypeVar("_Record")


class Loss(TypedDict):
    """Sessions lost at a step for one cause."""

    cause: str
    n: int


class Step(TypedDict):
    """A step that `n` sessions reach; `lost` are those that get no further, most first."""

    step: str
    n: int
    lost: list[Loss]


def funnel(counts: Iterable[tuple[str, str | None, int]]) -> list[Step]:
    """The steps in order, from counts by the last step reached and the cause of going no further.

    The cause is None for sessions that reach the last step, and only for those. Raises ValueError
    for another step, and where a cause is missing or too much.
    """
    lost: dict[str, Counter[str]] = {step: Counter() for step in STEPS}
    arrived = 0
    for step, cause, n in counts:
        if step not in lost or n < 0:
            raise ValueError(f"no count of a step of the funnel: {step!r}, {n}")
        if (cause is None) != (step == STEPS[-1]):
            raise ValueError(f"a loss at {step!r} with the cause {cause!r}")
        if cause is None:
            arrived += n
        else:
            lost[step][cause] += n
    found: list[Step] = []
    reached = arrived
    for step in reversed(STEPS):
        reached += lost[step].total()
        losses = sorted(lost[step].items(), key=lambda item: (-item[1], item[0]))
        found.append(
            {
                "step": step,
                "n": reached,
                "lost": [{"cause": cause, "n": n} for cause, n in losses if n],
            }
        )
    return found[::-1]


def step_sql(columns: Mapping[str, str] | None = None) -> str:
    """SQL for the last step that a row reaches; NULL for a row that isn't labelled as mail.

    `columns` maps the steps to SQL conditions; else they are columns named like the steps. NULL is
    false. Plain SQL: DuckDB's and Spark's.
    """
    conditions = {step: (columns or {}).get(step, step) for step in STEPS}
    cases = [f"WHEN NOT coalesce({conditions[STEPS[0]]}, false) THEN NULL"]
    for step, following in pairwise(STEPS):
        cases.append(f"WHEN NOT coalesce({conditions[following]}, false) THEN '{step}'")
    return f"CASE {' '.join(cases)} ELSE '{STEPS[-1]}' END"


def step_test(
    tests: Mapping[str, Callable[[_Record], bool]],
) -> Callable[[_Record], str | None]:
    """`step_sql` as a function of one record, with a function each step."""
    in_order = [(step, tests[step]) for step in STEPS]

    def step_of(record: _Record) -> str | None:
        reached = None
        for step, reaches in in_order:
            if not reaches(record):
                break
            reached = step
        return reached

    return step_of


def cause_sql(
    step: str = "step",
    unmatched: str = "unmatched_cause",
    cause: str = "cause",
    encryption: str = "encryption",
    empty: str = "empty_cause",
) -> str:
    """SQL for the cause of a loss at a step; NULL at the last step.

    The arguments are SQL: `step` as of `step_sql`; `unmatched` is `unmatched` or `ambiguous`;
    `cause` the session's cause without `no_payload` and `below_threshold`, which are steps here;
    `encryption` is `starttls` or `implicit_tls`; `empty` why a mail session has no addresses.
    """
    known = {
        "labelled": unmatched,
        "effective": cause,
        "recognised": encryption,
        "readable": empty,
    }
    cases = " ".join(
        f"WHEN '{name}' THEN coalesce({known.get(name, 'NULL')}, '{usual}')"
        for name, usual in _USUAL.items()
    )
    return f"CASE {step} {cases} END"


def cause_of(
    step: str | None,
    unmatched: str | None,
    cause: str | None,
    encryption: str | None,
    empty: str | None,
) -> str | None:
    """`cause_sql` of one session."""
    known = {
        "labelled": unmatched,
        "effective": cause,
        "recognised": encryption,
        "readable": empty,
    }
    return None if step is None else known.get(step) or _USUAL.get(step)
