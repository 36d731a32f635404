"""Normal fields of every record of a file, as SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mailtap.records.containers import Container
from mailtap.records.fields import Field
from mailtap.records.textfile import TextFile


def selection(
    container: Container,
    file: TextFile,
    fields: Mapping[str, Field],
    names: Sequence[str],
    in_order: bool,
) -> str:
    """SQL with a row per line and a column for each of `names`, NULL where `fields` has none.

    Column `bad` is true for a line that is no record, and NULL for an empty line. `in_order`: rows
    are in the file's order, which is slower.
    """
    places = list(dict.fromkeys(place for field in fields.values() for place in field.places))
    columns = {place: f"p{n}" for n, place in enumerate(places)}
    values = ", ".join(
        f'{fields[name].sql(columns) if name in fields else "NULL"} AS "{name}"' for name in names
    )
    relation = container.relation(file, places, parallel=not in_order)
    return f"SELECT {values}, bad FROM ({relation})"
