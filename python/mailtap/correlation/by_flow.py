"""The join and the verdicts of `pipeline`, for the records of a flow in plain Python.

Live mode judges a few records many times a second: to plan the pipeline's queries would take longer
than to judge them. A property test holds this to the answers of the queries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mailtap.correlation.candidates import LABEL_FACTS, LONGEST
from mailtap.correlation.clock import ClockOffset
from mailtap.correlation.conditions import Record
from mailtap.correlation.join import STATEMENT
from mailtap.correlation.verdicts import Judge, Judgement
from mailtap.policy import Policy


@dataclass(frozen=True)
class Outcome:
    """What the candidates of a session come to.

    `label` is the one that was chosen, with its judgement: None where the best candidates
    contradict each other, and the session is ambiguous. `candidates` are the numbers of all.
    `is_mail`: the label says mail, or one of those that contradict each other does.
    """

    judgement: Judgement | None
    label: Record | None
    candidates: tuple[int, ...]
    is_mail: bool


class FlowJudge:
    """Judges whole sessions one by one."""

    def __init__(self, policy: Policy) -> None:
        self._judge = Judge(policy).test()
        self._slack = policy.join.slack
        self._offsets: dict[tuple[str, str], float] = {}

    def apply(self, offsets: Sequence[ClockOffset]) -> None:
        """Has label times shifted by these from now on, as far as they are to be applied."""
        self._offsets = {
            (offset.sensor or "", offset.source): offset.offset
            for offset in offsets
            if offset.applied
        }

    def judge(self, session: Record, labels: Sequence[Record]) -> Outcome | None:
        """The outcome of a session with the labels that have one of its flow's keys, by their
        endpoints or translated ones; None where none could be its own.
        """
        candidates = [label for label in labels if self._may_be_of(session, label)]
        if not candidates:
            return None
        if len(candidates) == 1:  # as nearly always
            (only,) = candidates
            judgement = self._judged(session, only)
            is_mail = judgement.funnel_step is not None
            return Outcome(judgement, only, (only["label_id"],), is_mail)
        ranked = sorted(
            (-likeness, distance, label["label_id"], label)
            for label in candidates
            for likeness, distance in (self._compared(session, label),)
        )
        likeness, distance, _, chosen = ranked[0]
        numbers = tuple(number for _, _, number, _ in ranked)
        best = [label for *rank, _, label in ranked if rank == [likeness, distance]]
        if len(best) > 1 and len(set(map(_statement, best))) > 1:
            steps = (self._judged(session, label).funnel_step for *_, label in ranked)
            return Outcome(None, None, numbers, any(step is not None for step in steps))
        judgement = self._judged(session, chosen)
        return Outcome(judgement, chosen, numbers, judgement.funnel_step is not None)

    def _judged(self, session: Record, label: Record) -> Judgement:
        facts = {f"label_{name}": label[name] for name in LABEL_FACTS}
        return self._judge({**session, **facts})

    def _may_be_of(self, session: Record, label: Record) -> bool:
        """Whether it is a label of TCP that overlaps with the session, give or take the slack."""
        if not label["is_label"] or label["l4"] not in ("tcp", None):
            return False
        begin, finish, start, end = self._times(session, label)
        return start - self._slack <= finish and end + self._slack >= begin

    def _times(self, session: Record, label: Record) -> tuple[float, float, float, float]:
        """When the session began and ended, and when the label's flow did by the same clock."""
        shift = self._offsets.get((session["sensor"] or "", label["source"]), 0)
        begin, start, end = session["ts"], label["start"], label["end"]
        last = start if end is None else end
        return begin, begin + (session["duration"] or 0), start + shift, last + shift

    def _compared(self, session: Record, label: Record) -> tuple[float, float]:
        """How much of their time they have in common, and how far apart they start."""
        begin, finish, start, end = self._times(session, label)
        common = _hundredths(min(finish, end) - max(begin, start))
        together = _hundredths(max(finish, end) - min(begin, start))
        return (max(common, -1) + 1) / (together + 1), abs(begin - start)


def _hundredths(seconds: float) -> int:
    return math.floor(max(-LONGEST, min(LONGEST, seconds)) * 100 + 0.5)


def _statement(label: Record) -> str:
    return "|".join(label[name] or "" for name in STATEMENT)
