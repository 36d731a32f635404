"""What a judge says about some sessions, whichever way it found that out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np
import pyarrow as pa

from mailtap.correlation.engines import Row
from mailtap.live.core.by_engine import NO_VERDICTS, EngineVerdicts
from mailtap.live.core.chunks import Numbers
from mailtap.live.core.tally import Cell

CELL = tuple(Cell.__dataclass_fields__)

#: Columns of a session that is shown, of both halves together where there are two.
SHOWN = (
    *("ts", "uid", "community_id", "client_h", "client_p", "server_h", "server_p"),
    *("service", "direction", "node", "stage"),
    *("client_pkts", "client_bytes", "server_pkts", "server_bytes"),
)

#: Columns of a session that is shown, of one of the halves.
SHOWN_OF_A_HALF = ("last_reply",)


@dataclass(frozen=True)
class Judged:
    """Of sessions that have a judgement: their numbers, the codes of their cells, the numbers of
    their labels and of their other halves, `NONE` where there is none.

    `flows` are the numbers of the labels that there were, `matched` those of the label records that
    could be a session's. `by_engine` are the verdicts by each label engine. `shown` gives, of
    sessions with these numbers, SHOWN and their `sources`.
    """

    sessions: Numbers
    cells: Numbers
    labels: Numbers
    halves: Numbers
    flows: Numbers
    matched: Numbers
    shown: Callable[[Sequence[int]], dict[int, Row]]
    by_engine: Mapping[str, EngineVerdicts]

    def together(self, other: Judged) -> Judged:
        """With what another judge says about other sessions."""
        return Judged(
            sessions=np.concatenate([self.sessions, other.sessions]),
            cells=np.concatenate([self.cells, other.cells]),
            labels=np.concatenate([self.labels, other.labels]),
            halves=np.concatenate([self.halves, other.halves]),
            flows=np.concatenate([self.flows, other.flows]),
            matched=np.concatenate([self.matched, other.matched]),
            shown=lambda numbers: {**self.shown(numbers), **other.shown(numbers)},
            by_engine={
                engine: self.by_engine.get(engine, NO_VERDICTS).together(
                    other.by_engine.get(engine, NO_VERDICTS)
                )
                for engine in {*self.by_engine, *other.by_engine}
            },
        )


class Cells:
    """Cells by a number each."""

    def __init__(self) -> None:
        self._cells: list[Cell] = []
        self._codes: dict[tuple[object, ...], int] = {}

    def __getitem__(self, code: int) -> Cell:
        return self._cells[code]

    def __len__(self) -> int:
        """The number of cells."""
        return len(self._cells)

    def code(self, cell: tuple[object, ...]) -> int:
        """The number of a cell that has these fields."""
        found = self._codes.get(cell)
        if found is None:
            found = self._codes[cell] = len(self._cells)
            self._cells.append(Cell(*cell))  # type: ignore[arg-type]
        return found

    def codes(self, cells: pa.Table) -> Numbers:
        """The number of each row's cell."""
        mixed = np.zeros(len(cells), np.int64)
        for name in CELL:
            encoded = cells[name].combine_chunks().dictionary_encode(null_encoding="encode")
            mixed = mixed * len(encoded.dictionary) + encoded.indices.to_numpy()
            # A number for each that there is, lest the product grow beyond 64 bits.
            mixed = np.unique(mixed, return_inverse=True)[1]
        _, first, place = np.unique(mixed, return_index=True, return_inverse=True)
        distinct = cells.select(CELL).take(first).to_pylist()
        codes = [self.code(tuple(row[name] for name in CELL)) for row in distinct]
        return np.array(codes, np.int64)[place]

    def columns(self, codes: Numbers) -> dict[str, list[object]]:
        """The fields of the cells with these numbers, a list each field."""
        rows = [astuple(self._cells[code]) for code in codes]
        return {name: [row[n] for row in rows] for n, name in enumerate(CELL)}

    def keep(self, used: Numbers) -> Numbers:
        """Forgets all cells but these; returns the new number by the old one."""
        cells = [self._cells[code] for code in used]
        numbers = np.zeros(len(self._cells), np.int64)
        numbers[used] = np.arange(len(used))
        self._cells = cells
        self._codes = {astuple(cell): n for n, cell in enumerate(cells)}
        return numbers
