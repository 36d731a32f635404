"""A flow's records judged in Python have the verdicts that the queries give."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtap.correlation.by_flow import FlowJudge
from mailtap.correlation.clock import ClockOffset
from mailtap.correlation.engines import DuckDBEngine
from mailtap.correlation.pipeline import correlate
from mailtap.policy import load_policy
from tables import SERVER, Row, database, label, session

POLICY = load_policy()
JUDGEMENT = ("verdict", "causes", "funnel_step", "funnel_loss")
KEY = ("ip_a", "port_a", "ip_b", "port_b")
OFFSETS = tuple(
    ClockOffset(sensor, source, 9, offset, 0.0, applied)
    for sensor, source, offset, applied in (
        (None, "dpi.csv", 3600.0, True),
        ("north", "other.csv", -20.0, True),
        ("north", "dpi.csv", 50.0, False),
    )
)

moments = st.sampled_from([0.0, 0.004, 0.005, 1.0, 5.0, 5.001, 20.0, 3600.0])
lengths = st.sampled_from([None, 0.0, 0.01, 1.0, 9.999, 10.0, 300.0])
sessions = st.fixed_dictionaries(
    {
        "port": st.integers(1, 12),
        "ts": moments,
        "duration": lengths,
        "sensor": st.sampled_from([None, "north"]),
        "server_p": st.sampled_from([25, 143, 8080]),
        "service": st.sampled_from([None, "smtp"]),
        "decode_as": st.sampled_from(["MAIL", "BASE", "SSL"]),
        "decoder": st.sampled_from([None, "mailtap", "zeek"]),
        "has_mailfrom": st.sampled_from([None, False, True]),
    }
)
labels = st.fixed_dictionaries(
    {
        "port": st.integers(1, 12),
        "behind": st.sampled_from([None, None, 1, 2]),
        "start": moments,
        "length": lengths,
        "app": st.sampled_from(["smtp", "imap", None]),
        "protocol": st.sampled_from(["smtp", None]),
        "provenance": st.sampled_from(["payload", "port"]),
        "source": st.sampled_from(["dpi.csv", "other.csv"]),
        "engine": st.sampled_from(["ndpi", "other"]),
        "l4": st.sampled_from(["tcp", None, "udp"]),
        "is_label": st.sampled_from([True, True, False]),
        "server_p": st.sampled_from([25, 143, 8080]),
    }
)


def session_row(number: int, drawn: dict[str, Any]) -> Row:
    fields = dict(drawn)
    return session(number, client_p=fields.pop("port"), **fields)


def label_row(number: int, drawn: dict[str, Any]) -> Row:
    fields = dict(drawn)
    behind, length = fields.pop("behind"), fields.pop("length")
    end = None if length is None else fields["start"] + length
    port, server_p = fields.pop("port"), fields.pop("server_p")
    row = label(number, src_port=port, dst_port=server_p, end=end, **fields)
    if behind is not None:
        other = session(0, client_p=behind, server_h=SERVER, server_p=server_p)
        row |= {f"nat_{name}": other[name] for name in KEY}
    return row


def by_queries(
    session_rows: list[Row], label_rows: list[Row], offsets: tuple[ClockOffset, ...]
) -> dict[int, tuple[Any, ...]]:
    engine = DuckDBEngine(database(session_rows, label_rows))
    correlate(engine, POLICY, offsets, keep=True)
    chosen = {
        row["session_id"]: (row["label_id"], *(row[name] for name in JUDGEMENT))
        for row in engine.rows("SELECT * FROM verdicts")
    }
    return {
        row["session_id"]: (
            sorted(row["labels"]),
            row["ambiguous"],
            row["is_mail"],
            chosen.get(row["session_id"]),
        )
        for row in engine.rows(
            "SELECT session_id, list(label_id) AS labels, session_id IN (FROM ambiguous) AS "
            "ambiguous, bool_or(funnel_step IS NOT NULL) FILTER (chosen OR session_id IN "
            "(FROM ambiguous)) AS is_mail FROM judged_candidates GROUP BY session_id"
        )
    }


@pytest.mark.parametrize("offsets", [(), OFFSETS])
@settings(max_examples=12, deadline=None)
@given(st.lists(sessions, max_size=30), st.lists(labels, max_size=60))
def test_flow_by_flow_and_by_queries_verdicts_are_the_same(
    offsets: tuple[ClockOffset, ...],
    drawn_sessions: list[dict[str, Any]],
    drawn_labels: list[dict[str, Any]],
) -> None:
    session_rows = [session_row(number, drawn) for number, drawn in enumerate(drawn_sessions)]
    label_rows = [label_row(number, drawn) for number, drawn in enumerate(drawn_labels)]
    judge = FlowJudge(POLICY)
    judge.apply(offsets)
    judged = {}
    for one in session_rows:
        key = tuple(one[name] for name in KEY)
        own = [
            dict.fromkeys(("encryption", "carrier")) | other
            for other in label_rows
            if key
            in (
                tuple(other[name] for name in KEY),
                tuple(other.get(f"nat_{name}") for name in KEY),
            )
        ]
        fields = dict.fromkeys(("tunnel", "empty_cause", "sensor")) | one
        outcome = judge.judge(fields, own)
        if outcome is not None:
            chosen, judgement = outcome.label, outcome.judgement
            judged[one["session_id"]] = (
                sorted(outcome.candidates),
                chosen is None,
                outcome.is_mail,
                (chosen["label_id"], *(getattr(judgement, name) for name in JUDGEMENT))
                if chosen is not None and judgement is not None and judgement.in_scope
                else None,
            )
    assert judged == by_queries(session_rows, label_rows, offsets)
