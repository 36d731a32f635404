"""Verdicts on few sessions, flow by flow in Python, and what of them needs the queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from mailtap.correlation.by_flow import FlowJudge, Outcome
from mailtap.correlation.clock import ClockOffset
from mailtap.correlation.engines import Row
from mailtap.live.batches.normal_form import KEY
from mailtap.live.core.by_engine import EngineVerdicts
from mailtap.live.core.chunks import NONE
from mailtap.live.core.judged import SHOWN, SHOWN_OF_A_HALF, Cells, Judged
from mailtap.live.core.recent import NAT_KEY
from mailtap.live.core.tally import AMBIGUOUS, OUT_OF_SCOPE
from mailtap.policy import Policy


class RowJudge:
    def __init__(self, policy: Policy, cells: Cells) -> None:
        self._judge = FlowJudge(policy)
        self._cells = cells

    def judge(
        self, sessions: Sequence[Row], labels: Sequence[Row], offsets: Sequence[ClockOffset]
    ) -> Judged:
        """Of sessions that have no halves among them; see QueryJudge."""
        self._judge.apply(offsets)
        flows, records = _flows(labels)
        by_key = _by_key(flows)
        judged: list[tuple[int, int, int]] = []
        by_engine: defaultdict[str, list[tuple[int, str, int]]] = defaultdict(list)
        matched: set[int] = set()
        for session in sessions:
            candidates = by_key.get(tuple(session[name] for name in KEY))
            if candidates is None:
                continue
            outcome = self._judge.judge(session, candidates)
            if outcome is None:
                continue
            matched.update(outcome.candidates)
            number, cell = _label_and_cell(outcome)
            code = self._cells.code((session["sensor"], session["decode_as"], *cell))
            judged.append((session["session_id"], code, number))
            for engine, own in self._outcomes_by_engine(session, candidates, outcome):
                if own.label and own.judgement and own.judgement.in_scope:
                    verdict = own.judgement.verdict, own.label["label_id"]
                    by_engine[engine].append((session["session_id"], *verdict))
        numbers = np.array(judged, np.int64).reshape(-1, 3)
        return Judged(
            sessions=numbers[:, 0],
            cells=numbers[:, 1],
            labels=numbers[:, 2],
            halves=np.full(len(numbers), NONE),
            flows=np.array([flow["label_id"] for flow in flows], np.int64),
            matched=np.array([n for flow in matched for n in records.get(flow, (flow,))], np.int64),
            shown=lambda wanted: _shown(sessions, set(wanted)),
            by_engine={engine: EngineVerdicts.of(found) for engine, found in by_engine.items()},
        )

    def _outcomes_by_engine(
        self, session: Row, candidates: Sequence[Row], of_all: Outcome
    ) -> Iterator[tuple[str, Outcome]]:
        """The outcome with the labels of each engine alone."""
        engines = {label["engine"] for label in candidates}
        if len(engines) == 1:
            yield engines.pop(), of_all
            return
        for engine in engines:
            own = [label for label in candidates if label["engine"] == engine]
            if outcome := self._judge.judge(session, own):
                yield engine, outcome


def _label_and_cell(outcome: Outcome) -> tuple[int, tuple[object, ...]]:
    """The number of the label that the judgement rests on, and the cell from `app` on."""
    label, judged = outcome.label, outcome.judgement
    if label is None or judged is None:
        loss = ("labelled", "ambiguous") if outcome.is_mail else (None, None)
        return min(outcome.candidates), (None, None, AMBIGUOUS, 0, *loss)
    if not judged.in_scope:
        return min(outcome.candidates), (None, None, OUT_OF_SCOPE, 0, None, None)
    return label["label_id"], (
        *(label["app"], label["provenance"], judged.verdict, judged.causes),
        *(judged.funnel_step, judged.funnel_loss),
    )


def _flows(records: Iterable[Row]) -> tuple[list[Row], Mapping[int, list[int]]]:
    """A label each flow, and the numbers of its records where there may be several: of several
    statements the best counts, the latest of equally good ones.
    """
    flows: list[Row] = []
    statements: defaultdict[int, list[Row]] = defaultdict(list)
    for record in records:
        if record["rank"] is None:
            flows.append(record)
        else:
            statements[record["statement"]].append(record)
    numbers = {}
    for several in statements.values():
        best = max(several, key=lambda one: (one["rank"], one["moment"], one["label_id"]))
        first = min(one["label_id"] for one in several)
        ends = [one["end"] for one in several if one["end"] is not None]
        flows.append({**best, "label_id": first, "end": max(ends, default=None)})
        numbers[first] = [one["label_id"] for one in several]
    return flows, numbers


def _by_key(flows: Iterable[Row]) -> Mapping[tuple[object, ...], list[Row]]:
    by_key: defaultdict[tuple[object, ...], list[Row]] = defaultdict(list)
    for flow in flows:
        for key in _keys(flow):
            by_key[key].append(flow)
    return by_key


def _keys(flow: Row) -> Iterator[tuple[object, ...]]:
    """The keys of sessions that a label may be of."""
    key = tuple(flow[name] for name in KEY)
    yield key
    if flow[NAT_KEY[0]] is not None:
        translated = tuple(flow[name] for name in NAT_KEY)
        if translated != key:
            yield translated


def _shown(sessions: Iterable[Row], wanted: set[int]) -> dict[int, Row]:
    return {
        row["session_id"]: {
            **{name: row[name] for name in (*SHOWN, *SHOWN_OF_A_HALF)},
            "sources": [row["source"]],
        }
        for row in sessions
        if row["session_id"] in wanted
    }
