"""The verdicts on the records that may still meet, batch by batch.

They are given over the flows that a batch touches: what a session's verdict depends on has the same
flow key. So a batch costs by its own size, and the verdicts are those of a report over the same
records. Few records are judged one by one, many by the queries that a report runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mailtap.correlation.clock import MINIMUM_PAIRS, ClockOffset
from mailtap.correlation.engines import Row
from mailtap.correlation.verdicts import INCONSISTENT, first_cause, named_causes
from mailtap.live.batches.normal_form import labels_in_normal_form, sessions_in_normal_form
from mailtap.live.batches.records import Listed, Records, Tabled, together
from mailtap.live.core.by_engine import (
    NO_VERDICTS,
    is_final,
    note_names,
    records_of_verdicts,
    verdict_changes,
    verdicts_of_rows,
)
from mailtap.live.core.chunks import NONE, Found, Numbers, or_none
from mailtap.live.core.judge_queries import QueryJudge
from mailtap.live.core.judge_rows import RowJudge
from mailtap.live.core.judged import CELL, Cells, Judged
from mailtap.live.core.recent import RecentRecords, tables_of
from mailtap.live.core.servers import ServerCell, server_changes
from mailtap.live.core.tally import VERDICTS, Cell
from mailtap.policy import Policy

#: Sessions by which clocks are compared, the latest.
CLOCK_SAMPLE = 20_000

#: Rows of a batch that are shown as examples at most.
EXAMPLES = 64

#: Applied clock offsets that are remembered: hostile sensors name as many nodes as they like.
MAXIMUM_OFFSETS = 1_000

#: Sessions and labels that are judged one by one. The queries take some 30 ms to begin.
FEW = 2_000

#: What is noted about a session's judgement.
_NOTES = ("cell", "label", "half")


@dataclass
class Change:
    """What a batch changed: cells of the tally with bucket and difference, the same by server, the
    verdicts by label engine with their difference, and what is behind it.

    `sessions` and `labels` are those of the batch in normal form. `judgements` has a row each
    session whose verdict is new or another; `verdict` is NULL where there is none any more.
    `judgements_by_engine` has the same by label engine.
    `unlabelled` and `unmatched` are sessions and labels that have waited in vain. `clocks` are the
    offsets that are applied from now on, if others than before.
    """

    cells: list[tuple[Cell, int, int]] = field(default_factory=list)
    servers: list[tuple[ServerCell, int]] = field(default_factory=list)
    by_engine: list[tuple[str, str, int]] = field(default_factory=list)
    sessions: Records | None = None
    labels: Records | None = None
    judgements: Listed | None = None
    judgements_by_engine: Records | None = None
    disagreements: list[Row] = field(default_factory=list)
    details: list[Row] = field(default_factory=list)
    unlabelled: int = 0
    unmatched: int = 0
    clocks: tuple[ClockOffset, ...] | None = None


class Window:
    def __init__(self, policy: Policy, seconds: float, maximum: int) -> None:
        """Records stay for `seconds` at least, unless more than `maximum` of a kind come."""
        self._policy = policy
        self._seconds = seconds
        self._maximum = maximum
        self._records = RecentRecords()
        self._cells = Cells()
        self._by_row = RowJudge(policy, self._cells)
        self._by_query = QueryJudge(policy, self._cells)
        self._begun: float | None = None
        self._offsets: dict[tuple[str | None, str], ClockOffset] = {}  # those that are applied
        self._came = False  # anything, since clocks were compared

    def close(self) -> None:
        self._by_query.close()

    def add(
        self,
        sessions: Records | None,
        labels: Sequence[Records],
        now: float,
        details: int = 0,
    ) -> Change:
        """Takes a batch in. `now` is a clock in seconds that only goes forward.

        `sessions` are those of SessionReader with `session_id` and `bucket`; `labels` those of
        LabelReader with `label_id`, `source` and `engine`. Both are numbered in order, across
        batches. The change has the details of as many judgements as `details` says.
        """
        change = Change()
        if self._begun is None:
            self._begun = now
        if now - self._begun >= self._seconds or self._records.largest >= self._maximum:
            self._begun = now
            change.unlabelled, change.unmatched = self._records.drop_older(self._maximum // 2)
            self._forget_cells()
        flows = []
        if sessions is not None:
            change.sessions = sessions_in_normal_form(sessions)
            flows.append(self._records.add_sessions(change.sessions))
        if labels:
            change.labels = labels_in_normal_form(together(labels))
            flows.append(self._records.add_labels(change.labels))
        if flows:
            self._came = True
            found = self._records.find(np.concatenate(flows), active=True)
            self._judge_again(*found, change, details)
        return change

    def restore(
        self,
        sessions: pa.Table,
        labels: pa.Table,
        judgements: pa.Table,
        by_engine: pa.Table,
        clocks: Sequence[ClockOffset],
        now: float,
    ) -> int:
        """Takes in what an earlier run had and judged; how many of the sessions still wait."""
        self._begun = now
        self._came = True
        self._offsets = {(clock.sensor, clock.source): clock for clock in clocks}
        flows = self._records.add_sessions(Tabled(sessions))
        self._records.add_labels(Tabled(labels))
        for chunk in self._records.all_sessions():
            numbers = chunk.notes["number"]
            judged = judgements.filter(pc.is_in(judgements["session_id"], pa.array(numbers)))
            places = _places(judged["session_id"].to_numpy(), numbers)
            chunk.notes["cell"][places] = self._cells.codes(judged)
            for note, name in (("label", "label_id"), ("half", "other_half")):
                chunk.notes[note][places] = pc.fill_null(judged[name], NONE).to_numpy()
            own = by_engine.filter(pc.is_in(by_engine["session_id"], pa.array(numbers)))
            verdicts = verdicts_of_rows(own)
            self._records.add_engines(verdicts)
            for engine, found_by in verdicts.items():
                chunk.notes.update(found_by.notes(engine, numbers))
        found, of_labels = self._records.find(flows)
        self._note_matched(self._judged(found, of_labels), of_labels)
        return sum(
            int((chunk.notes["cell"] == NONE).sum()) for chunk in self._records.all_sessions()
        )

    def clock_sample(self) -> tuple[Found, Found] | None:
        """Sessions and labels by which clocks may be compared, in any thread; None if nothing came
        since this was last asked.
        """
        if not self._came:
            return None
        self._came = False
        return self._records.find(self._records.flows(CLOCK_SAMPLE))

    def apply(self, clocks: Iterable[ClockOffset]) -> Change:
        """Takes what clocks were found to be, and judges all again if other offsets than before are
        to be applied. One is applied until enough flows show another, which may take a while.
        """
        change = Change()
        slack = self._policy.join.slack
        after = dict(self._offsets)
        for clock in clocks:
            if clock.pairs >= MINIMUM_PAIRS and clock.spread <= slack:
                after.pop((clock.sensor, clock.source), None)
                if clock.applied and len(after) < MAXIMUM_OFFSETS:
                    after[clock.sensor, clock.source] = clock
        before, self._offsets = self._offsets, after
        if before.keys() != after.keys() or any(
            abs(before[key].offset - after[key].offset) > slack for key in before
        ):
            change.clocks = tuple(after.values())
            self._judge_again(*self._records.find(self._records.flows()), change, 0)
        return change

    def _judge_again(self, sessions: Found, labels: Found, change: Change, details: int) -> None:
        if not len(sessions):
            return
        judged = self._judged(sessions, labels)
        self._note_matched(judged, labels)
        numbers = sessions.notes("number")
        before = {name: sessions.notes(name) for name in _NOTES}
        after = _by_session(judged, numbers)
        stays = _is_final(before, judged.flows, numbers)
        after = {name: np.where(stays, before[name], after[name]) for name in _NOTES}
        sessions.note(after)
        differs = np.zeros(len(numbers), np.bool_)
        for name in _NOTES:
            differs |= before[name] != after[name]
        self._note_changes(
            change,
            numbers[differs],
            {name: sessions.notes(name)[differs] for name in ("bucket", "server")},
            before["cell"][differs],
            {name: after[name][differs] for name in _NOTES},
        )
        self._note_engines(change, sessions, judged, numbers)
        self._note_details(change, judged, details)

    def _note_engines(
        self, change: Change, sessions: Found, judged: Judged, numbers: Numbers
    ) -> None:
        """What each label engine alone says, where it says something else than before."""
        self._records.add_engines(judged.by_engine)
        halves = sessions.notes("half")
        half_is_gone = (halves != NONE) & ~np.isin(halves, numbers)
        rows = []
        for engine in self._records.engines:
            before = {name: sessions.notes(name) for name in note_names(engine)}
            after = judged.by_engine.get(engine, NO_VERDICTS).notes(engine, numbers)
            stays = is_final(before, engine, judged.flows, half_is_gone)
            after = {name: np.where(stays, before[name], after[name]) for name in before}
            sessions.note(after)
            verdict, label = note_names(engine)
            differs = (before[verdict] != after[verdict]) | (before[label] != after[label])
            change.by_engine += verdict_changes(engine, before[verdict], after[verdict])
            rows.append(
                records_of_verdicts(
                    engine, numbers[differs], after[verdict][differs], after[label][differs]
                )
            )
        if rows:
            change.judgements_by_engine = together(rows)

    def _judged(self, sessions: Found, labels: Found) -> Judged:
        offsets = tuple(self._offsets.values())
        if len(sessions) + len(labels) > FEW:
            return self._by_query.judge(*tables_of(sessions, labels), offsets)
        rows = sessions.rows()
        halves = _may_be_halves(rows, sessions.notes("flow"))
        whole = [*compress(rows, ~halves)]
        judged = self._by_row.judge(whole, _label_rows(labels), offsets)
        if not halves.any():
            return judged
        tables = tables_of(sessions.where(halves), labels)
        return judged.together(self._by_query.judge(*tables, offsets))

    def _note_matched(self, judged: Judged, labels: Found) -> None:
        matched = np.isin(labels.notes("number"), judged.matched)
        labels.note({"matched": matched | labels.notes("matched", np.bool_)})

    def _note_changes(
        self,
        change: Change,
        numbers: Numbers,
        sessions: dict[str, Numbers],
        before: Numbers,
        after: dict[str, Numbers],
    ) -> None:
        """`sessions` has notes, `before` the cells and `after` the judgements of sessions that have
        another judgement now.
        """
        if not len(numbers):
            return
        had, has = before != NONE, after["cell"] != NONE
        cells = np.concatenate([after["cell"][has], before[had]])
        signs = np.concatenate([np.ones(has.sum(), np.int64), -np.ones(had.sum(), np.int64)])
        buckets, servers = (
            np.concatenate([sessions[name][has], sessions[name][had]])
            for name in ("bucket", "server")
        )
        change.cells += [
            (self._cells[cell], bucket, n) for cell, bucket, n in _counted(cells, buckets, signs)
        ]
        by_server = ((self._cells[cell], g, n) for cell, g, n in _counted(cells, servers, signs))
        change.servers += server_changes(
            (group, cell.verdict, cell.causes, n)
            for cell, group, n in by_server
            if cell.verdict in VERDICTS
        )
        change.judgements = self._judgements(numbers, sessions["bucket"], before, after)

    def _judgements(
        self, numbers: Numbers, buckets: Numbers, before: Numbers, after: dict[str, Numbers]
    ) -> Listed:
        """As a store keeps them."""
        has = (after["cell"] != NONE).tolist()
        codes = np.where(after["cell"] != NONE, after["cell"], before).tolist()
        cells = {code: self._cells[code] for code in set(codes)}
        by_code = {n: {code: getattr(c, n) for code, c in cells.items()} for n in CELL}
        by_code["cause"] = {code: _cause(cell) for code, cell in cells.items()}
        columns: dict[str, list[Any]] = {
            name: [values[code] for code in codes] for name, values in by_code.items()
        }
        if not all(has):  # sessions that have no judgement any more
            for name in _GONE:
                unset = _GONE[name]
                columns[name] = [v if h else unset for v, h in zip(columns[name], has, strict=True)]
        columns |= {
            "session_id": numbers.tolist(),
            "label_id": or_none(after["label"]),
            "other_half": or_none(after["half"]),
            "bucket": buckets.tolist(),
        }
        return Listed(columns)

    def _note_details(self, change: Change, judged: Judged, details: int) -> None:
        """The latest judgements that changed, with what is known of sessions."""
        if change.judgements is None:
            return
        verdicts = change.judgements.values("verdict")
        if any(cell.verdict == INCONSISTENT and n > 0 for cell, _, n in change.cells):
            inconsistent = [verdict == INCONSISTENT for verdict in verdicts]
            change.disagreements = _details(change.judgements, judged, inconsistent, EXAMPLES)
        if details:
            with_verdict = [verdict in VERDICTS for verdict in verdicts]
            change.details = _details(change.judgements, judged, with_verdict, details)

    def _forget_cells(self) -> None:
        """Forgets cells that no session has any more: sensors name as many as they like."""
        notes = [chunk.notes["cell"] for chunk in self._records.all_sessions()]
        are_used = np.zeros(len(self._cells) + 1, np.bool_)
        for cells in notes:
            are_used[cells] = True  # NONE is the last place
        numbers = self._cells.keep(np.flatnonzero(are_used[:-1]))
        for cells in notes:
            has = cells != NONE
            cells[has] = numbers[cells[has]]


#: What the columns of a session are that has no judgement any more.
_GONE: Mapping[str, int | None] = {
    **dict.fromkeys(("app", "label_provenance", "verdict", "funnel_step", "funnel_loss", "cause")),
    "causes": 0,
}


def _cause(cell: Cell) -> str | None:
    return first_cause(cell.verdict, cell.decode_as, named_causes(cell.causes))


def _label_rows(labels: Found) -> list[Row]:
    """Labels as RowJudge takes them."""
    rows = labels.rows()
    for row, statement in zip(rows, labels.notes("statement").tolist(), strict=True):
        row["statement"] = statement
    return rows


def _may_be_halves(sessions: Sequence[Row], flows: Numbers) -> npt.NDArray[np.bool_]:
    """Which are of a flow of which sensors saw one direction each."""
    if len({session["sensor"] for session in sessions}) < 2:
        return np.zeros(len(sessions), np.bool_)
    directions = np.array([session["direction"] or "" for session in sessions])
    of_client, of_server = flows[directions == "c2s"], flows[directions == "s2c"]
    return np.isin(flows, of_client) & np.isin(flows, of_server)


def _by_session(judged: Judged, numbers: Numbers) -> dict[str, Numbers]:
    """What is judged of the sessions with these numbers, each."""
    places = _places(judged.sessions, numbers)
    columns = zip(_NOTES, (judged.cells, judged.labels, judged.halves), strict=True)
    after = {}
    for name, values in columns:
        after[name] = np.full(len(numbers), NONE)
        after[name][places] = values
    return after


def _places(wanted: Numbers, among: Numbers) -> Numbers:
    """Where each of these numbers is among those, which have all of them."""
    order = np.argsort(among, kind="stable")
    return order[np.searchsorted(among, wanted, sorter=order)]


def _is_final(
    judgements: dict[str, Numbers], labels: Numbers, sessions: Numbers
) -> npt.NDArray[np.bool_]:
    """A judgement stays as it is when its label or the other half is not there any more. One of a
    store's earlier version says neither.
    """
    label, half = judgements["label"], judgements["half"]
    gone = (label != NONE) & ~np.isin(label, labels)
    gone |= (half != NONE) & ~np.isin(half, sessions)
    gone |= (label == NONE) & (half == NONE)
    final: npt.NDArray[np.bool_] = gone & (judgements["cell"] != NONE)
    return final


def _counted(cells: Numbers, others: Numbers, numbers: Numbers) -> list[tuple[int, int, int]]:
    """The sum of the numbers of each cell and other value, if it is not 0."""
    values, place = np.unique(others, return_inverse=True)
    pairs, pair = np.unique(cells * len(values) + place, return_inverse=True)
    sums = np.zeros(len(pairs), np.int64)
    np.add.at(sums, pair, numbers)
    return [
        (int(pairs[n] // len(values)), int(values[pairs[n] % len(values)]), int(sums[n]))
        for n in np.flatnonzero(sums)
    ]


def _details(judgements: Listed, judged: Judged, wanted: Sequence[bool], most: int) -> list[Row]:
    """The latest of those that are wanted."""
    rows = judgements.where(wanted).rows()
    rows.sort(key=lambda row: -row["session_id"])
    del rows[most:]
    shown = judged.shown([row["session_id"] for row in rows]) if rows else {}
    return [{**shown[row["session_id"]], **row} for row in rows]
