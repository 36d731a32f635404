"""Community IDs of different seeds are told."""

from __future__ import annotations

import pytest

from mailtap.correlation.engines import DuckDBEngine
from mailtap.correlation.seed import community_id, seed_warnings
from tables import Row, database, label, session


@pytest.mark.parametrize(
    ("ends", "seed", "expected"),
    [
        # The baseline of the specification, seeds 0 and 1.
        (("128.232.110.120", 34855, "66.35.250.204", 80), 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
        (("66.35.250.204", 80, "128.232.110.120", 34855), 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
        (("128.232.110.120", 34855, "66.35.250.204", 80), 1, "1:3V71V58M3Ksw/yuFALMcW0LAHvc="),
    ],
)
def test_ids_are_those_of_the_specification(
    ends: tuple[str, int, str, int], seed: int, expected: str
) -> None:
    assert community_id(*ends, seed=seed) == expected


def with_id(row: Row, seed: int) -> Row:
    ends = row["ip_a"], row["port_a"], row["ip_b"], row["port_b"]
    return row | {"community_id": community_id(*ends, seed=seed)}


def warnings(session_seed: int, label_seed: int, expected: int = 0) -> tuple[str, ...]:
    sessions = [with_id(session(n, client_p=n), session_seed) for n in (1, 2, 3)]
    labels = [with_id(label(n, src_port=n, source="it's.json"), label_seed) for n in (1, 2, 3)]
    connection = database(sessions, labels)
    connection.execute("CREATE VIEW whole_sessions AS FROM sessions")
    return seed_warnings(DuckDBEngine(connection), expected)


def test_the_same_seed_is_fine_whatever_the_policy_says() -> None:
    assert warnings(0, 0) == ()
    assert warnings(7, 7) == ()


def test_two_seeds_are_named() -> None:
    (warning,) = warnings(0, 513)
    assert warning.startswith("it's.json: Community IDs have seed 513, those of the sessions 0;")


def test_ids_of_no_seed_and_a_side_without_ids_say_nothing() -> None:
    foreign = session(1) | {"community_id": "1:something else="}
    connection = database([foreign], [with_id(label(1), 0)])
    connection.execute("CREATE VIEW whole_sessions AS FROM sessions")
    assert seed_warnings(DuckDBEngine(connection), 0) == ()


def without_endpoints(row: Row) -> Row:
    return row | dict.fromkeys(("ip_a", "port_a", "ip_b", "port_b"))


@pytest.mark.parametrize(("label_seed", "found"), [(0, ()), (7, (7,))])
def test_the_seed_of_labels_without_endpoints_is_found_by_the_sessions_of_their_time(
    label_seed: int, found: tuple[int, ...]
) -> None:
    sessions = [with_id(session(n, client_p=n), 0) for n in range(1, 30)]
    labels = [without_endpoints(with_id(label(n, src_port=n), label_seed)) for n in range(1, 30)]
    connection = database(sessions, labels)
    connection.execute("CREATE VIEW whole_sessions AS FROM sessions")
    assert seed_warnings(DuckDBEngine(connection), 0) == tuple(
        f"dpi.csv: Community IDs have seed {seed}, those of the sessions 0; none can match"
        for seed in found
    )


def test_labels_without_endpoints_cannot_match_sessions_without_community_ids() -> None:
    labels = [without_endpoints(with_id(label(1), 3))]
    connection = database([session(1)], labels)
    connection.execute("CREATE VIEW whole_sessions AS FROM sessions")
    (warning,) = seed_warnings(DuckDBEngine(connection), 0)
    assert warning == "dpi.csv: Community IDs have seed 3, the sessions have none; none can match"
