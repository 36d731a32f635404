"""Lines of a label stream as a table in normal form: `mailtap.labels.normalise` by the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from mailtap.labels.detect import LabelError, recognise
from mailtap.labels.formats import ENDPOINTS, NAT_ENDPOINTS, NORMAL_FIELDS, LabelFormat
from mailtap.labels.table import COLUMNS
from mailtap.live.columns import Column, Places
from mailtap.live.message import MAXIMUM_LINE_BYTES, MalformedError, read_record
from mailtap.live.sessions import ARROW_TYPES
from mailtap.policy import Meaning, Policy
from mailtap.sources.containers import Container, Csv
from mailtap.sources.fields import Field, Scalar
from mailtap.sources.json_records import JsonDocument, JsonLines
from mailtap.sources.textfile import TextFile

#: Different names whose meaning is remembered.
REMEMBERED = 1 << 14

#: What a row says beside its normal fields: what the name means, and how good the statement is
#: where an engine makes several on a flow.
MEANING = ("app", "protocol", "encryption", "carrier", "provenance", "is_label")
STATEMENT = ("rank", "moment")


TYPES: Mapping[str, pa.DataType] = {
    **dict.fromkeys(("evidence", *NAT_ENDPOINTS), pa.string()),
    **{
        name: ARROW_TYPES[kind] for name, kind in COLUMNS.items() if name in NORMAL_FIELDS + MEANING
    },
    **dict.fromkeys(("nat_src_port", "nat_dst_port", "rank"), pa.int32()),
    **dict.fromkeys(("duration", "moment"), pa.float64()),
}


@dataclass(frozen=True)
class LabelBatch:
    """The records about TCP flows, and how many others and malformed lines there were.

    `flows` has the columns NORMAL_FIELDS, MEANING and STATEMENT.
    """

    flows: pa.Table
    other: int
    malformed: int


class LabelReader:
    """Reads the lines of one stream in the format that its first lines have."""

    def __init__(self, form: LabelFormat, container: Container, policy: Policy) -> None:
        self.form = form
        self._container = container
        self._policy = policy
        fields = dict(form.fields)
        fields |= {condition.place: Field((condition.place,)) for condition in form.conditions}
        if form.statements is not None:
            fields |= {"rank": form.statements.kind, "moment": form.statements.moment}
        self._places = Places(fields.values())
        self._columns = {name: Column(field) for name, field in fields.items()}
        self._meanings: dict[tuple[Scalar | None, Scalar | None], Meaning] = {}

    def __call__(self, lines: Sequence[bytes]) -> LabelBatch:
        rows = [
            self._places.row(record) for record in map(self._parse, lines) if record is not None
        ]
        blank = sum(not line.strip() for line in lines)
        places = self._places.columns(rows)
        values = {name: column(places) for name, column in self._columns.items()}
        nothing: Sequence[Scalar | None] = [None] * len(rows)
        about_tcp = [True] * len(rows)
        for condition in self.form.conditions:
            found = values[condition.place]
            about_tcp = [
                was and value in condition.values
                for was, value in zip(about_tcp, found, strict=True)
            ]
        l4 = values.get("l4", nothing)
        about_tcp = [
            was and value in (None, "tcp") for was, value in zip(about_tcp, l4, strict=True)
        ]
        times = zip(values.get("start", nothing), values.get("end", nothing), strict=True)
        timed = [start is not None or end is not None for start, end in times]
        ends = zip(*(values[name] for name in ENDPOINTS), strict=True)
        whole = [None not in end for end in ends]
        flow = [all(row) for row in zip(about_tcp, timed, whole, strict=True)]
        columns = {name: values.get(name, nothing) for name in NORMAL_FIELDS}
        columns |= self._meaning(columns["name"], columns["evidence"])
        columns |= self._statements(values, nothing)
        table = pa.table({name: pa.array(columns[name], TYPES[name]) for name in TYPES})
        flows = table if all(flow) else table.filter(pa.array(flow))
        other = len(rows) - sum(about_tcp)
        malformed = len(lines) - blank - len(flows) - other
        return LabelBatch(flows, other, malformed)

    def _parse(self, line: bytes) -> Mapping[str, object] | None:
        if isinstance(self._container, JsonLines):
            try:
                return read_record(line.lstrip(b"0123456789"))
            except MalformedError:
                return None
        if len(line) > MAXIMUM_LINE_BYTES:
            return None
        return self._container.parse(line.decode(errors="replace"))

    def _meaning(
        self, names: Sequence[Scalar | None], evidences: Sequence[Scalar | None]
    ) -> dict[str, Sequence[Scalar | None]]:
        meanings = list(map(self._meaning_of, names, evidences))
        return {key: [getattr(meaning, key) for meaning in meanings] for key in MEANING}

    def _meaning_of(self, name: Scalar | None, evidence: Scalar | None) -> Meaning:
        known = self._meanings.get((name, evidence))
        if known is not None:
            return known
        texts = (None if value is None else str(value) for value in (name, evidence))
        meaning = self._policy.meaning(self.form.engine, *texts)
        if len(self._meanings) < REMEMBERED:
            self._meanings[name, evidence] = meaning
        return meaning

    def _statements(
        self, values: Mapping[str, Sequence[Scalar | None]], nothing: Sequence[Scalar | None]
    ) -> dict[str, Sequence[Scalar | None]]:
        if self.form.statements is None:
            return dict.fromkeys(STATEMENT, nothing)
        ranking = self.form.statements.ranking
        return {
            "rank": [ranking.index(k) + 1 if k in ranking else 0 for k in values["rank"]],
            "moment": [0.0 if moment is None else moment for moment in values["moment"]],
        }


class UnknownFormatError(Exception):
    """One line that says what is wrong with a stream's format."""


def reader_of(
    name: str, head: Sequence[bytes], form: str | None, policy: Policy
) -> tuple[LabelReader, bytes | None]:
    """The reader of a stream that begins with these lines, and its header line if it has one.

    Raises UnknownFormatError.
    """
    lines = tuple(line.decode(errors="replace") for line in head)
    try:
        found, container = recognise(TextFile(Path(name), name, "none", lines), form, policy)
    except LabelError as error:
        raise UnknownFormatError(str(error)) from None
    if isinstance(container, JsonDocument):
        raise UnknownFormatError(f"{name}: a JSON document can't be followed, only JSON lines")
    header = next((line for line in head if line.strip()), None)
    return LabelReader(found, container, policy), header if isinstance(container, Csv) else None
