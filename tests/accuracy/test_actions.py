"""What to do about the funnel's losses."""

from __future__ import annotations

import pytest

from mailtap.accuracy.actions import CONFLICT, GUESS, Apart, actions
from mailtap.accuracy.funnel import funnel
from mailtap.correlation.verdicts import CAUSES
from mailtap.policy import ActionRule, load_policy
from mailtap.sessions.vocabulary import EMPTY_CAUSES

SHIPPED = load_policy().actions

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
    found = actions(FUNNEL, SHIPPED, {("recognised", "starttls"): ["C1", "C2"]})
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
    found = actions(FUNNEL, SHIPPED, {("recognised", "starttls"): list("abcdefgh")})
    assert len(found[0]["examples"]) == 5


def test_a_sites_rule_comes_before_the_shipped_one() -> None:
    own = ActionRule("ours", frozenset({"starttls"}), None, "Ask the mail team.")
    (first, *_) = actions(FUNNEL, (*SHIPPED, own))
    assert (first["action"], first["text"]) == ("ours", "Ask the mail team.")


def test_a_rule_for_another_step_does_not_hold() -> None:
    own = ActionRule("x", frozenset({"starttls"}), "readable", "Not this one.")
    assert actions(FUNNEL, (own,)) == ()  # of that step the loss is too small


@pytest.mark.parametrize("cause", [*CAUSES, "unmatched", "ambiguous", "unexplained", "unsupported"])
def test_every_cause_has_an_action(cause: str) -> None:
    assert any(rule.holds("effective", cause) for rule in SHIPPED)


@pytest.mark.parametrize("cause", EMPTY_CAUSES)
def test_every_cause_of_empty_addresses_has_an_action(cause: str) -> None:
    assert any(rule.holds("readable", cause) for rule in SHIPPED)


def test_actions_about_guesses_come_last() -> None:
    steps = funnel([("effective", "not_mail", 50), ("addresses", None, 50)])
    found = actions(steps, SHIPPED, apart={GUESS: Apart(40, ("C1",)), CONFLICT: Apart(0)})
    assert [(one["cause"], one["n"]) for one in found] == [
        ("not_mail", 50),
        ("label_port_guess", 40),
    ]
    assert found[1]["examples"] == ["C1"]


def test_nothing_labelled_needs_no_action() -> None:
    assert actions(funnel([]), SHIPPED) == ()
