"""The offset of the engine's clock from the sensor's."""

from __future__ import annotations

import pytest

from mailtap.correlation.clock import ClockOffset
from mailtap.correlation.engines import DuckDBEngine
from mailtap.correlation.pipeline import correlate
from mailtap.policy import load_policy
from tables import Row, database, label, session

POLICY = load_policy()


def offsets(sessions: list[Row], labels: list[Row]) -> tuple[tuple[ClockOffset, ...], int]:
    """The estimates, and how many sessions found a label."""
    engine = DuckDBEngine(database(sessions, labels))
    clocks = correlate(engine, POLICY).clocks
    (paired,) = engine.rows("SELECT count(*) AS n FROM judged_candidates WHERE chosen")
    return clocks, paired["n"]


def flows(shift: float, count: int = 8) -> tuple[list[Row], list[Row]]:
    """Sessions, and labels of a clock that is behind by `shift` seconds."""
    starts = [1000.0 + 100 * number for number in range(count)]
    sessions = [
        session(number, ts=start, client_p=number + 1) for number, start in enumerate(starts)
    ]
    labels = [
        label(number, start=start - shift, end=start - shift + 10, src_port=number + 1)
        for number, start in enumerate(starts)
    ]
    return sessions, labels


@pytest.mark.parametrize("shift", [3600.0, -7200.0, 40.0])
def test_a_clock_that_is_off_is_found_and_allowed_for(shift: float) -> None:
    (clock,), paired = offsets(*flows(shift))
    assert clock.offset == pytest.approx(shift)
    assert clock.applied
    assert (clock.pairs, paired) == (8, 8)


def test_a_small_offset_is_reported_but_changes_nothing() -> None:
    (clock,), paired = offsets(*flows(0.25))
    assert clock.offset == pytest.approx(0.25)
    assert not clock.applied
    assert paired == 8


def test_flows_that_do_not_agree_are_no_clock() -> None:
    sessions, labels = flows(0.0)
    for number, row in enumerate(labels):
        row["start"] += 100.0 * number**2
        row["end"] = row["start"] + 1
    (clock,), paired = offsets(sessions, labels)
    assert not clock.applied
    assert paired == 1


def test_few_flows_and_other_days_are_no_clock() -> None:
    assert not offsets(*flows(3600.0, count=4))[0][0].applied
    assert not offsets(*flows(90_000.0))[0][0].applied


def test_each_sensor_and_file_has_a_clock_of_its_own() -> None:
    sessions, labels = flows(3600.0)
    more, others = flows(0.0)
    for row in more:
        row |= {"session_id": row["session_id"] + 100, "sensor": "right", "client_h": "::9"}
        row |= {"ip_a": "192.0.2.25", "ip_b": "203.0.113.9", "port_a": 25}
        row |= {"port_b": row["client_p"]}
    for row in others:
        row |= {"label_id": row["label_id"] + 100}
        row |= {"ip_a": "192.0.2.25", "ip_b": "203.0.113.9", "port_a": 25}
        row |= {"port_b": row["src_port"]}
    for row in sessions:
        row["sensor"] = "off"
    clocks, paired = offsets(sessions + more, labels + others)
    assert [(clock.sensor, clock.applied) for clock in clocks] == [("off", True), ("right", False)]
    assert paired == 16
