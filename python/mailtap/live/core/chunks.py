"""Records of one kind and one generation, found by their flow without looking through the others.

They lie in chunks, records and an index each: the hashes of the records' flow keys in order, and
where the record of each lies. A new chunk is put together with the one before as long as that is
not much larger, so that there are few, and a record is copied a few times only. A generation is
dropped by dropping its chunks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mailtap.correlation.engines import Row
from mailtap.live.batches.records import FEW, Records, Tabled, together

Numbers: TypeAlias = npt.NDArray[np.int64]

#: What is noted about each record, by name.
Notes: TypeAlias = dict[str, npt.NDArray[Any]]

#: Stands for no number in a note: no cell, no label, no other half.
NONE = -1

#: Records that a chunk may have to be put together with another: to copy more takes too long.
LARGEST = 1 << 16


def or_none(numbers: Numbers) -> list[int | None]:
    """The numbers, with None for NONE."""
    return [None if number == NONE else number for number in numbers.tolist()]


@dataclass(frozen=True)
class Chunk:
    """`flows[n]` is the hash of a flow that the record at `places[n]` is found by. A record may
    have several, and `notes` may be changed.
    """

    records: Records
    flows: Numbers
    places: Numbers
    notes: Notes

    @classmethod
    def of(cls, records: Records, flows: Numbers, places: Numbers, notes: Notes) -> Chunk:
        """`flows` in any order."""
        order = np.argsort(flows, kind="stable")
        return cls(records, flows[order], places[order], notes)

    def find(self, wanted: Numbers) -> tuple[Numbers, Numbers]:
        """The places of the records of flows, and which of the flows each is found by."""
        first = np.searchsorted(self.flows, wanted, "left")
        number = np.searchsorted(self.flows, wanted, "right") - first
        total = int(number.sum())
        if not total:
            return number[:0], number[:0]
        within = np.arange(total) - np.repeat(np.cumsum(number) - number, number)
        return self.places[np.repeat(first, number) + within], np.repeat(wanted, number)

    def __len__(self) -> int:
        """The number of records."""
        return len(self.records)


class Chunks:
    """One kind of record, in the order they came; `schema` is that of its tables."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._chunks: list[Chunk] = []

    def __iter__(self) -> Iterator[Chunk]:
        return iter(self._chunks)

    def __len__(self) -> int:
        """The number of records."""
        return sum(map(len, self._chunks))

    def add(self, chunk: Chunk) -> None:
        if not len(chunk):
            return
        self._chunks.append(chunk)
        while len(self._chunks) > 1:
            *_, last_but_one, last = self._chunks
            if len(last_but_one) > 2 * len(last) or len(last_but_one) + len(last) > LARGEST:
                return
            self._chunks[-2:] = [_together(last_but_one, last, self._schema)]


def _together(first: Chunk, second: Chunk, schema: pa.Schema) -> Chunk:
    records = together([first.records, second.records], schema)
    if len(records) > FEW:  # values in lists take several times the memory
        records = Tabled(records.table(schema).combine_chunks())
    return Chunk.of(
        records,
        np.concatenate([first.flows, second.flows]),
        np.concatenate([first.places, second.places + len(first)]),
        {name: np.concatenate([first.notes[name], second.notes[name]]) for name in first.notes},
    )


@dataclass(frozen=True)
class Part:
    """Some records of a chunk, each once, by their places; `by` is a flow that each is found by."""

    chunk: Chunk
    places: Numbers
    by: Numbers

    def where(self, kept: npt.NDArray[np.bool_]) -> Part:
        return Part(self.chunk, self.places[kept], self.by[kept])


class Found:
    """Records of several chunks, in the order of the parts."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = [part for part in parts if len(part.places)]

    def __len__(self) -> int:
        return sum(len(part.places) for part in self.parts)

    @property
    def by(self) -> Numbers:
        """A flow that each record is found by."""
        return _joined([part.by for part in self.parts])

    def where(self, kept: npt.NDArray[np.bool_]) -> Found:
        """Those of the records for which it is true."""
        parts, first = [], 0
        for part in self.parts:
            parts.append(part.where(kept[first : first + len(part.places)]))
            first += len(part.places)
        return Found(parts)

    def table(self, schema: pa.Schema) -> pa.Table:
        if not self.parts:
            return schema.empty_table()
        return pa.concat_tables([records.table(schema) for records in self._records()])

    def rows(self) -> list[Row]:
        """A dictionary each record."""
        return [row for records in self._records() for row in records.rows()]

    def notes(self, name: str, kind: npt.DTypeLike = np.int64) -> npt.NDArray[Any]:
        """A note of each record; `kind` where there is no record."""
        return _joined([part.chunk.notes[name][part.places] for part in self.parts], kind)

    def note(self, notes: Mapping[str, npt.NDArray[Any]]) -> None:
        """Changes notes; a value each record."""
        for name, values in notes.items():
            first = 0
            for part in self.parts:
                part.chunk.notes[name][part.places] = values[first : first + len(part.places)]
                first += len(part.places)

    def _records(self) -> Iterator[Records]:
        for part in self.parts:
            yield part.chunk.records.take(part.places.tolist())


def _joined(arrays: list[npt.NDArray[Any]], kind: npt.DTypeLike = np.int64) -> npt.NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.zeros(0, kind)
