"""Batches have the columns that the queries of a report give."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from mailtap.labels.formats import ENDPOINTS, NAT_ENDPOINTS
from mailtap.labels.projection import END, START, TRANSLATED
from mailtap.labels.table import COLUMNS as LABEL_COLUMNS
from mailtap.live.batches.normal_form import labels_in_normal_form, sessions_in_normal_form
from mailtap.live.batches.records import Listed, Tabled
from mailtap.live.batches.sessions import ARROW_TYPES
from mailtap.live.labels.reader import TYPES
from mailtap.records.key import endpoints_sql
from mailtap.sessions.session_records import HAS, session_columns

addresses = st.sampled_from(["10.0.0.1", "10.0.0.2", "9.9.9.9", "2001:db8::1"])
ports = st.sampled_from([0, 25, 143, 40_000])
moments = st.none() | st.sampled_from([0.0, 1.5, 1e9])


def by_query(query: str, incoming: pa.Table) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        connection.register("incoming", incoming)
        rows: list[dict[str, Any]] = connection.sql(query).to_arrow_table().to_pylist()
        return rows


@given(
    st.lists(
        st.fixed_dictionaries(
            dict.fromkeys(("orig_h", "resp_h"), addresses)
            | dict.fromkeys(("orig_p", "resp_p"), ports)
            | dict.fromkeys(HAS, st.none() | st.booleans())
        ),
        min_size=1,
        max_size=20,
    )
)
def test_sessions_have_the_report_s_columns(rows: list[dict[str, Any]]) -> None:
    kinds = {name: pa.bool_() for name in HAS} | {"orig_h": pa.string(), "orig_p": pa.int32()}
    kinds |= {"resp_h": pa.string(), "resp_p": pa.int32()}
    table = pa.Table.from_pylist(rows, pa.schema(kinds))
    expected = by_query(session_columns("SELECT * FROM incoming"), table)
    for records in (Tabled(table), Listed(table.to_pydict())):
        assert sessions_in_normal_form(records).rows() == expected


@given(
    st.lists(
        st.fixed_dictionaries(
            dict.fromkeys(("src_ip", "dst_ip"), addresses)
            | dict.fromkeys(("src_port", "dst_port"), ports)
            | dict.fromkeys(("nat_src_ip", "nat_dst_ip"), st.none() | addresses)
            | dict.fromkeys(("nat_src_port", "nat_dst_port"), st.none() | ports)
            | dict.fromkeys(("start", "end", "duration"), moments)
        ).filter(lambda row: row["start"] is not None or row["end"] is not None),
        min_size=1,
        max_size=20,
    )
)
def test_labels_have_the_report_s_columns(rows: list[dict[str, Any]]) -> None:
    own = {"label_id": "BIGINT", "source": "VARCHAR", "engine": "VARCHAR", "bucket": "BIGINT"}
    kinds = TYPES | {name: ARROW_TYPES[kind] for name, kind in own.items()}
    table = pa.Table.from_pylist(rows, pa.schema(list(kinds.items())))
    names = ", ".join(f'"{name}"' for name in (*LABEL_COLUMNS, "rank", "moment", "bucket"))
    expected = by_query(
        f"SELECT {names} FROM (SELECT *, {endpoints_sql(*ENDPOINTS)}, "
        f"{endpoints_sql(*NAT_ENDPOINTS, prefix='nat_')} FROM ("
        f'SELECT * REPLACE ({START} AS "start", {END} AS "end", '
        f"CASE WHEN {TRANSLATED} THEN nat_src_ip END AS nat_src_ip) FROM incoming))",
        table,
    )
    for records in (Tabled(table), Listed(table.to_pydict())):
        assert labels_in_normal_form(records).rows() == expected
