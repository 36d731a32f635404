"""Flow keys that are used over and over, joined by cells of time.

A relay, a NAT gateway, a load balancer with one source port, or a log made to hurt: all sessions of
such a key with all of its labels would be the square of their number. Sessions and labels are put
into cells as wide as the longer of both, so that only those of about the same time are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailtap.correlation import sql
from mailtap.correlation.keys import Key

#: A key of more labels than this is hot. What a session is compared with is bounded by it.
MOST_LABELS = 32

#: Widths of cells in seconds; the last is wider than all of time. Most flows fit in the first, and
#: few others of a key fall into the same cell.
_WIDTHS = (256.0, 2048.0, 16_384.0, 131_072.0, 1e300)

#: Those for a key of more labels than this: even cells of some minutes would hold too many.
DENSE = 10_000
_NARROW_WIDTHS = (16.0, 128.0, 1024.0, 8192.0, 65_536.0, 524_288.0, 1e300)


def is_hot(labels: int) -> bool:
    """Whether a key that so many labels have is hot."""
    return labels > MOST_LABELS


def hot_keys(key: Key) -> str:
    """SQL of the keys that are hot, of those that labels share."""
    return f"(SELECT * FROM {key.shared()} WHERE labels > {MOST_LABELS})"


@dataclass(frozen=True)
class Intervals:
    """One side of a join: SQL of its rows, the columns of its key, and when a row begins and ends
    (epoch seconds), as expressions over it.
    """

    rows: str
    key: Sequence[str]
    begin: str
    end: str

    def fitted(self, widths: Sequence[float]) -> str:
        """SQL of the rows, each with the smallest width that it fits in: there it touches two
        cells at most.
        """
        fits = " ".join(
            f"WHEN ends - begins <= {_double(width)} THEN {_double(width)}" for width in widths[:-1]
        )
        return (
            f"SELECT *, CASE {fits} ELSE {_double(widths[-1])} END AS least_width FROM "
            f"(SELECT *, {self.begin} AS begins, {self.end} AS ends FROM ({self.rows}))"
        )

    def keys_of_wider(self, widths: Sequence[float], names: Sequence[str]) -> str:
        """SQL of the keys of rows that don't fit the first width, and the widths these do fit."""
        key = ", ".join(f"{mine} AS {name}" for mine, name in zip(self.key, names, strict=True))
        return (
            f"SELECT DISTINCT {key}, least_width AS width FROM ({self.fitted(widths)}) "
            f"WHERE least_width > {_double(widths[0])}"
        )


def in_cells(side: Intervals, other: Intervals, labels: int) -> str:
    """SQL of the rows of a side in each of their cells. Columns `cell` and `width` say which cell
    of which width it is.

    A row is in cells of its own width, and in those of each larger width that a row of the other
    side with the same key has. `labels` is the most that any key has.
    """
    widths = _NARROW_WIDTHS if labels > DENSE else _WIDTHS
    fitted = side.fitted(widths)
    wider = other.keys_of_wider(widths, side.key)
    rows = (
        f"SELECT *, least_width AS width FROM ({fitted}) UNION ALL "
        f"SELECT r.*, o.width AS width FROM ({fitted}) r JOIN ({wider}) o "
        f"ON {sql.same(side.key, 'r', 'o')} WHERE o.width > r.least_width"
    )
    cells = (
        "SELECT *, floor(begins / width) AS first_cell, floor(ends / width) AS last_cell "
        f"FROM ({rows})"
    )
    return (
        f"SELECT *, first_cell AS cell FROM ({cells}) "
        f"UNION ALL SELECT *, last_cell AS cell FROM ({cells}) WHERE last_cell <> first_cell"
    )


def same_cell(one: str, other: str) -> str:
    """Where two rows in cells are compared: once, in the cell in which they begin to overlap, of
    the width that fits the longer.
    """
    return (
        f"{one}.width = {other}.width AND {one}.cell = {other}.cell "
        f"AND {one}.width = greatest({one}.least_width, {other}.least_width) "
        f"AND {one}.cell = greatest({one}.first_cell, {other}.first_cell)"
    )


def _double(width: float) -> str:
    """A literal that is a DOUBLE everywhere; without an exponent it would be a DECIMAL."""
    return f"{width:e}"
