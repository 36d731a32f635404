"""Records in lists and in Arrow are the same, and those of a small table are what Arrow's own calls
give.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from mailtap.live.batches.records import Listed, Records, Tabled, together
from mailtap.live.batches.rows import rows

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


def both(table: pa.Table) -> tuple[Records, Records]:
    """The records of a table in lists and in Arrow."""
    return Listed(table.to_pydict()), Tabled(table)


@given(tables(), st.data())
def test_records_in_lists_are_those_in_arrow(table: pa.Table, data: st.DataObject) -> None:
    def mask() -> list[bool]:
        return data.draw(st.lists(st.booleans(), min_size=len(table), max_size=len(table)))

    kept, values = mask(), mask()
    places = [place for place in range(len(table)) if kept[place]]
    first, last = sorted((data.draw(st.integers(0, len(table))), len(table)))
    names = data.draw(st.lists(st.sampled_from(table.column_names), min_size=1, unique=True))

    def shown(records: Records) -> list[Any]:
        made = (
            *(records, records.where(kept), records.take(places), records.between(first, last)),
            *(records.select(names), records.with_column("more", values, pa.bool_())),
            records.with_column(names[0], values, pa.bool_()),
        )
        return [
            *((len(one), list(one.names), one.rows()) for one in made),
            *(list(records.have(names)), list(records.values(names[0]))),
            records.table(table.schema).to_pylist(),
        ]

    listed, tabled = both(table)
    assert shown(listed) == shown(tabled)


@given(tables(), tables(), st.integers(0, 3))
def test_records_of_either_kind_are_put_together(
    first: pa.Table, second: pa.Table, ways: int
) -> None:
    parts = both(first)[ways % 2], both(second)[ways // 2]
    assert together(parts, first.schema).rows() == first.to_pylist() + second.to_pylist()


@given(st.lists(st.text() | st.none()))
def test_the_size_of_texts_in_lists_is_that_of_their_bytes(texts: list[str | None]) -> None:
    in_bytes = sum(len(text.encode()) for text in texts if text is not None)
    assert Listed({"text": texts, "number": [1] * len(texts)}).nbytes == in_bytes + 16 * len(texts)
