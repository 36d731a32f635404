"""What to do about the funnel's losses."""

from __future__ import annotations

import pytest

from mailtap.accuracy.actions import ActionRulesError, actions, rules_of, shipped_rules
from mailtap.accuracy.funnel import funnel
from mailtap.correlation.verdicts import CAUSES
from mailtap.sessions.vocabulary import EMPTY_CAUSES

FUNNEL = funnel(
    [
        ("labelled", "unmatched", 30),
        ("effective", "label_port_guess", 50),
        ("recognised", "starttls", 100),
        ("readable", "server_side_only", 15),
        ("readable", "starttls", 1),
        ("addresses", None, 804),
    ]
)


def test_the_largest_loss_comes_first_with_its_size_and_examples() -> None:
    found = actions(FUNNEL, shipped_rules(), {("recognised", "starttls"): ["C1", "C2"]})
    assert [action["cause"] for action in found] == [
        "starttls",
        "label_port_guess",
        "unmatched",
        "server_side_only",
    ]
    assert found[0]["n"] == 100
    assert found[0]["share"] == pytest.approx(0.1)
    assert found[0]["action"] == "nothing_encrypted"
    assert found[0]["text"].startswith("Nothing: these sessions are encrypted")
    assert found[0]["examples"] == ["C1", "C2"]


def test_at_most_five_examples_are_shown() -> None:
    found = actions(FUNNEL, shipped_rules(), {("recognised", "starttls"): list("abcdefgh")})
    assert len(found[0]["examples"]) == 5


def test_a_sites_rule_comes_before_the_shipped_one() -> None:
    own = rules_of([{"action": "ours", "causes": ["starttls"], "text": "Ask the mail team."}])
    (first, *_) = actions(FUNNEL, (*own, *shipped_rules()))
    assert (first["action"], first["text"]) == ("ours", "Ask the mail team.")


def test_a_rule_for_another_step_does_not_hold() -> None:
    own = rules_of(
        [{"action": "x", "causes": ["starttls"], "step": "readable", "text": "Not this one."}]
    )
    assert actions(FUNNEL, own) == []  # of that step the loss is too small


@pytest.mark.parametrize("cause", [*CAUSES, "unmatched", "ambiguous", "unexplained", "unsupported"])
def test_every_cause_has_an_action(cause: str) -> None:
    assert any(rule.holds("effective", cause) for rule in shipped_rules())


@pytest.mark.parametrize("cause", EMPTY_CAUSES)
def test_every_cause_of_empty_addresses_has_an_action(cause: str) -> None:
    assert any(rule.holds("readable", cause) for rule in shipped_rules())


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "actions: must be a list"),
        (["x"], r"actions\[0\]: must be a mapping"),
        ([{"action": "a", "causes": ["x"], "text": "t", "sev": 1}], "unknown key sev"),
        ([{"action": "a", "causes": [], "text": "t"}], "causes: must be a list"),
        ([{"action": "a", "causes": ["x"], "text": 1}], "must be texts"),
        ([{"action": "a", "causes": ["x"], "step": "y", "text": "t"}], "step: must be one of"),
    ],
)
def test_rules_that_can_not_be_used_are_named(document: object, message: str) -> None:
    with pytest.raises(ActionRulesError, match=message):
        rules_of(document)


def test_nothing_labelled_needs_no_action() -> None:
    assert actions(funnel([]), shipped_rules()) == []
