"""The latest sessions and labels: those that may still meet.

Records lie in two generations. When the newer is old or large enough, the older is dropped: memory
is bounded, and a record stays for one full generation at least. What the older has of a flow of
which records came in the newer, too, is carried over: a verdict rests on all records of the flow.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from mailtap.labels.formats import ENDPOINTS, NAT_ENDPOINTS
from mailtap.labels.projection import END, START, TRANSLATED
from mailtap.labels.table import COLUMNS as LABEL_COLUMNS
from mailtap.live.core.database import Database
from mailtap.records.key import endpoints_sql
from mailtap.sessions.schema import columns
from mailtap.sessions.session_records import session_columns

SESSION_COLUMNS = columns(details=False)

#: Records of one flow that are looked at together, the latest. Whoever uses the same ports over and
#: over again must not make every batch join all with all.
MAXIMUM_OF_A_FLOW = 128

KEY = "ip_a, port_a, ip_b, port_b"
_NAT_KEY = "nat_ip_a, nat_port_a, nat_ip_b, nat_port_b"
_SAME_NAT = " AND ".join(
    f"l.nat_{name} = t.{name}" for name in ("ip_a", "port_a", "ip_b", "port_b")
)
_FLOW = f'source, {", ".join(ENDPOINTS)}, l4, "start"'
_SAME_FLOW = " AND ".join(
    f"n.{name} IS NOT DISTINCT FROM o.{name}" for name in map(str.strip, _FLOW.split(","))
)

#: Of no use to a verdict.
_LEFT_OUT = {"orig_h", "orig_p", "resp_h", "resp_p", "user_agent", "subject", "app"} | {
    name for name in SESSION_COLUMNS if name.startswith("label_")
}
_EMPTY = ", ".join(f"NULL::{SESSION_COLUMNS[name]} AS {name}" for name in sorted(_LEFT_OUT))
_KEPT = [name for name in SESSION_COLUMNS if name not in _LEFT_OUT]

_RECORDS = {
    "sessions": ", ".join(f"{name} {SESSION_COLUMNS[name]}" for name in _KEPT)
    + ", source VARCHAR, bucket BIGINT",
    "labels": ", ".join(f'"{name}" {kind}' for name, kind in LABEL_COLUMNS.items())
    + ", rank INTEGER, moment DOUBLE, bucket BIGINT",
}
_CARRIED = "carried BOOLEAN DEFAULT false"
_NUMBERS = {"sessions": "session_id", "labels": "label_id"}


class RecentRecords:
    """`all_sessions` and `all_labels`; the latest ones are also in `new_sessions` and
    `new_labels`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._newer, self._older = 0, 1
        self._counts = {"sessions": 0, "labels": 0}
        self._translated = False  # whether a label has translated endpoints
        self._statements = False  # whether an engine speaks of a flow several times
        for generation in (self._newer, self._older):
            self._empty(generation)
        for name in _RECORDS:
            database.run(
                f"CREATE VIEW all_{name} AS SELECT * FROM {name}_0 UNION ALL SELECT * FROM {name}_1"
            )

    @property
    def largest(self) -> int:
        """Records of the kind of which the newer generation has most."""
        return max(self._counts.values())

    def add_sessions(self, sessions: pa.Table) -> pa.Table:
        """Adds sessions as SessionReader gives them; returns them in normal form."""
        rows = session_columns("SELECT * FROM incoming")
        self._database.take_in(sessions, f"CREATE OR REPLACE TEMP TABLE new_sessions AS {rows}")
        self._keep_sessions()
        return self._database.arrow("SELECT * FROM new_sessions")

    def add_labels(self, labels: pa.Table) -> pa.Table:
        """Adds labels as LabelReader gives them; returns them in normal form."""
        names = ", ".join([*(f'"{name}"' for name in LABEL_COLUMNS), "rank", "moment", "bucket"])
        self._database.take_in(
            labels,
            f"CREATE OR REPLACE TEMP TABLE new_labels AS SELECT {names} FROM ("
            f"SELECT *, {endpoints_sql(*ENDPOINTS)}, "
            f"{endpoints_sql(*NAT_ENDPOINTS, prefix='nat_')} FROM ("
            f'SELECT * REPLACE ({START} AS "start", {END} AS "end", '
            f"CASE WHEN {TRANSLATED} THEN nat_src_ip END AS nat_src_ip) FROM incoming))",
        )
        self._keep_labels()
        return self._database.arrow("SELECT * FROM new_labels")

    def restore(self, sessions: pa.Table, labels: pa.Table) -> None:
        """Adds records that are in normal form."""
        for name, table in (("sessions", sessions), ("labels", labels)):
            self._database.take_in(
                table, f"CREATE OR REPLACE TEMP TABLE new_{name} AS SELECT * FROM incoming"
            )
        self._keep_sessions()
        self._keep_labels()

    def flows_of_new_labels(self) -> list[str]:
        """Queries of the flow keys that the new labels are about."""
        flows = [f"SELECT {KEY} FROM new_labels"]
        if self._translated:
            flows.append(f"SELECT {_NAT_KEY} FROM new_labels WHERE nat_ip_a IS NOT NULL")
        return flows

    def select(self, flows: str) -> None:
        """Makes the tables `sessions` and `labels` of a report, with the records of these flows.

        `flow_labels` has the records that `labels` are made of, each with its label as `flow`.
        """
        self._database.table("touched", f"SELECT DISTINCT * FROM ({flows}) t({KEY})")
        self._database.table(
            "sessions",
            f"SELECT *, {_EMPTY} FROM all_sessions SEMI JOIN touched USING ({KEY})",
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
        self._database.table(
            "flow_labels",
            f"SELECT *, {flow} AS flow FROM (SELECT * FROM all_labels SEMI JOIN touched "
            f"USING ({KEY}){behind_nat})",
        )
        self._leave_latest({"sessions": "session_id", "flow_labels": "label_id"})
        if not self._statements:
            self._database.view("labels", "SELECT * FROM flow_labels")
            return
        names = ", ".join(
            f'"{name}"' for name in LABEL_COLUMNS if name not in ("label_id", "end", "packets")
        )
        self._database.table(
            "labels",
            f"SELECT flow AS label_id, {names}, "
            'max("end") OVER (PARTITION BY flow) AS "end", '
            "max(packets) OVER (PARTITION BY flow) AS packets FROM flow_labels "
            "QUALIFY row_number() OVER (PARTITION BY flow "
            "ORDER BY rank DESC, moment DESC, label_id DESC) = 1",
        )

    def waiting(self) -> int:
        """Sessions that are not in table `judged`."""
        return self._database.count(
            "SELECT count(*) AS n FROM all_sessions ANTI JOIN judged USING (session_id)"
        )

    def drop_older(self, maximum: int) -> tuple[int, int]:
        """Begins a new generation in the place of the older one, which `judged` and
        `matched_labels` forget, too. Returns how many of its sessions and labels have waited in
        vain. At most `maximum` records of a kind are carried over, the latest.
        """
        for name, number in _NUMBERS.items():
            self._database.table(
                f"carried_{name}",
                f"SELECT * FROM ({self._of_active_flows(name)}) "
                f"QUALIFY row_number() OVER (PARTITION BY {KEY} ORDER BY {number} DESC) "
                f"<= {MAXIMUM_OF_A_FLOW} ORDER BY {number} DESC LIMIT {maximum}",
            )
        in_vain = self._unlabelled(), self._unmatched()
        self._empty(self._older)
        for name in _NUMBERS:
            self._database.run(
                f"INSERT INTO {name}_{self._older} "
                f"SELECT * REPLACE (true AS carried) FROM carried_{name}"
            )
            self._counts[name] = self._database.count(f"SELECT count(*) AS n FROM carried_{name}")
            self._database.run(f"DROP TABLE carried_{name}")
        self._database.run(
            "CREATE OR REPLACE TABLE judged AS SELECT * FROM judged "
            "SEMI JOIN all_sessions USING (session_id)"
        )
        self._database.run(  # a label is added again whenever its flow is judged again
            "CREATE OR REPLACE TABLE matched_labels AS SELECT DISTINCT * FROM matched_labels "
            "SEMI JOIN all_labels USING (label_id)"
        )
        self._newer, self._older = self._older, self._newer
        return in_vain

    def _of_active_flows(self, name: str) -> str:
        """Records of the older generation of whose flow others came in the newer one."""
        came = "WHERE NOT carried"
        flows = (
            f"(SELECT {KEY} FROM sessions_{self._newer} {came} "
            f"UNION SELECT {KEY} FROM labels_{self._newer} {came})"
        )
        query = f"SELECT o.* FROM {name}_{self._older} o SEMI JOIN {flows} USING ({KEY})"
        if not self._translated:
            return query
        if name == "labels":
            return (
                f"{query} UNION SELECT l.* FROM labels_{self._older} l "
                f"SEMI JOIN {flows} t ON {_SAME_NAT}"
            )
        return (
            f"{query} UNION SELECT t.* FROM sessions_{self._older} t "
            f"SEMI JOIN (SELECT * FROM labels_{self._newer} {came}) l ON {_SAME_NAT}"
        )

    def _unlabelled(self) -> int:
        """Sessions of the older generation that are not in table `judged`."""
        return self._database.count(
            f"SELECT count(*) AS n FROM sessions_{self._older} ANTI JOIN judged USING (session_id) "
            "ANTI JOIN carried_sessions USING (session_id)"
        )

    def _unmatched(self) -> int:
        """Flows with labels in the older generation of which none is in table `matched_labels`. One
        with a later statement in the newer generation still waits.
        """
        return self._database.count(
            f"SELECT count(DISTINCT ({_FLOW})) AS n FROM labels_{self._older} o "
            "ANTI JOIN matched_labels USING (label_id) ANTI JOIN carried_labels USING (label_id) "
            f"ANTI JOIN labels_{self._newer} n ON n.rank IS NOT NULL AND {_SAME_FLOW} "
            "WHERE o.is_label AND coalesce(o.l4, 'tcp') = 'tcp'"
        )

    def _keep_sessions(self) -> None:
        names = ", ".join([*_KEPT, "source", "bucket"])
        self._database.run(
            f"INSERT INTO sessions_{self._newer} BY NAME SELECT {names} FROM new_sessions"
        )
        self._counts["sessions"] += self._database.count("SELECT count(*) AS n FROM new_sessions")

    def _keep_labels(self) -> None:
        self._database.run(f"INSERT INTO labels_{self._newer} BY NAME SELECT * FROM new_labels")
        (kinds,) = self._database.rows(
            "SELECT count(*) AS n, count(nat_ip_a) AS translated, count(rank) AS statements "
            "FROM new_labels"
        )
        self._counts["labels"] += kinds["n"]
        self._translated |= kinds["translated"] > 0
        self._statements |= kinds["statements"] > 0

    def _leave_latest(self, numbered: Mapping[str, str]) -> None:
        """Leaves the latest of each flow in these tables, by the column that numbers its records,
        where a flow has too many.
        """
        flows = " UNION ALL ".join(
            f"SELECT count(*) AS n FROM {table} GROUP BY {KEY}" for table in numbered
        )
        if (
            self._database.count(f"SELECT coalesce(max(n), 0) AS n FROM ({flows})")
            <= MAXIMUM_OF_A_FLOW
        ):
            return
        for table, number in numbered.items():
            self._database.table(
                table,
                f"SELECT * FROM {table} QUALIFY row_number() OVER "
                f"(PARTITION BY {KEY} ORDER BY {number} DESC) <= {MAXIMUM_OF_A_FLOW}",
            )

    def _empty(self, generation: int) -> None:
        for name, listed in _RECORDS.items():
            self._database.run(
                f"CREATE OR REPLACE TABLE {name}_{generation} ({listed}, {_CARRIED})"
            )
