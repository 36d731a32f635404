"""A batch of session records as a table, with the fields that a report reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from mailtap.live.columns import Column, Places
from mailtap.sources.fields import Field
from mailtap.sources.records import FLOW, SESSION_FIELDS
from mailtap.sources.table import COLUMNS

Record = Mapping[str, object]

ARROW_TYPES: Mapping[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "BOOLEAN": pa.bool_(),
}


#: What a record says about itself beside the session: its number, and when its node started.
NUMBER_PLACES = ("node", "seq", "uid", "started")


class SessionReader:
    """Remembers texts between batches: most come again."""

    def __init__(self) -> None:
        self._columns = {name: Column(field) for name, field in SESSION_FIELDS.items()}
        self._places = Places((*SESSION_FIELDS.values(), Field(NUMBER_PLACES)))

    def rows(self, records: Iterable[Record]) -> dict[str, Sequence[object]]:
        """The values of records by place; of those a report reads, and NUMBER_PLACES."""
        return self._places.columns([self._places.row(record) for record in records])

    def table(self, values: Mapping[str, Sequence[object]]) -> pa.Table:
        """The fields of docs/session.md that a report reads, a row each record.

        A record that is no session lacks one of the fields in `FLOW`.
        """
        return pa.table(
            {
                name: pa.array(column(values), type=ARROW_TYPES[COLUMNS[name]])
                for name, column in self._columns.items()
            }
        )


def is_session(table: pa.Table) -> pa.ChunkedArray:
    """Which rows are sessions."""
    mask = pc.is_valid(table[FLOW[0]])
    for name in FLOW[1:]:
        mask = pc.and_(mask, pc.is_valid(table[name]))
    return mask
