"""What to do about the largest losses of the funnel, by the rules of the policy.

A loss without a rule has no action, and is not listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from mailtap.accuracy.funnel import Step
from mailtap.policy import ActionRule

#: Losses below this share of what is labelled are not worth an action.
MINIMUM_SHARE = 0.01

MAXIMUM_EXAMPLES = 5

#: The cause of labels that only repeat what the port or the address says.
GUESS = "label_port_guess"

#: The cause where decoder and label name different protocols.
CONFLICT = "conflict"

#: Causes that are no loss of the funnel, or not only: the first that holds of a session counts.
APART = (GUESS, CONFLICT)


class Action(TypedDict):
    """An action for one loss: its size, its share of what is labelled, and sessions as examples."""

    action: str
    n: int
    share: float
    cause: str
    text: str
    examples: list[str]


@dataclass(frozen=True)
class Apart:
    """Sessions that an action is about whatever step they are lost at: those that are labelled as
    mail by a guess and decoded as BASE, and those in conflict.
    """

    n: int
    examples: tuple[str, ...] = ()


def rule_for(rules: Sequence[ActionRule], step: str, cause: str) -> ActionRule | None:
    """The rule for a loss: of several the last counts."""
    return next((rule for rule in reversed(rules) if rule.holds(step, cause)), None)


def actions(
    funnel: Sequence[Step],
    rules: Sequence[ActionRule],
    examples: Mapping[tuple[str, str], Sequence[str]] | None = None,
    apart: Mapping[str, Apart] | None = None,
) -> tuple[Action, ...]:
    """The actions for the funnel's losses, the largest loss first, then those for what is apart.

    `examples`: identifiers of sessions by step and cause. `apart`: by cause.
    """
    losses: list[tuple[str, str, int, Sequence[str] | None]] = [
        (
            step["step"],
            loss["cause"],
            loss["n"],
            (examples or {}).get((step["step"], loss["cause"])),
        )
        for step in funnel
        for loss in step["lost"]
    ]
    losses.sort(key=lambda loss: -loss[2])
    lost = {cause for _, cause, _, _ in losses}
    for cause, sessions in (apart or {}).items():
        if cause not in lost:
            losses.append(("effective", cause, sessions.n, sessions.examples))
    labelled = funnel[0]["n"]
    found: list[Action] = []
    for step, cause, n, shown in losses:
        rule = rule_for(rules, step, cause)
        if rule is None or n == 0 or n < MINIMUM_SHARE * labelled:
            continue
        found.append(
            {
                "action": rule.action,
                "n": n,
                "share": n / labelled,
                "cause": cause,
                "text": rule.text,
                "examples": list(shown or ())[:MAXIMUM_EXAMPLES],
            }
        )
    return tuple(found)
