"""Rows of small Arrow tables are those that Arrow's own calls give."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from mailtap.live.batches.rows import rows, rows_where

_VALUES = {
    pa.string(): st.text(),
    pa.bool_(): st.booleans(),
    pa.int32(): st.integers(-(1 << 31), (1 << 31) - 1),
    pa.int64(): st.integers(-(1 << 63), (1 << 63) - 1),
    pa.float64(): st.floats(allow_nan=False),
    pa.list_(pa.string()): st.lists(st.text(max_size=3), max_size=3),
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    length = draw(st.integers(0, 5))
    return pa.table(
        {
            str(kind): pa.array(
                draw(st.lists(values | st.none(), min_size=length, max_size=length)), kind
            )
            for kind, values in _VALUES.items()
        }
    )


@given(tables())
def test_rows_have_the_values_and_types_of_arrow_s_own(table: pa.Table) -> None:
    expected = table.to_pylist()
    assert rows(table) == expected
    assert [[*map(type, row.values())] for row in rows(table)] == [
        [*map(type, row.values())] for row in expected
    ]


@given(tables(), st.data())
def test_a_mask_keeps_the_rows_for_which_it_is_true(table: pa.Table, data: st.DataObject) -> None:
    mask = data.draw(
        st.lists(st.sampled_from([True, False, None]), min_size=len(table), max_size=len(table))
    )
    kept = rows_where(table, pa.array(mask, pa.bool_()))
    assert kept.equals(table.filter(pa.array(mask, pa.bool_())))
