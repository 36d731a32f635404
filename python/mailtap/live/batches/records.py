"""Records of one kind by the column: few in Python lists, many in an Arrow table.

A call of Arrow's takes some 10 microseconds however few the values are, and what live mode does
with a batch would make hundreds of them. To Arrow go records that wait for the store or in the
window, many at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from mailtap.correlation.engines import Row
from mailtap.live.batches import rows

#: Records of a batch that are kept in lists.
FEW = 1_000


@dataclass(frozen=True)
class Listed:
    """A list of the values of each column, all equally long. None of them is ever changed."""

    columns: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        """The number of records."""
        return len(next(iter(self.columns.values())))

    @property
    def names(self) -> Collection[str]:
        """The columns' names."""
        return self.columns.keys()

    def values(self, name: str) -> Sequence[Any]:
        """The values of a column."""
        return self.columns[name]

    def have(self, names: Sequence[str]) -> Sequence[bool]:
        """Whether each record has a value in all these columns."""
        of_records = zip(*map(self.columns.__getitem__, names), strict=True)
        return [None not in values for values in of_records]

    def rows(self) -> list[Row]:
        """A dictionary each record."""
        names = tuple(self.columns)
        of_rows = zip(*self.columns.values(), strict=True)
        return [dict(zip(names, row, strict=True)) for row in of_rows]

    def table(self, schema: pa.Schema) -> pa.Table:
        """The columns of the schema as an Arrow table."""
        columns = [pa.array(self.columns[name], schema.field(name).type) for name in schema.names]
        return pa.Table.from_arrays(columns, schema=schema)

    def take(self, places: Sequence[int]) -> Listed:
        """The records at these places."""
        return Listed({name: [column[n] for n in places] for name, column in self.columns.items()})

    def where(self, kept: Sequence[bool]) -> Listed:
        """The records for which it is true. Nearly always that is all of them."""
        if all(kept):
            return self
        return Listed({name: [*compress(c, kept)] for name, c in self.columns.items()})

    def between(self, first: int, last: int) -> Listed:
        """The records from a place to before another."""
        if first == 0 and last == len(self):
            return self
        return Listed({name: column[first:last] for name, column in self.columns.items()})

    def select(self, names: Sequence[str]) -> Listed:
        """These columns alone."""
        return Listed({name: self.columns[name] for name in names})

    def with_column(self, name: str, values: Sequence[Any], kind: pa.DataType) -> Listed:
        """With a column that is added, or replaces the one of its name; `kind` is its type in
        Arrow.
        """
        del kind
        return Listed({**self.columns, name: values})

    @property
    def nbytes(self) -> int:
        """The bytes that the records take in Arrow, about."""
        return sum(map(_bytes, self.columns.values()))


@dataclass(frozen=True)
class Tabled:
    """An Arrow table; otherwise as `Listed`."""

    arrow: pa.Table

    def __len__(self) -> int:
        """The number of records."""
        return len(self.arrow)

    @property
    def names(self) -> Collection[str]:
        """See Listed."""
        names: list[str] = self.arrow.column_names
        return names

    def values(self, name: str) -> Sequence[Any]:
        """See Listed."""
        return rows.values(self.arrow[name])

    def have(self, names: Sequence[str]) -> Sequence[bool]:
        """See Listed."""
        valid = np.ones(len(self.arrow), np.bool_)
        for name in names:
            valid &= self.arrow[name].is_valid().to_numpy()
        listed: list[bool] = valid.tolist()
        return listed

    def rows(self) -> list[Row]:
        """See Listed."""
        return rows.rows(self.arrow)

    def table(self, schema: pa.Schema) -> pa.Table:
        """See Listed."""
        return self.arrow.select(schema.names).cast(schema)

    def take(self, places: Sequence[int]) -> Tabled:
        """See Listed."""
        return Tabled(self.arrow.take(pa.array(places, pa.int64())))

    def where(self, kept: Sequence[bool]) -> Tabled:
        """See Listed."""
        return self if all(kept) else Tabled(self.arrow.filter(pa.array(kept, pa.bool_())))

    def between(self, first: int, last: int) -> Tabled:
        """See Listed."""
        return Tabled(self.arrow.slice(first, last - first))

    def select(self, names: Sequence[str]) -> Tabled:
        """See Listed."""
        return Tabled(self.arrow.select(names))

    def with_column(self, name: str, values: Sequence[Any], kind: pa.DataType) -> Tabled:
        """See Listed."""
        column = pa.array(values, kind)
        place = self.arrow.schema.get_field_index(name)
        if place < 0:
            return Tabled(self.arrow.append_column(name, column))
        return Tabled(self.arrow.set_column(place, name, column))

    @property
    def nbytes(self) -> int:
        """See Listed."""
        size: int = self.arrow.nbytes
        return size


Records: TypeAlias = Listed | Tabled


def together(parts: Sequence[Records], schema: pa.Schema | None = None) -> Records:
    """Records of one kind, one part after the other. `schema` is that of parts in lists, where they
    are not all in lists; None: that of the parts in Arrow.
    """
    if len(parts) == 1:
        return parts[0]
    listed = [part.columns for part in parts if isinstance(part, Listed)]
    if len(listed) == len(parts):
        return Listed(
            {
                name: [*chain.from_iterable(columns[name] for columns in listed)]
                for name in listed[0]
            }
        )
    if schema is None:
        schema = next(part.arrow.schema for part in parts if isinstance(part, Tabled))
    return Tabled(pa.concat_tables([part.table(schema) for part in parts]))


def _bytes(column: Sequence[Any]) -> int:
    """The bytes of a column: its texts, and a number each value."""
    try:
        texts = "".join(filter(None, column))
    except TypeError:  # of no texts
        texts = ""
    size = len(texts) if texts.isascii() else len(texts.encode(errors="surrogatepass"))
    return 8 * len(column) + size
