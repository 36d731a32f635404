"""The policy: what a site decides about names, thresholds, ports, expectations and columns."""

from mailtap.policy.document import PolicyError
from mailtap.policy.model import (
    ActionRule,
    EffectiveThresholds,
    Engine,
    Expectation,
    Expectations,
    Join,
    NameRule,
    NormalLabel,
    Policy,
    Unsupported,
)
from mailtap.policy.reader import load_policy

__all__ = [
    "ActionRule",
    "EffectiveThresholds",
    "Engine",
    "Expectation",
    "Expectations",
    "Join",
    "NameRule",
    "NormalLabel",
    "Policy",
    "PolicyError",
    "Unsupported",
    "load_policy",
]
