"""The records that may still meet: the latest sessions and labels, and the verdicts on them.

Held in an in-memory database and joined by the queries that a report runs, over the flows that a
batch touches: what a session's verdict depends on has the same flow key. So a batch costs by its
own size, and the verdicts are those of a report over the same records.

Records lie in two generations. When the newer is old or large enough, the older is dropped: memory
is bounded, and a record stays for one full generation at least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from mailtap.correlation.clock import estimate_clock_offsets
from mailtap.correlation.engines import DuckDBEngine, Row
from mailtap.correlation.join import pair_by_join
from mailtap.correlation.stitch import stitch
from mailtap.correlation.verdicts import INCONSISTENT, Judge, first_cause_sql
from mailtap.labels.formats import ENDPOINTS, NAT_ENDPOINTS
from mailtap.labels.projection import END, START, TRANSLATED
from mailtap.labels.table import COLUMNS as LABEL_COLUMNS
from mailtap.live.tally import AMBIGUOUS, OUT_OF_SCOPE, VERDICTS, Cell
from mailtap.policy import Policy
from mailtap.sources.key import endpoints_sql
from mailtap.sources.records import session_columns
from mailtap.sources.table import COLUMNS as SESSION_COLUMNS

#: Records of one flow that are looked at together, the latest. Whoever uses the same ports over and
#: over again must not make every batch join all with all.
MAXIMUM_OF_A_FLOW = 128

#: Sessions by which clocks are compared, the latest.
CLOCK_SAMPLE = 20_000

#: Rows of a batch that are shown as examples at most.
EXAMPLES = 64

_KEY = "ip_a, port_a, ip_b, port_b"
_NAT_KEY = "nat_ip_a, nat_port_a, nat_ip_b, nat_port_b"
_SAME_NAT = " AND ".join(
    f"l.nat_{name} = t.{name}" for name in ("ip_a", "port_a", "ip_b", "port_b")
)
_FLOW = f'source, {", ".join(ENDPOINTS)}, l4, "start"'
_SAME_FLOW = " AND ".join(
    f"n.{name} IS NOT DISTINCT FROM o.{name}" for name in map(str.strip, _FLOW.split(","))
)
_CELL = "sensor, decode_as, app, label_provenance, verdict, causes, bucket"

#: Of no use to a verdict.
_LEFT_OUT = {"orig_h", "orig_p", "resp_h", "resp_p", "user_agent", "subject", "app"} | {
    name for name in SESSION_COLUMNS if name.startswith("label_")
}
_EMPTY = ", ".join(f"NULL::{SESSION_COLUMNS[name]} AS {name}" for name in sorted(_LEFT_OUT))
_KEPT = [name for name in SESSION_COLUMNS if name not in _LEFT_OUT]

_RECORDS = {
    "sessions": ", ".join(f"{name} {SESSION_COLUMNS[name]}" for name in _KEPT) + ", bucket BIGINT",
    "labels": ", ".join(f'"{name}" {kind}' for name, kind in LABEL_COLUMNS.items())
    + ", rank INTEGER, moment DOUBLE, bucket BIGINT",
}
_JUDGED = (
    "session_id BIGINT, sensor VARCHAR, decode_as VARCHAR, app VARCHAR, label_provenance VARCHAR, "
    "verdict VARCHAR, causes BIGINT, bucket BIGINT"
)

#: The half of a session that was put together with another.
STITCHED = "stitched"


@dataclass
class Change:
    """What a batch changed: cells of the tally with bucket and difference, and what is behind it.

    `sessions` and `labels` are those of the batch in normal form. `judgements` has a row each
    session whose verdict is new or another; `verdict` is NULL where there is none any more.
    `unlabelled` and `unmatched` are sessions and labels that have waited in vain.
    """

    cells: list[tuple[Cell, int, int]] = field(default_factory=list)
    sessions: pa.Table | None = None
    labels: pa.Table | None = None
    judgements: pa.Table | None = None
    disagreements: list[Row] = field(default_factory=list)
    details: list[Row] = field(default_factory=list)
    unlabelled: int = 0
    unmatched: int = 0


class _Engine(DuckDBEngine):
    """Runs the same queries over and over: a name may be a view once and a table the next time."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        super().__init__(connection)
        self._views: set[str] = set()
        self._drop = connection.execute

    def table(self, name: str, query: str) -> None:
        if name in self._views:
            self._views.remove(name)
            self._drop(f"DROP VIEW IF EXISTS {name}").fetchall()
        super().table(name, query)

    def view(self, name: str, query: str) -> None:
        if name not in self._views:
            self._views.add(name)
            self._drop(f"DROP TABLE IF EXISTS {name}").fetchall()
        super().view(name, query)


