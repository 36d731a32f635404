"""One key for both sides of a flow, the same in Python and in SQL."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailtap.records.database import open_database
from mailtap.records.key import canonical_address, canonical_endpoints, endpoints_sql

GROUPS = st.sampled_from(["0", "0000", "1", "00ab", "FFFF", "db8"])


@st.composite
def ipv6_like(draw: st.DrawFn) -> str:
    groups = draw(st.lists(GROUPS, min_size=6, max_size=9))
    text = ":".join(groups)
    if draw(st.booleans()):
        cut = draw(st.integers(0, len(groups)))
        text = ":".join(groups[:cut]) + "::" + ":".join(groups[cut + draw(st.integers(0, 4)) :])
    return text + draw(st.sampled_from(["", "", ":192.0.2.1", "%eth0", ":"]))


ODD = st.sampled_from(
    [
        "::",
        "::1",
        "1::",
        "::ffff:1.2.3.4",
        "::FFFF:102:304",
        "::1.2.3.4",
        "01.2.3.4",
        "1.2.3.4%x",
        "",
    ]
)
ADDRESSES = st.ip_addresses().map(str) | ipv6_like() | ODD | st.text(max_size=12)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_database() as connection:
        yield connection


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(ADDRESSES, min_size=1, max_size=60))
def test_sql_and_python_agree_on_what_an_address_is(
    connection: duckdb.DuckDBPyConnection, texts: list[str]
) -> None:
    rows = connection.execute(
        "SELECT text, mailtap_address(text) FROM (SELECT unnest(?::VARCHAR[]) AS text)", [texts]
    ).fetchall()
    assert rows == [(text, canonical_address(text)) for text, _ in rows]
    assert len(rows) == len(texts)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("::FFFF:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("192.0.2.256", None),
    ],
)
def test_an_address_has_one_text(written: str, canonical: str | None) -> None:
    assert canonical_address(written) == canonical


def test_both_directions_have_one_key(connection: duckdb.DuckDBPyConnection) -> None:
    there = canonical_endpoints("192.0.2.9", 25, "192.0.2.10", 40000)
    assert there == canonical_endpoints("192.0.2.10", 40000, "192.0.2.9", 25)
    row = connection.execute(
        f"SELECT {endpoints_sql('a', 'p', 'b', 'q')} "
        "FROM (SELECT '192.0.2.9' AS a, 25 AS p, '192.0.2.10' AS b, 40000 AS q)"
    ).fetchone()
    assert row == tuple(there)


def test_a_connection_to_oneself_is_ordered_by_port() -> None:
    assert canonical_endpoints("::1", 40000, "::1", 25) == ("::1", 25, "::1", 40000)
