"""The verdicts on the records that may still meet, batch by batch.

They are given by the queries that a report runs, over the flows that a batch touches: what a
session's verdict depends on has the same flow key. So a batch costs by its own size, and the
verdicts are those of a report over the same records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from mailtap.correlation.clock import MINIMUM_PAIRS, ClockOffset
from mailtap.correlation.engines import Row
from mailtap.correlation.pipeline import compare_clocks, correlate
from mailtap.correlation.verdicts import INCONSISTENT, first_cause_sql
from mailtap.live.core.database import Database
from mailtap.live.core.recent import KEY, RecentRecords
from mailtap.live.core.servers import GROUP, ServerCell, server_changes
from mailtap.live.core.tally import AMBIGUOUS, OUT_OF_SCOPE, VERDICTS, Cell
from mailtap.policy import Policy

#: Sessions by which clocks are compared, the latest.
CLOCK_SAMPLE = 20_000

#: Rows of a batch that are shown as examples at most.
EXAMPLES = 64

#: Applied clock offsets that are remembered: hostile sensors name as many nodes as they like.
MAXIMUM_OFFSETS = 1_000

_CELL = (
    "sensor, decode_as, app, label_provenance, verdict, causes, funnel_step, funnel_loss, bucket"
)

#: A judgement. It rests on the label, and on the other half of a session that two sensors saw.
_JUDGED = (
    "session_id BIGINT, sensor VARCHAR, decode_as VARCHAR, app VARCHAR, label_provenance VARCHAR, "
    "verdict VARCHAR, causes BIGINT, funnel_step VARCHAR, funnel_loss VARCHAR, label_id BIGINT, "
    "other_half BIGINT, bucket BIGINT"
)

#: Judgements whose label or other half is not among the records any more.
_FINAL = (
    "SELECT session_id FROM stale WHERE label_id NOT IN (SELECT label_id FROM labels) "
    "OR other_half NOT IN (SELECT session_id FROM sessions) "
    "OR label_id IS NULL AND other_half IS NULL"  # of a store's earlier version
)

#: The half of a session that was put together with another.
STITCHED = "stitched"


@dataclass
class Change:
    """What a batch changed: cells of the tally with bucket and difference, the same by server, and
    what is behind it.

    `sessions` and `labels` are those of the batch in normal form. `judgements` has a row each
    session whose verdict is new or another; `verdict` is NULL where there is none any more.
    `unlabelled` and `unmatched` are sessions and labels that have waited in vain. `clocks` are the
    offsets that are applied from now on, if others than before.
    """

    cells: list[tuple[Cell, int, int]] = field(default_factory=list)
    servers: list[tuple[ServerCell, int]] = field(default_factory=list)
    sessions: pa.Table | None = None
    labels: pa.Table | None = None
    judgements: pa.Table | None = None
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
        self._database = Database()
        self._records = RecentRecords(self._database)
        self._begun: float | None = None
        self._offsets: dict[tuple[str | None, str], ClockOffset] = {}  # those that are applied
        self._database.run(f"CREATE TABLE judged ({_JUDGED})")
        self._database.run("CREATE TABLE matched_labels (label_id BIGINT)")

    def close(self) -> None:
        self._database.close()

    def add(
        self,
        sessions: pa.Table | None,
        labels: Sequence[pa.Table],
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
        flows = []
        if sessions is not None:
            change.sessions = self._records.add_sessions(sessions)
            flows.append(f"SELECT {KEY} FROM new_sessions")
        if labels:
            change.labels = self._records.add_labels(pa.concat_tables(labels))
            flows += self._records.flows_of_new_labels()
        if flows:
            self._rejudge(" UNION ".join(flows), change, details)
        return change

    def restore(
        self,
        sessions: pa.Table,
        labels: pa.Table,
        judgements: pa.Table,
        clocks: Sequence[ClockOffset],
        now: float,
    ) -> int:
        """Takes in what an earlier run had and judged; how many of the sessions still wait."""
        self._begun = now
        self._records.restore(sessions, labels)
        self._offsets = {(clock.sensor, clock.source): clock for clock in clocks}
        self._database.take_in(judgements, "INSERT INTO judged BY NAME SELECT * FROM incoming")
        self._records.select(f"SELECT {KEY} FROM all_sessions")
        correlate(self._database, self._policy, tuple(self._offsets.values()), keep=True)
        self._note_matched_labels()
        return self._records.waiting()

    def compare_clocks(self) -> Change:
        """Estimates the clocks' offsets anew, and judges all again if others are to be applied.

        An offset is applied until flows tell another one: there may be none for a while.
        """
        change = Change()
        slack = self._policy.join.slack
        self._records.select(
            f"SELECT {KEY} FROM all_sessions ORDER BY session_id DESC LIMIT {CLOCK_SAMPLE}"
        )
        after = dict(self._offsets)
        for clock in compare_clocks(self._database, self._policy):
            if clock.pairs >= MINIMUM_PAIRS and clock.spread <= slack:
                after.pop((clock.sensor, clock.source), None)
                if clock.applied and len(after) < MAXIMUM_OFFSETS:
                    after[clock.sensor, clock.source] = clock
        before, self._offsets = self._offsets, after
        if before.keys() != after.keys() or any(
            abs(before[key].offset - after[key].offset) > slack for key in before
        ):
            change.clocks = tuple(after.values())
            self._rejudge(f"SELECT DISTINCT {KEY} FROM all_sessions", change)
        return change

    def _rejudge(self, flows: str, change: Change, details: int = 0) -> None:
        self._records.select(flows)
        offsets = tuple(self._offsets.values())
        stitched = correlate(self._database, self._policy, offsets, keep=True).stitched
        self._database.view(
            "other_halves",
            "SELECT client_half AS session_id, server_half AS other_half FROM halves "
            "UNION ALL SELECT server_half, client_half FROM halves"
            if stitched
            else "SELECT NULL::BIGINT AS session_id, NULL::BIGINT AS other_half WHERE false",
        )
        nothing = "NULL AS app, NULL AS label_provenance"
        self._database.table(
            "fresh",
            "SELECT v.session_id, v.sensor, v.decode_as, v.app, v.label_provenance, v.verdict, "
            "v.causes::BIGINT AS causes, v.funnel_step, v.funnel_loss, v.label_id, h.other_half, "
            "s.bucket "
            "FROM verdicts v JOIN sessions s ON s.session_id = v.session_id "
            "LEFT JOIN other_halves h ON h.session_id = v.session_id "
            f"UNION ALL SELECT s.session_id, s.sensor, s.decode_as, {nothing}, "
            f"CASE WHEN a.session_id IS NULL THEN '{OUT_OF_SCOPE}' ELSE '{AMBIGUOUS}' END, "
            "0, CASE WHEN a.session_id IS NOT NULL AND c.is_mail THEN 'labelled' END, "
            "CASE WHEN a.session_id IS NOT NULL AND c.is_mail THEN 'ambiguous' END, "
            "c.label_id, h.other_half, s.bucket FROM sessions s "
            "JOIN (SELECT session_id, min(label_id) AS label_id, "
            "bool_or(funnel_step IS NOT NULL) AS is_mail FROM judged_candidates "
            "GROUP BY session_id) c ON c.session_id = s.session_id "
            "LEFT JOIN ambiguous a ON a.session_id = s.session_id "
            "LEFT JOIN other_halves h ON h.session_id = s.session_id "
            "WHERE s.session_id NOT IN (SELECT session_id FROM verdicts) "
            f"UNION ALL SELECT s.session_id, s.sensor, s.decode_as, {nothing}, '{STITCHED}', 0, "
            "NULL, NULL, NULL, h.other_half, s.bucket FROM sessions s JOIN other_halves h "
            "ON s.session_id = h.session_id WHERE h.other_half < s.session_id",
        )
        self._database.table("stale", "SELECT * FROM judged SEMI JOIN sessions USING (session_id)")
        if self._database.count("SELECT count(*) AS n FROM stale"):
            self._leave_what_is_final()
        self._note_changes(change, details)
        self._keep_judgements()

    def _leave_what_is_final(self) -> None:
        """A judgement stays as it is when what it rests on is not there to be judged again."""
        self._database.table("final", _FINAL)
        for table in ("fresh", "stale"):
            self._database.run(
                f"DELETE FROM {table} WHERE session_id IN (SELECT session_id FROM final)"
            )

    def _note_changes(self, change: Change, details: int) -> None:
        change.cells += [
            (Cell(*(row[name] for name in Cell.__dataclass_fields__)), row["bucket"], row["n"])
            for row in self._database.rows(
                f"SELECT {_CELL}, sum(n)::BIGINT AS n FROM (SELECT *, 1 AS n FROM fresh "
                f"UNION ALL SELECT *, -1 AS n FROM stale) GROUP BY {_CELL} HAVING sum(n) <> 0"
            )
        ]
        verdicts = ", ".join(f"'{verdict}'" for verdict in VERDICTS)
        change.servers += server_changes(
            (row["g"], row["verdict"], row["causes"], row["n"])
            for row in self._database.rows(
                f"SELECT {GROUP} AS g, c.verdict, c.causes, "
                "sum(n)::BIGINT AS n FROM (SELECT *, 1 AS n FROM fresh "
                "UNION ALL SELECT *, -1 AS n FROM stale) c "
                f"JOIN sessions s ON s.session_id = c.session_id WHERE c.verdict IN ({verdicts}) "
                "GROUP BY ALL HAVING sum(n) <> 0"
            )
        )
        (known,) = self._database.rows("SELECT count(*) AS n FROM stale")
        changed = (
            "(SELECT * FROM fresh EXCEPT SELECT * FROM stale) "
            "UNION ALL SELECT session_id, sensor, decode_as, NULL, NULL, NULL, 0, NULL, NULL, "
            "NULL, NULL, bucket FROM stale ANTI JOIN fresh USING (session_id)"
            if known["n"]
            else "SELECT * FROM fresh"
        )
        self._database.table("changed", f"SELECT *, {first_cause_sql()} AS cause FROM ({changed})")
        change.judgements = self._database.arrow("SELECT * FROM changed")
        if any(cell.verdict == INCONSISTENT and n > 0 for cell, _, n in change.cells):
            change.disagreements = self._details(f"verdict = '{INCONSISTENT}'", EXAMPLES)
        if details:
            change.details = self._details(f"verdict IN ({verdicts})", details)

    def _details(self, condition: str, number: int) -> list[Row]:
        """The latest judgements of which the condition holds, with what is known of sessions."""
        return self._database.rows(
            "SELECT c.*, s.ts, s.uid, s.community_id, s.client_h, s.client_p, s.server_h, "
            "s.server_p, s.service, s.direction, s.node, "
            "list_distinct([r.source, o.source]) AS sources FROM "
            f"(SELECT * FROM changed WHERE {condition} ORDER BY session_id DESC LIMIT {number}) c "
            "JOIN whole_sessions s ON s.session_id = c.session_id "
            "JOIN sessions r ON r.session_id = c.session_id "
            "LEFT JOIN sessions o ON o.session_id = c.other_half ORDER BY c.session_id DESC"
        )

    def _keep_judgements(self) -> None:
        self._database.run("DELETE FROM judged WHERE session_id IN (SELECT session_id FROM stale)")
        self._database.run("INSERT INTO judged SELECT * FROM fresh")
        self._note_matched_labels()

    def _note_matched_labels(self) -> None:
        self._database.run(
            "INSERT INTO matched_labels SELECT f.label_id FROM flow_labels f "
            "SEMI JOIN judged_candidates c ON c.label_id = f.flow"
        )
