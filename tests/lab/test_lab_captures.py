"""Real servers' sessions, as a laboratory recorded them: each replayed in every view.

What the visible bytes decide must be in the session record; see docs/explanation/lab.md.
No server runs here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import saved
from lab.compare import judge
from lab.truth import Truth, whole
from lab.views import views

CAPTURES = Path(__file__).parent / "captures"
TRUTHS = saved.load(CAPTURES)
WRITTEN = saved.listed(CAPTURES)


def _name(truth: Truth) -> str:
    return f"{truth.server}-{truth.serves}-{truth.scenario}".replace(" ", "_")


@pytest.mark.parametrize("number", range(len(TRUTHS)), ids=[_name(truth) for truth in TRUTHS])
def test_session_of_a_real_server(number: int) -> None:
    truth = TRUTHS[number]
    wrong = [
        f"{view.name}: {field} must be {wanted!r}, and is {got!r}"
        for view in views(truth.session, number)
        for field, wanted, got in judge(truth, view).wrong
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("number", range(len(TRUTHS)), ids=[_name(truth) for truth in TRUTHS])
def test_written_record_is_what_the_dialogue_says(number: int) -> None:
    assert whole(TRUTHS[number]) == WRITTEN[number]["record"]
