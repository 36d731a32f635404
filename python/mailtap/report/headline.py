"""The sentences that a report and the live page begin with."""

from __future__ import annotations

from mailtap.accuracy.actions import GUESS, Action
from mailtap.report.model import Base, BothDecoded, Report


def headline(both: BothDecoded) -> str:
    """How far decoder and labels agree where both decoded."""
    if both.consistent.share is None:
        return "There is no session that both the decoder and the label's engine decoded"
    return (
        f"Where both decoded, decode_as agrees with the label in {both.consistent.share:.1%} "
        f"of {both.matched:,} sessions"
    )


def remark(both: BothDecoded) -> str:
    """What is kept apart, and so is in none of the shares; empty where nothing is."""
    apart = []
    if both.port_guesses:
        apart.append(f"{both.port_guesses:,} whose label only repeats the port or the address")
    if both.too_little:
        apart.append(f"{both.too_little:,} with too little payload to decode")
    return f"Not compared: {' and '.join(apart)}." if apart else ""


def headline_of_base(base: Base) -> str:
    """How many sessions are BASE."""
    return (
        f"{base.sessions:,} of {base.labelled:,} sessions labelled as mail are BASE "
        f"({base.sessions / base.labelled:.1%}): why, and what to do"
    )


def other_actions(report: Report) -> list[Action]:
    """The actions beside those that are told with the causes of BASE."""
    if report.base is None or not report.base.sessions:
        return list(report.actions)
    told = {one.action for one in report.base.causes}
    return [one for one in report.actions if one["action"] not in told and one["cause"] != GUESS]
