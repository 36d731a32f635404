"""The policy: what a site decides about names, thresholds, ports, expectations and columns."""

from mailtap.policy.document import PolicyError
from mailtap.policy.model import (
    EffectiveThresholds,
    Engine,
    Expectation,
    Expectations,
    Join,
    NameRule,
    NormalLabel,
    Policy,
)
from mailtap.policy.reader import load_policy

__all__ = [
    "EffectiveThresholds",
    "Engine",
    "Expectation",
    "Expectations",
    "Join",
    "NameRule",
    "NormalLabel",
    "Policy",
    "PolicyError",
    "load_policy",
]
