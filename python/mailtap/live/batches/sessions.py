"""A batch of session records, with the fields that live mode keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from mailtap.live.batches.columns import Column, columns_of
from mailtap.live.batches.records import Records
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
    "BLOB": pa.binary(),
}

SESSION_FIELDS = record_fields(details=False, live=True)

#: What a record says about itself beside the session: its number, and when its node started.
NUMBER_FIELDS = {
    "node": (Field(("node",)), pa.string()),
    "number": (Field(("seq",), COUNT), pa.int64()),
    "uid": (Field(("uid",)), pa.string()),
    "started": (Field(("started",), TIME), pa.float64()),
}


#: The columns that SessionReader gives.
SESSIONS = pa.schema(
    {name: ARROW_TYPES[live_columns()[name]] for name in (*SESSION_FIELDS, "sensor")}
)


class SessionBatch(NamedTuple):
    """A record each line: the fields of docs/reference/session.md that live mode keeps, whether it
    is a session at all, and NUMBER_FIELDS.
    """

    fields: Records
    is_session: Sequence[bool]
    numbers: Records

    def between(self, first: int, last: int) -> SessionBatch:
        """Of the lines from a place to before another."""
        return SessionBatch(
            self.fields.between(first, last),
            self.is_session[first:last],
            self.numbers.between(first, last),
        )


class SessionReader:
    def __init__(self) -> None:
        self._columns = {
            name: Column(field, SESSIONS.field(name).type) for name, field in SESSION_FIELDS.items()
        }
        self._numbers = {name: Column(*field) for name, field in NUMBER_FIELDS.items()}
        fields = [*SESSION_FIELDS.values(), *(field for field, _ in NUMBER_FIELDS.values())]
        self._texts = JsonTextReader([place for field in fields for place in field.places])

    def __call__(self, lines: LineBatch) -> SessionBatch:
        texts = self._texts(lines)
        fields, numbers = columns_of(self._columns, texts), columns_of(self._numbers, texts)
        fields = fields.with_column("sensor", fields.values("node"), pa.string())
        # A record that is no session lacks one of the fields in `REQUIRED`.
        return SessionBatch(fields, fields.have(REQUIRED), numbers)
