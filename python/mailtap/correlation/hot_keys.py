"""Flow keys that are used over and over, joined by cells of time.

A load balancer with one source port, or a log made to hurt: all sessions of such a key with all of
its labels would be the square of their number. Sessions and labels are put into cells as wide as
the longer of both, so that only those of about the same time meet.
"""

from __future__ import annotations

from mailtap.correlation.keys import Key

#: A key of more labels than this is hot. What a session is compared with is bounded by it.
MOST_LABELS = 64

#: Widths of cells in seconds, from that of the usual flow. The last is wider than all of time.
_WIDTHS = (16.0, 128.0, 1024.0, 8192.0, 65_536.0, 524_288.0, 1e300)


def is_hot(labels: int) -> bool:
    """Whether a key that so many labels have is hot."""
    return labels > MOST_LABELS


def hot_keys(key: Key) -> str:
    """SQL of the keys that are hot, of those that labels share."""
    return f"(SELECT * FROM {key.shared()} WHERE labels > {MOST_LABELS})"


def in_cells(rows: str, begin: str, end: str) -> str:
    """SQL of the rows in each of their cells.

    `begin` and `end` (epoch seconds) are expressions over a row. Columns `cell` and `width` say
    which cell of which width it is, `least_width` is the smallest width that the row fits in:
    there it touches two cells at most.
    """
    fits = " ".join(
        f"WHEN ends - begins <= {_double(width)} THEN {_double(width)}" for width in _WIDTHS[:-1]
    )
    widths = ", ".join(f"({_double(width)})" for width in _WIDTHS)
    cells = (
        f"SELECT *, floor(begins / width) AS first_cell, floor(ends / width) AS last_cell "
        f"FROM (SELECT *, CASE {fits} ELSE {_double(_WIDTHS[-1])} END AS least_width FROM "
        f"(SELECT *, {begin} AS begins, {end} AS ends FROM ({rows}))) "
        f"CROSS JOIN (VALUES {widths}) AS w(width) WHERE width >= least_width"
    )
    return (
        f"SELECT *, first_cell AS cell FROM ({cells}) "
        f"UNION ALL SELECT *, last_cell AS cell FROM ({cells}) WHERE last_cell <> first_cell"
    )


#: Where a session `s` and a label `l` in cells are compared: once, in the cell in which they begin
#: to overlap, of the width that fits the longer.
SAME_CELL = (
    "s.width = l.width AND s.cell = l.cell AND s.width = greatest(s.least_width, l.least_width) "
    "AND s.cell = greatest(s.first_cell, l.first_cell)"
)


def _double(width: float) -> str:
    """A literal that is a DOUBLE everywhere; without an exponent it would be a DECIMAL."""
    return f"{width:e}"
