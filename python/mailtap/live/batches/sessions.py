"""A batch of session records as a table, with the fields that live mode keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from mailtap.live.batches.columns import Column
from mailtap.live.batches.texts import JsonTextReader, LineBatch
from mailtap.records.fields import COUNT, TIME, Field
from mailtap.sessions.schema import live_columns, record_fields
from mailtap.sessions.session_records import REQUIRED

ARROW_TYPES: Mapping[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "BOOLEAN": pa.bool_(),
}

SESSION_FIELDS = record_fields(details=False, live=True)

#: What a record says about itself beside the session: its number, and when its node started.
NUMBER_FIELDS = {
    "node": (Field(("node",)), pa.string()),
    "number": (Field(("seq",), COUNT), pa.int64()),
    "uid": (Field(("uid",)), pa.string()),
    "started": (Field(("started",), TIME), pa.float64()),
}


class SessionBatch(NamedTuple):
    """A row each line: the fields of docs/reference/session.md that live mode keeps, whether it is
    a session at all, and NUMBER_FIELDS.
    """

    fields: pa.Table
    is_session: pa.ChunkedArray
    numbers: pa.Table

    def slice(self, first: int, length: int) -> SessionBatch:
        return SessionBatch(*(part.slice(first, length) for part in self))


class SessionReader:
    def __init__(self) -> None:
        self._columns = {
            name: Column(field, ARROW_TYPES[live_columns()[name]])
            for name, field in SESSION_FIELDS.items()
        }
        self._numbers = {name: Column(*field) for name, field in NUMBER_FIELDS.items()}
        fields = [*SESSION_FIELDS.values(), *(field for field, _ in NUMBER_FIELDS.values())]
        self._texts = JsonTextReader([place for field in fields for place in field.places])

    def __call__(self, lines: LineBatch) -> SessionBatch:
        by_place = self._texts(lines).by_place
        fields = pa.table({name: column(by_place) for name, column in self._columns.items()})
        fields = fields.append_column("sensor", fields["node"])
        numbers = pa.table({name: column(by_place) for name, column in self._numbers.items()})
        return SessionBatch(fields, _is_session(fields), numbers)


def _is_session(fields: pa.Table) -> pa.ChunkedArray:
    """A record that is no session lacks one of the fields in `REQUIRED`."""
    mask = pc.is_valid(fields[REQUIRED[0]])
    for name in REQUIRED[1:]:
        mask = pc.and_(mask, pc.is_valid(fields[name]))
    return mask
