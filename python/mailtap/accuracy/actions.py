"""What to do about the largest losses of the funnel, by rules that a site can extend.

A rule names the causes (and the step, where the same cause means different things) and says in
plain English what to do. A policy's rules come before those that MailTap ships with
(`actions.yaml`); of several for a cause the first counts. A loss without a rule has no action, and
is not listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypedDict

import yaml

from mailtap.accuracy.funnel import STEPS, Step

#: Losses below this share of what is labelled are not worth an action.
MINIMUM_SHARE = 0.01

MAXIMUM_EXAMPLES = 5

_KEYS = {"action", "causes", "step", "text"}


class ActionRulesError(ValueError):
    """Rules that can't be used; the message is one line that says which and why."""


@dataclass(frozen=True)
class Rule:
    """What to do about losses for one of the causes, at one step or (None) at any."""

    action: str
    causes: frozenset[str]
    step: str | None
    text: str

    def holds(self, step: str, cause: str) -> bool:
        """Whether the rule is for a loss."""
        return cause in self.causes and self.step in (None, step)


class Action(TypedDict):
    """An action for one loss: its size, its share of what is labelled, and sessions as examples."""

    action: str
    n: int
    share: float
    cause: str
    text: str
    examples: list[str]


def rules_of(document: object, where: str = "actions") -> tuple[Rule, ...]:
    """Rules from a list read from YAML; `where` is its place there. Raises ActionRulesError."""
    if not isinstance(document, list):
        raise ActionRulesError(f"{where}: must be a list of rules")
    return tuple(_rule(entry, f"{where}[{n}]") for n, entry in enumerate(document))


@cache
def shipped_rules() -> tuple[Rule, ...]:
    """The rules that MailTap ships with."""
    text = files("mailtap.accuracy").joinpath("actions.yaml").read_text("utf-8")
    return rules_of(yaml.safe_load(text)["actions"])


def actions(
    funnel: Sequence[Step],
    rules: Iterable[Rule],
    examples: Mapping[tuple[str, str], Sequence[str]] | None = None,
) -> list[Action]:
    """The actions for the funnel's losses, the largest loss first.

    `examples`: identifiers of sessions by step and cause.
    """
    ordered = tuple(rules)
    labelled = funnel[0]["n"]
    found: list[Action] = []
    for step in funnel:
        for loss in step["lost"]:
            cause, n = loss["cause"], loss["n"]
            rule = next((rule for rule in ordered if rule.holds(step["step"], cause)), None)
            if rule is None or n < MINIMUM_SHARE * labelled:
                continue
            shown = (examples or {}).get((step["step"], cause), ())
            found.append(
                {
                    "action": rule.action,
                    "n": n,
                    "share": n / labelled,
                    "cause": cause,
                    "text": rule.text,
                    "examples": list(shown[:MAXIMUM_EXAMPLES]),
                }
            )
    return sorted(found, key=lambda action: -action["n"])


def _rule(entry: object, where: str) -> Rule:
    if not isinstance(entry, Mapping):
        keys = ", ".join(sorted(_KEYS))
        raise ActionRulesError(f"{where}: must be a mapping with the keys {keys}")
    unknown = sorted(map(str, entry.keys() - _KEYS))
    if unknown:
        raise ActionRulesError(f"{where}: unknown key {unknown[0]}")
    name, text, causes, step = (entry.get(key) for key in ("action", "text", "causes", "step"))
    if not isinstance(name, str) or not isinstance(text, str) or not name or not text:
        raise ActionRulesError(f"{where}: action and text must be texts")
    if not isinstance(causes, list) or not causes or not all(isinstance(c, str) for c in causes):
        raise ActionRulesError(f"{where}.causes: must be a list of causes")
    if step is not None and step not in STEPS:
        raise ActionRulesError(f"{where}.step: must be one of {', '.join(STEPS)}")
    return Rule(name, frozenset(causes), step, " ".join(text.split()))
