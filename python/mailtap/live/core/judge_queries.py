"""Verdicts on many sessions at once, by the queries that a report runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailtap.correlation.clock import ClockOffset
from mailtap.correlation.engines import Row
from mailtap.correlation.pipeline import correlate
from mailtap.labels.table import COLUMNS as LABEL_COLUMNS
from mailtap.live.core.by_engine import verdicts_of_rows
from mailtap.live.core.chunks import NONE, Numbers
from mailtap.live.core.database import Database
from mailtap.live.core.judged import SHOWN, SHOWN_OF_A_HALF, Cells, Judged
from mailtap.live.core.recent import LABELS, SESSIONS
from mailtap.live.core.tally import AMBIGUOUS, OUT_OF_SCOPE
from mailtap.policy import Policy
from mailtap.sessions.schema import columns

#: The half of a session that was put together with another.
STITCHED = "stitched"

_SESSION_COLUMNS = columns(details=False)


def _unset(kinds: dict[str, str], known: pa.Schema) -> str:
    """Columns of a report's table that live mode does not keep."""
    return "".join(
        f", NULL::{kind} AS {name}" for name, kind in kinds.items() if name not in known.names
    )


_ALL_OF_SESSIONS = f"SELECT *{_unset(_SESSION_COLUMNS, SESSIONS)} FROM incoming"
_ALL_OF_LABELS = f"SELECT *{_unset(LABEL_COLUMNS, LABELS)} FROM incoming"

#: Of several statements on a flow the best counts, the latest of equally good ones.
_FLOW = "CASE WHEN rank IS NULL THEN label_id ELSE min(label_id) OVER (PARTITION BY statement) END"
_LABELS = (
    "SELECT * EXCLUDE (flow) REPLACE (flow AS label_id, "
    'max("end") OVER (PARTITION BY flow) AS "end") FROM flow_labels QUALIFY row_number() '
    "OVER (PARTITION BY flow ORDER BY rank DESC, moment DESC, label_id DESC) = 1"
)

_NOTHING = "NULL AS app, NULL AS label_provenance"
_JUDGED = f"""
    SELECT v.session_id, v.sensor, v.decode_as, v.app, v.label_provenance, v.verdict,
           v.causes::BIGINT AS causes, v.funnel_step, v.funnel_loss, v.label_id, h.other_half
    FROM verdicts v LEFT JOIN other_halves h ON h.session_id = v.session_id
    UNION ALL SELECT s.session_id, s.sensor, s.decode_as, {_NOTHING},
           CASE WHEN a.session_id IS NULL THEN '{OUT_OF_SCOPE}' ELSE '{AMBIGUOUS}' END, 0,
           CASE WHEN a.session_id IS NOT NULL AND c.is_mail THEN 'labelled' END,
           CASE WHEN a.session_id IS NOT NULL AND c.is_mail THEN 'ambiguous' END,
           c.label_id, h.other_half
    FROM sessions s
    JOIN (SELECT session_id, min(label_id) AS label_id,
                 bool_or(funnel_step IS NOT NULL) AS is_mail
          FROM judged_candidates GROUP BY session_id) c ON c.session_id = s.session_id
    LEFT JOIN ambiguous a ON a.session_id = s.session_id
    LEFT JOIN other_halves h ON h.session_id = s.session_id
    WHERE s.session_id NOT IN (SELECT session_id FROM verdicts)
    UNION ALL SELECT s.session_id, s.sensor, s.decode_as, {_NOTHING}, '{STITCHED}', 0, NULL, NULL,
           NULL, h.other_half
    FROM sessions s JOIN other_halves h ON s.session_id = h.session_id
    WHERE h.other_half < s.session_id"""

_BY_ENGINE = "SELECT session_id, engine, verdict, label_id FROM verdicts_by_engine"


class QueryJudge:
    """Judges in a database of its own."""

    def __init__(self, policy: Policy, cells: Cells) -> None:
        self._policy = policy
        self._cells = cells
        self._database = Database()

    def close(self) -> None:
        self._database.close()

    def judge(self, sessions: pa.Table, labels: pa.Table, offsets: Sequence[ClockOffset]) -> Judged:
        """`labels` are records with the hash of their flow as `statement`."""
        take_in(self._database, sessions, labels)
        stitched = correlate(self._database, self._policy, offsets, keep=True).stitched
        self._database.view(
            "other_halves",
            "SELECT client_half AS session_id, server_half AS other_half FROM halves "
            "UNION ALL SELECT server_half, client_half FROM halves"
            if stitched
            else "SELECT NULL::BIGINT AS session_id, NULL::BIGINT AS other_half WHERE false",
        )
        judged = self._database.arrow(_JUDGED)
        matched = self._database.arrow(
            "SELECT f.label_id FROM flow_labels f "
            "SEMI JOIN judged_candidates c ON c.label_id = f.flow"
        )
        flows = self._database.arrow("SELECT label_id FROM labels")
        return Judged(
            sessions=_numbers(judged["session_id"]),
            cells=self._cells.codes(judged),
            labels=_numbers(judged["label_id"]),
            halves=_numbers(judged["other_half"]),
            flows=_numbers(flows["label_id"]),
            matched=_numbers(matched["label_id"]),
            shown=self._shown,
            by_engine=verdicts_of_rows(self._database.arrow(_BY_ENGINE)),
        )

    def _shown(self, numbers: Sequence[int]) -> dict[int, Row]:
        listed = ", ".join(map(str, numbers))
        shown = ", ".join(
            (
                *(f"w.{name}" for name in SHOWN),
                *(f"coalesce(r.{name}, o.{name}) AS {name}" for name in SHOWN_OF_A_HALF),
            )
        )
        rows = self._database.rows(
            f"SELECT w.session_id, {shown}, list_distinct([r.source, o.source]) AS sources "
            "FROM whole_sessions w JOIN sessions r ON r.session_id = w.session_id "
            "LEFT JOIN other_halves h ON h.session_id = w.session_id "
            "LEFT JOIN sessions o ON o.session_id = h.other_half "
            f"WHERE w.session_id IN ({listed})"
        )
        return {row["session_id"]: row for row in rows}


def take_in(database: Database, sessions: pa.Table, labels: pa.Table) -> None:
    """Has the records in the tables that a report's queries read."""
    database.take_in(sessions, f"CREATE OR REPLACE TEMP TABLE sessions AS {_ALL_OF_SESSIONS}")
    several = labels["rank"].null_count < len(labels)
    database.take_in(
        labels,
        f"CREATE OR REPLACE TEMP TABLE flow_labels AS SELECT *, "
        f"{_FLOW if several else 'label_id'} AS flow FROM ({_ALL_OF_LABELS})",
    )
    database.view("labels", _LABELS if several else "SELECT * EXCLUDE (flow) FROM flow_labels")


def _numbers(column: pa.ChunkedArray) -> Numbers:
    return np.asarray(pc.fill_null(column.cast(pa.int64()), NONE).to_numpy())
