"""The rows of table `labels`."""

from __future__ import annotations

from typing import Any

import duckdb

Row = dict[str, Any]


def rows(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    result = connection.execute('SELECT * FROM labels ORDER BY "start", label_id')
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
