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
        ranked = sorted(
            (-likeness, distance, label["label_id"], label)
            for label in labels
            if label["is_label"]
            and label["l4"] in ("tcp", None)
            and (times := self._compared(session, label)) is not None
            for likeness, distance in (times,)
        )
        if not ranked:
            return None
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

    def _compared(self, session: Record, label: Record) -> tuple[float, float] | None:
        """How much of their time they have in common, and how far apart they start; None where
        they don't overlap, give or take the slack.
        """
        shift = self._offsets.get((session["sensor"] or "", label["source"]), 0)
        start = label["start"] + shift
        end = (label["start"] if label["end"] is None else label["end"]) + shift
        begin, finish = session["ts"], session["ts"] + (session["duration"] or 0)
        if not (start - self._slack <= finish and end + self._slack >= begin):
            return None
        common = _hundredths(min(finish, end) - max(begin, start))
        together = _hundredths(max(finish, end) - min(begin, start))
        return (max(common, -1) + 1) / (together + 1), abs(begin - start)


def _hundredths(seconds: float) -> int:
    return math.floor(max(-LONGEST, min(LONGEST, seconds)) * 100 + 0.5)


def _statement(label: Record) -> str:
    return "|".join(label[name] or "" for name in STATEMENT)
