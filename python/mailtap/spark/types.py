"""Types of columns, from SQL as MailTap's tables have them to Spark's and Arrow's."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

_SPARK = {"VARCHAR": "STRING", "VARCHAR[]": "ARRAY<STRING>"}
_ARROW: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "VARCHAR[]": pa.list_(pa.string()),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
}


def spark_schema(columns: Mapping[str, str]) -> dict[str, str]:
    """Columns with their types in Spark's SQL."""
    return {name: _SPARK.get(kind, kind) for name, kind in columns.items()}


def spark_types(columns: Mapping[str, str]) -> str:
    """Columns with their types, as Spark's functions are given them."""
    return ", ".join(f"`{name}` {kind}" for name, kind in spark_schema(columns).items())


def arrow_schema(columns: Mapping[str, str]) -> pa.Schema:
    """Columns with their types in Arrow."""
    return pa.schema([(name, _ARROW[kind]) for name, kind in columns.items()])
