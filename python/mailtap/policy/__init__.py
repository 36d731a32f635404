"""The policy: what a site decides about names, thresholds, ports, expectations and columns."""

from mailtap.policy.document import PolicyError
from mailtap.policy.model import (
    Effective,
    Engine,
    Expectation,
    Expectations,
    Join,
    Meaning,
    NameRule,
    Policy,
)
from mailtap.policy.reader import load_policy

__all__ = [
    "Effective",
    "Engine",
    "Expectation",
    "Expectations",
    "Join",
    "Meaning",
    "NameRule",
    "Policy",
    "PolicyError",
    "load_policy",
]
