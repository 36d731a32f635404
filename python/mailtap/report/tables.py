"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from mailtap.printable import printable
from mailtap.report.model import Counts

#: Rows of a table whose length depends on the data; the JSON document has them all.
MAXIMUM_ROWS = 30

UNKNOWN = "-"


def counts_table(title: str, counts: Counts, base: int, heading: str) -> Table:
    rows = [(name, f"{n:,}", percent(n, base)) for name, n in counts.items()]
    return table(title, ("", "number", heading), rows)


def table(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1
) -> Table:
    """A table of text that may come from a log, the first columns flush left, the others right."""
    more = len(rows) - MAXIMUM_ROWS
    made = Table(
        title=title,
        title_justify="left",
        min_width=len(title) + 1,
        show_edge=False,
        caption=f"{more:,} smaller rows are not shown" if more > 0 else None,
    )
    for number, heading in enumerate(headings):
        made.add_column(heading, justify="left" if number < left else "right", overflow="fold")
    for row in rows[:MAXIMUM_ROWS]:
        made.add_row(*(Text(printable(value)) for value in row))
    return made


def percent(n: int, base: int) -> str:
    return f"{n / base:.1%}" if base else UNKNOWN


def interval(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.2%} to {ends[1]:.2%}"
