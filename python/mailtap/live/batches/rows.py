"""The rows of a small Arrow table, for a fraction of what Arrow's own calls take of a small one."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from mailtap.correlation.engines import Row

#: NumPy has these as Python objects, None among them.
_AS_OBJECTS = {pa.string(), pa.bool_()}
#: NumPy has no None among numbers, so only a column without NULL goes through it.
_NUMBERS = {pa.int32(), pa.int64(), pa.float64()}


def values(column: pa.ChunkedArray) -> list[Any]:
    """The values as `to_pylist` has them."""
    if column.null_count == len(column):
        return [None] * len(column)
    as_numpy = column.type in _AS_OBJECTS or (column.type in _NUMBERS and not column.null_count)
    listed: list[Any] = column.to_numpy().tolist() if as_numpy else column.to_pylist()
    return listed


def rows(table: pa.Table) -> list[Row]:
    """The rows as `to_pylist` has them."""
    names = table.column_names
    columns = map(values, table.columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
