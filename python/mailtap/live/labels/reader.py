"""Batches of a label stream's lines in normal form, as a label file gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mailtap.labels.detect import LabelError, recognise
from mailtap.labels.formats import (
    ENDPOINTS,
    NAT_ENDPOINTS,
    NORMAL_FIELDS,
    NORMAL_LABEL,
    LabelFormat,
)
from mailtap.labels.table import COLUMNS
from mailtap.live.batches.columns import Column, columns_of
from mailtap.live.batches.records import Listed, Records, Tabled
from mailtap.live.batches.sessions import ARROW_TYPES
from mailtap.live.batches.texts import LineBatch, text_reader
from mailtap.policy import Policy
from mailtap.records.containers import Container, Csv
from mailtap.records.fields import Field
from mailtap.records.json_records import JsonDocument
from mailtap.records.record_file import RecordFile

#: Different names whose normal form is remembered.
REMEMBERED = 1 << 14

#: What a row says beside its normal fields and the name's meaning: how good the statement is where
#: an engine makes several on a flow.
STATEMENT = ("rank", "moment")


TYPES: Mapping[str, pa.DataType] = {
    **dict.fromkeys(("evidence", *NAT_ENDPOINTS), pa.string()),
    **{
        name: ARROW_TYPES[kind]
        for name, kind in COLUMNS.items()
        if name in NORMAL_FIELDS + NORMAL_LABEL
    },
    **dict.fromkeys(("nat_src_port", "nat_dst_port", "rank"), pa.int32()),
    **dict.fromkeys(("duration", "moment"), pa.float64()),
}

_NO_TIME = (None, None)

_KINDS = {**TYPES, "rank": pa.string()}  # of which the place in a ranking is made


@dataclass(frozen=True)
class LabelBatch:
    """The records about TCP flows, and how many others and malformed lines there were.

    `flows` has the columns NORMAL_FIELDS, NORMAL_LABEL and STATEMENT.
    """

    flows: Records
    other: int
    malformed: int


class LabelReader:
    """Reads the lines of one stream in the format that its first lines have."""

    def __init__(self, form: LabelFormat, container: Container, policy: Policy) -> None:
        self.form = form
        self._policy = policy
        fields = dict(form.fields)
        fields |= {condition.place: Field((condition.place,)) for condition in form.conditions}
        if form.statements is not None:
            fields |= {"rank": form.statements.kind, "moment": form.statements.moment}
        places = [place for field in fields.values() for place in field.places]
        self._texts = text_reader(container, places)
        self._columns = {
            name: Column(field, _KINDS.get(name, pa.string())) for name, field in fields.items()
        }
        self._known: dict[tuple[str | None, str | None], tuple[object, ...]] = {}

    def __call__(self, lines: LineBatch) -> LabelBatch:
        texts = self._texts(lines)
        values = columns_of(self._columns, texts)
        if isinstance(values, Listed):
            flows, others = self._listed(values.columns, texts.is_record)
        else:
            flows, others = self._tabled(values.arrow, texts.is_record)
        blank = sum(not line.strip() for line in lines)
        return LabelBatch(flows, others, len(lines) - blank - len(flows) - others)

    def _listed(
        self, values: Mapping[str, Sequence[Any]], is_record: Sequence[bool]
    ) -> tuple[Records, int]:
        """The records about TCP flows, and the number of others."""
        unset = [None] * len(is_record)
        columns = {name: values.get(name, unset) for name in NORMAL_FIELDS}
        labels = map(self._normal_label, columns["name"], columns["evidence"])
        columns |= zip(NORMAL_LABEL, zip(*labels, strict=True), strict=True)
        columns |= dict.fromkeys(STATEMENT, unset)
        if self.form.statements is not None:
            ranks = {kind: n for n, kind in enumerate(self.form.statements.ranking, 1)}
            columns["rank"] = [ranks.get(kind, 0) for kind in values["rank"]]
            columns["moment"] = [moment or 0.0 for moment in values["moment"]]
        tests: list[tuple[Sequence[Any], Sequence[str | None]]] = [(columns["l4"], ("tcp", None))]
        tests += [(values[c.place], c.values) for c in self.form.conditions]
        about_tcp = [*is_record]
        for column, wanted in tests:
            about_tcp = [b and value in wanted for b, value in zip(about_tcp, column, strict=True)]
        times = zip(columns["start"], columns["end"], strict=True)
        records = Listed({name: columns[name] for name in TYPES})
        parts = zip(about_tcp, times, records.have(ENDPOINTS), strict=True)
        is_flow = [about and time != _NO_TIME and has_ends for about, time, has_ends in parts]
        return records.where(is_flow), sum(is_record) - sum(about_tcp)

    def _tabled(self, values: pa.Table, is_record: pa.Array) -> tuple[Records, int]:
        """As `_listed`, of a table."""
        arrays = {name: values[name].combine_chunks() for name in values.column_names}
        unset = len(values)
        columns = {name: arrays.get(name, pa.nulls(unset, TYPES[name])) for name in NORMAL_FIELDS}
        columns |= self._normal_labels(columns["name"], columns["evidence"])
        columns |= self._statements(arrays, unset)
        about_tcp = pc.and_(is_record, pc.is_in(columns["l4"], pa.array(["tcp", None])))
        for condition in self.form.conditions:
            wanted = pc.is_in(arrays[condition.place], pa.array(condition.values))
            about_tcp = pc.and_(about_tcp, wanted)
        is_flow = pc.and_(about_tcp, pc.is_valid(pc.coalesce(columns["start"], columns["end"])))
        for name in ENDPOINTS:
            is_flow = pc.and_(is_flow, pc.is_valid(columns[name]))
        flows = pa.table({name: columns[name] for name in TYPES}).filter(is_flow)
        return Tabled(flows), is_record.true_count - about_tcp.true_count

    def _normal_labels(self, names: pa.Array, evidences: pa.Array) -> dict[str, pa.Array]:
        # Neither has control characters.
        both = pc.binary_join_element_wise(
            names, evidences, "\n", null_handling="replace", null_replacement="\0"
        ).dictionary_encode()
        labels = [
            self._normal_label(*(None if part == "\0" else part for part in text.split("\n")))
            for text in both.dictionary.to_pylist()
        ]
        return {
            key: pa.array([label[n] for label in labels], TYPES[key]).take(both.indices)
            for n, key in enumerate(NORMAL_LABEL)
        }

    def _normal_label(self, name: str | None, evidence: str | None) -> tuple[object, ...]:
        """The values of NORMAL_LABEL."""
        known = self._known.get((name, evidence))
        if known is not None:
            return known
        found = self._policy.normal_label(self.form.engine, name, evidence)
        label = tuple(getattr(found, key) for key in NORMAL_LABEL)
        if len(self._known) < REMEMBERED:
            self._known[name, evidence] = label
        return label

    def _statements(self, values: Mapping[str, pa.Array], lines: int) -> dict[str, pa.Array]:
        if self.form.statements is None:
            return {name: pa.nulls(lines, TYPES[name]) for name in STATEMENT}
        place = pc.index_in(values["rank"], pa.array(self.form.statements.ranking))
        return {
            "rank": pc.fill_null(pc.add(place, 1), 0).cast(TYPES["rank"]),
            "moment": pc.fill_null(values["moment"], 0.0),
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
        found, container = recognise(RecordFile(Path(name), name, "none", lines), form, policy)
    except LabelError as error:
        raise UnknownFormatError(str(error)) from None
    if isinstance(container, JsonDocument):
        raise UnknownFormatError(f"{name}: a JSON document can't be followed, only JSON lines")
    header = next((line for line in head if line.strip()), None)
    return LabelReader(found, container, policy), header if isinstance(container, Csv) else None
