"""Halves of a session from two sensors become one session."""

from __future__ import annotations

import random
from typing import Any

import pytest

from mailtap.correlation import hot_keys
from mailtap.correlation.engines import DuckDBEngine
from mailtap.correlation.stitch import stitch
from mailtap.policy import EffectiveThresholds
from tables import Row, database, session

CLIENT_HALF = {
    "sensor": "north",
    "direction": "c2s",
    "starttls": "requested",
    "client_pkts": 2,
    "client_bytes": 4,
    "has_mailfrom": False,
    "has_rcptto": False,
    "effective": False,
    "empty_cause": "hello_only",
    "stage": "hello",
    "midstream": False,
}
SERVER_HALF = {
    "sensor": "south",
    "direction": "s2c",
    "ts": 1000.2,
    "duration": 12.0,
    "starttls": "accepted",
    "client_pkts": 0,
    "client_bytes": 0,
    "server_pkts": 2,
    "server_bytes": 3,
    "has_mailfrom": False,
    "has_rcptto": False,
    "effective": False,
    "empty_cause": "server_side_only",
    "stage": "greeting",
    "midstream": True,
}


def stitched(*rows: Row) -> tuple[int, list[Row]]:
    engine = DuckDBEngine(database(list(rows), []))
    count = stitch(engine, 5.0, EffectiveThresholds(packets=3, payload_bytes=5))
    return count, engine.rows("SELECT * FROM whole_sessions ORDER BY session_id")


def halves(**server: Any) -> tuple[Row, Row]:
    return session(1, **CLIENT_HALF), session(2, **SERVER_HALF | server)


def test_what_both_halves_show_is_combined() -> None:
    count, (whole,) = stitched(*halves())
    assert count == 1
    assert whole["uid"] == "C1 C2"
    assert whole["sensor"] == "north + south"
    assert whole["direction"] == "bidirectional"
    assert (whole["ts"], round(whole["duration"], 3)) == (1000.0, 12.2)
    assert (whole["client_pkts"], whole["server_pkts"]) == (2, 2)
    assert (whole["client_bytes"], whole["server_bytes"]) == (4, 3)
    assert whole["starttls"] == "accepted"
    assert whole["stage"] == "hello"
    assert whole["effective"]
    assert not whole["midstream"]


def test_what_one_half_lacks_is_taken_from_the_other() -> None:
    """Whatever the engine makes of texts that are unset: Spark and DuckDB differ."""
    _, (whole,) = stitched(*halves(uid=None))
    assert whole["uid"] == "C1"
    client, server = halves()
    _, (whole,) = stitched(client | {"uid": None}, server | {"uid": None})
    assert whole["uid"] is None


def test_starttls_explains_empty_fields_before_what_one_half_lacks() -> None:
    assert stitched(*halves())[1][0]["empty_cause"] == "starttls"
    client = session(1, **CLIENT_HALF | {"starttls": "none"})
    server = session(2, **SERVER_HALF | {"starttls": "none"})
    assert stitched(client, server)[1][0]["empty_cause"] == "hello_only"


def test_addresses_of_either_half_leave_no_cause_for_empty_fields() -> None:
    client = session(1, **CLIENT_HALF | {"has_mailfrom": True, "empty_cause": None})
    (whole,) = stitched(client, session(2, **SERVER_HALF))[1]
    assert whole["has_mailfrom"]
    assert whole["empty_cause"] is None


def test_what_either_half_recognises_counts() -> None:
    client = session(1, **CLIENT_HALF | {"decode_as": "BASE", "service": None})
    (whole,) = stitched(client, session(2, **SERVER_HALF))[1]
    assert (whole["decode_as"], whole["service"]) == ("MAIL", "smtp")


def test_sessions_stay_apart_from_one_sensor_at_another_time_or_of_the_same_side() -> None:
    for other in ({"sensor": "north"}, {"ts": 2000.0}, {"direction": "c2s"}, {"client_p": 1}):
        count, rows = stitched(*halves(**other))
        assert (count, len(rows)) == (0, 2)


def test_no_half_is_used_twice() -> None:
    client, server = halves()
    late = session(3, **SERVER_HALF | {"sensor": "east", "ts": 1003.0})
    count, rows = stitched(client, server, late)
    assert count == 1
    assert [row["uid"] for row in rows] == ["C1 C2", "C3"]


def test_halves_by_a_key_used_over_and_over_are_those_of_the_same_time() -> None:
    generator = random.Random(3)
    rows = []
    for number in range(60):
        half = CLIENT_HALF if number % 2 else SERVER_HALF
        length = generator.choice([0.0, 3.0, 200.0, 300.0, 5000.0])
        rows.append(
            session(number, **half | {"ts": generator.uniform(0, 9000), "duration": length})
        )
    count, found = stitched(*rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hot_keys, "MOST_LABELS", 60)  # all with all
        assert (count, found) == stitched(*rows)
    assert count > 9