class Window:
    def __init__(self, policy: Policy, seconds: float, maximum: int) -> None:
        """Records stay for `seconds` at least, unless more than `maximum` of a kind come."""
        self._policy = policy
        self._seconds = seconds
        self._maximum = maximum
        self._judge = Judge(policy)
        self._connection = duckdb.connect(config={"threads": 1})
        self._engine = _Engine(self._connection)
        self._generation = 0
        self._begun: float | None = None
        self._counts = {"sessions": 0, "labels": 0}
        self._clocks_differ = False
        self._translated = False  # whether a label has translated endpoints
        self._statements = False  # whether an engine speaks of a flow several times
        for generation in (0, 1):
            self._empty(generation)
        for name in _RECORDS:
            self._run(
                f"CREATE VIEW all_{name} AS SELECT * FROM {name}_0 UNION ALL SELECT * FROM {name}_1"
            )
        self._run(f"CREATE TABLE judged ({_JUDGED})")
        self._run("CREATE TABLE met (label_id BIGINT)")

    def close(self) -> None:
        self._connection.close()

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
        if now - self._begun >= self._seconds or max(self._counts.values()) >= self._maximum:
            self._rotate(change, now)
        touched = [f"SELECT {_KEY} FROM new_sessions"] if sessions is not None else []
        if sessions is not None:
            change.sessions = self._take_sessions(sessions)
        if labels:
            change.labels = self._take_labels(pa.concat_tables(labels))
            touched.append(f"SELECT {_KEY} FROM new_labels")
            if self._translated:
                touched.append(f"SELECT {_NAT_KEY} FROM new_labels WHERE nat_ip_a IS NOT NULL")
        if touched:
            self._rejudge(" UNION ".join(touched), change, details)
        return change

    def restore(
        self, sessions: pa.Table, labels: pa.Table, judgements: pa.Table, now: float
    ) -> Change:
        """Takes in what an earlier run had, and judges what that had not yet."""
        self._begun = now
        for name, table in (("new_sessions", sessions), ("new_labels", labels)):
            self._connection.register("incoming", table)
            self._engine.table(name, "SELECT * FROM incoming")
            self._connection.unregister("incoming")
        self._keep_sessions()
        self._keep_labels()
        self._connection.register("incoming", judgements)
        self._run("INSERT INTO judged SELECT * FROM incoming")
        self._connection.unregister("incoming")
        change = Change()
        self._rejudge(f"SELECT {_KEY} FROM all_sessions", change)
        return change

    def compare_clocks(self) -> Change:
        """Estimates the clocks' offsets anew, and judges all again if others are to be applied."""
        change = Change()
        before = self._offsets()
        self._select(
            f"SELECT {_KEY} FROM all_sessions ORDER BY session_id DESC LIMIT {CLOCK_SAMPLE}"
        )
        stitch(self._engine, self._policy.join.slack, self._policy.effective)
        clocks = estimate_clock_offsets(self._engine, self._policy.join.slack)
        self._clocks_differ = any(clock.applied for clock in clocks)
        after = self._offsets()
        slack = self._policy.join.slack
        if before.keys() != after.keys() or any(
            abs(before[key] - after[key]) > slack for key in before
        ):
            self._rejudge(f"SELECT DISTINCT {_KEY} FROM all_sessions", change)
        return change

    def _offsets(self) -> dict[tuple[str | None, str], float]:
        if not self._clocks_differ:
            return {}
        return {
            (row["sensor"], row["source"]): row["center"]
            for row in self._engine.rows("SELECT sensor, source, center FROM clock_offsets")
        }

    def _take_sessions(self, sessions: pa.Table) -> pa.Table:
        self._connection.register("incoming", sessions)
        rows = session_columns("SELECT * FROM incoming")
        self._engine.table("new_sessions", rows)
        self._connection.unregister("incoming")
        self._keep_sessions()
        return self._arrow("SELECT * FROM new_sessions")

    def _take_labels(self, labels: pa.Table) -> pa.Table:
        self._connection.register("incoming", labels)
        names = ", ".join([*(f'"{name}"' for name in LABEL_COLUMNS), "rank", "moment", "bucket"])
        self._engine.table(
            "new_labels",
            f"SELECT {names} FROM (SELECT *, {endpoints_sql(*ENDPOINTS)}, "
            f"{endpoints_sql(*NAT_ENDPOINTS, prefix='nat_')} FROM ("
            f'SELECT * REPLACE ({START} AS "start", {END} AS "end", '
            f"CASE WHEN {TRANSLATED} THEN nat_src_ip END AS nat_src_ip) FROM incoming))",
        )
        self._connection.unregister("incoming")
        self._keep_labels()
        return self._arrow("SELECT * FROM new_labels")

    def _keep_sessions(self) -> None:
        names = ", ".join([*_KEPT, "bucket"])
        self._run(f"INSERT INTO sessions_{self._generation} SELECT {names} FROM new_sessions")
        (row,) = self._engine.rows("SELECT count(*) AS n FROM new_sessions")
        self._counts["sessions"] += row["n"]

    def _keep_labels(self) -> None:
        self._run(f"INSERT INTO labels_{self._generation} SELECT * FROM new_labels")
        (said,) = self._engine.rows(
            "SELECT count(*) AS n, count(nat_ip_a) AS translated, count(rank) AS statements "
            "FROM new_labels"
        )
        self._counts["labels"] += said["n"]
        self._translated |= said["translated"] > 0
        self._statements |= said["statements"] > 0

    def _select(self, flows: str) -> None:
        """Makes the tables `sessions` and `labels` of a report, with the records of these flows."""
        self._engine.table("touched", f"SELECT DISTINCT * FROM ({flows}) t({_KEY})")
        latest = self._latest()
        self._engine.table(
            "sessions",
            f"SELECT *, {_EMPTY} FROM all_sessions SEMI JOIN touched USING ({_KEY}) "
            + latest.format("session_id"),
        )
        behind_nat = (
            f" UNION SELECT l.* FROM all_labels l SEMI JOIN touched t ON {_SAME_NAT}"
            if self._translated
            else ""
        )
        # Of several statements on a flow the best counts, the latest of equally good ones.
        flow = (
            "CASE WHEN rank IS NULL THEN label_id "
            f"ELSE min(label_id) OVER (PARTITION BY {_FLOW}) END"
            if self._statements
            else "label_id"
        )
        self._engine.table(
            "flow_labels",
            f"SELECT *, {flow} AS flow FROM (SELECT * FROM all_labels SEMI JOIN touched "
            f"USING ({_KEY}){behind_nat}) {latest.format('label_id')}",
        )
        if not self._statements:
            self._engine.view("labels", "SELECT * FROM flow_labels")
            return
        names = ", ".join(
            f'"{name}"' for name in LABEL_COLUMNS if name not in ("label_id", "end", "packets")
        )
        self._engine.table(
            "labels",
            f"SELECT flow AS label_id, {names}, "
            'max("end") OVER (PARTITION BY flow) AS "end", '
            "max(packets) OVER (PARTITION BY flow) AS packets FROM flow_labels "
            "QUALIFY row_number() OVER (PARTITION BY flow "
            "ORDER BY rank DESC, moment DESC, label_id DESC) = 1",
        )

    def _latest(self) -> str:
        """A QUALIFY that leaves the latest of each touched flow, where one has too many; with the
        place for the column that numbers the records.
        """
        flows = " UNION ALL ".join(
            f"SELECT count(*) AS n FROM all_{name} SEMI JOIN touched USING ({_KEY}) GROUP BY {_KEY}"
            for name in _RECORDS
        )
        if self._count(f"SELECT coalesce(max(n), 0) AS n FROM ({flows})") <= MAXIMUM_OF_A_FLOW:
            return ""
        return (
            f"QUALIFY row_number() OVER (PARTITION BY {_KEY} ORDER BY {{}} DESC) "
            f"<= {MAXIMUM_OF_A_FLOW}"
        )

    def _rejudge(self, flows: str, change: Change, details: int = 0) -> None:
        self._select(flows)
        stitched = stitch(self._engine, self._policy.join.slack, self._policy.effective)
        slack = self._policy.join.slack
        pair_by_join(self._engine, self._judge, slack, self._clocks_differ, keep=True)
        nothing = "NULL AS app, NULL AS label_provenance"
        halves = (
            "UNION ALL SELECT s.session_id, s.sensor, s.decode_as, "
            f"{nothing}, '{STITCHED}', 0, s.bucket FROM sessions s JOIN halves h "
            "ON s.session_id = greatest(h.client_half, h.server_half)"
            if stitched
            else ""
        )
        self._engine.table(
            "fresh",
            "SELECT v.session_id, v.sensor, v.decode_as, v.app, v.label_provenance, v.verdict, "
            "v.causes::BIGINT AS causes, s.bucket "
            "FROM verdicts v JOIN sessions s ON s.session_id = v.session_id "
            f"UNION ALL SELECT s.session_id, s.sensor, s.decode_as, {nothing}, "
            f"CASE WHEN a.session_id IS NULL THEN '{OUT_OF_SCOPE}' ELSE '{AMBIGUOUS}' END, "
            "0, s.bucket FROM sessions s SEMI JOIN judged_candidates USING (session_id) "
            "ANTI JOIN verdicts USING (session_id) "
            f"LEFT JOIN ambiguous a ON a.session_id = s.session_id {halves}",
        )
        self._engine.table("stale", "SELECT * FROM judged SEMI JOIN sessions USING (session_id)")
        self._note_changes(change, details)
        self._keep_judgements()

    def _note_changes(self, change: Change, details: int) -> None:
        change.cells += [
            (Cell(*(row[name] for name in Cell.__dataclass_fields__)), row["bucket"], row["n"])
            for row in self._engine.rows(
                f"SELECT {_CELL}, sum(n)::BIGINT AS n FROM (SELECT *, 1 AS n FROM fresh "
                f"UNION ALL SELECT *, -1 AS n FROM stale) GROUP BY {_CELL} HAVING sum(n) <> 0"
            )
        ]
        (known,) = self._engine.rows("SELECT count(*) AS n FROM stale")
        changed = (
            "(SELECT * FROM fresh EXCEPT SELECT * FROM stale) "
            "UNION ALL SELECT session_id, sensor, decode_as, NULL, NULL, NULL, 0, bucket "
            "FROM stale ANTI JOIN fresh USING (session_id)"
            if known["n"]
            else "SELECT * FROM fresh"
        )
        self._engine.table("changed", f"SELECT *, {first_cause_sql()} AS cause FROM ({changed})")
        change.judgements = self._arrow("SELECT * FROM changed")
        if any(cell.verdict == INCONSISTENT and n > 0 for cell, _, n in change.cells):
            change.disagreements = self._details(f"verdict = '{INCONSISTENT}'", EXAMPLES)
        if details:
            verdicts = ", ".join(f"'{verdict}'" for verdict in VERDICTS)
            change.details = self._details(f"verdict IN ({verdicts})", details)

    def _details(self, condition: str, number: int) -> list[Row]:
        """The latest judgements of which the condition holds, with what is known of sessions."""
        return self._engine.rows(
            "SELECT c.*, s.ts, s.uid, s.community_id, s.client_h, s.client_p, s.server_h, "
            "s.server_p, s.service, s.direction FROM "
            f"(SELECT * FROM changed WHERE {condition} ORDER BY session_id DESC LIMIT {number}) c "
            "JOIN whole_sessions s ON s.session_id = c.session_id ORDER BY c.session_id DESC"
        )

    def _keep_judgements(self) -> None:
        self._run("DELETE FROM judged WHERE session_id IN (SELECT session_id FROM stale)")
        self._run("INSERT INTO judged SELECT * FROM fresh")
        self._run(
            "INSERT INTO met SELECT f.label_id FROM flow_labels f "
            "SEMI JOIN judged_candidates c ON c.label_id = f.flow"
        )

    def _rotate(self, change: Change, now: float) -> None:
        """Drops the older generation, and begins a new one."""
        older, newer = 1 - self._generation, self._generation
        change.unlabelled += self._count(
            f"SELECT count(*) AS n FROM sessions_{older} ANTI JOIN judged USING (session_id)"
        )
        # A flow of which more was said since has not waited in vain yet.
        change.unmatched += self._count(
            f"SELECT count(DISTINCT ({_FLOW})) AS n FROM labels_{older} o "
            "ANTI JOIN met USING (label_id) "
            f"ANTI JOIN labels_{newer} n ON n.rank IS NOT NULL AND {_SAME_FLOW} "
            "WHERE o.is_label AND coalesce(o.l4, 'tcp') = 'tcp'"
        )
        self._empty(older)
        for name, column, kept in (
            ("judged", "session_id", "sessions"),
            ("met", "label_id", "labels"),
        ):
            self._run(
                f"CREATE OR REPLACE TABLE {name} AS SELECT DISTINCT * FROM {name} "
                f"SEMI JOIN {kept}_{newer} USING ({column})"
            )
        self._generation = older
        self._begun = now
        self._counts = {"sessions": 0, "labels": 0}

    def _empty(self, generation: int) -> None:
        for name, columns in _RECORDS.items():
            self._run(f"CREATE OR REPLACE TABLE {name}_{generation} ({columns})")

    def _count(self, query: str) -> int:
        (row,) = self._engine.rows(query)
        return int(row["n"])

    def _arrow(self, query: str) -> pa.Table:
        return self._connection.sql(query).to_arrow_table()

    def _run(self, statement: str) -> None:
        self._connection.execute(statement).fetchall()
