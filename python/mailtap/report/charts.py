"""The figures of MailTap's pages: heat maps and timelines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mailtap.report.model import DirectionCell, MatrixCell, PortCell, WindowAgreement
from mailtap.report.templates import UNSET, moment
from mailtap.sessions.vocabulary import DECODE_AS

#: Rows of a table whose length depends on the data; the JSON document has them all.
MAXIMUM_ROWS = 100

#: Steps of the heat map's colour.
HEAT_STEPS = 9

#: Size of the timeline's drawing, in units of its view box.
TIMELINE_WIDTH, TIMELINE_HEIGHT = 720, 160


@dataclass(frozen=True)
class HeatRow:
    """A row of a heat map: what it is about, and by decode_as the number and the colour's step."""

    headings: tuple[str, ...]
    cells: tuple[tuple[int, int], ...]
    total: int


@dataclass(frozen=True)
class HeatMap:
    headings: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[HeatRow, ...]


@dataclass(frozen=True)
class TimelineBar:
    """A window of time: where it stands, and the three bars on top of each other."""

    label: str
    x: float
    width: float
    parts: tuple[tuple[str, float, float], ...]  # verdict, y, height


def matrix_map(cells: Iterable[MatrixCell]) -> HeatMap:
    rows = ((cell.app, cell.provenance, cell.decode_as, cell.n) for cell in cells)
    return _heat(("label", "provenance"), rows)


def port_map(cells: Iterable[PortCell]) -> HeatMap:
    rows = ((cell.port, cell.app, cell.decode_as, cell.n) for cell in cells)
    return _heat(("port", "label"), rows)


def direction_map(cells: Iterable[DirectionCell]) -> HeatMap:
    return _heat(("side",), ((cell.direction, cell.decode_as, cell.n) for cell in cells))


def _heat(headings: tuple[str, ...], cells: Iterable[Sequence[str | int | None]]) -> HeatMap:
    """Cells of row headings, decode_as and number; the colour is the share of the row."""
    rows: dict[tuple[str, ...], dict[str, int]] = {}
    for *names, decode_as, n in cells:
        key = tuple(UNSET if name is None else str(name) for name in names)
        rows.setdefault(key, {})[UNSET if decode_as is None else str(decode_as)] = int(n or 0)
    seen = {column for counts in rows.values() for column in counts}
    columns = [column for column in DECODE_AS if column in seen]
    columns += sorted(seen - set(columns))
    return HeatMap(
        headings,
        tuple(columns),
        tuple(_heat_row(key, counts, columns) for key, counts in [*rows.items()][:MAXIMUM_ROWS]),
    )


def _heat_row(key: tuple[str, ...], counts: Mapping[str, int], columns: list[str]) -> HeatRow:
    total = sum(counts.values())
    numbers = [counts.get(column, 0) for column in columns]
    return HeatRow(key, tuple((n, -(-n * HEAT_STEPS // total)) for n in numbers), total)


def timeline(windows: Sequence[WindowAgreement]) -> tuple[TimelineBar, ...]:
    if not windows:
        return ()
    first, width = windows[0].start, windows[0].width
    slots = (windows[-1].start - first) / width + 1
    highest = max(window.agreement.matched for window in windows) or 1
    return tuple(
        TimelineBar(
            label=moment(window.start),
            x=round((window.start - first) / width / slots * TIMELINE_WIDTH, 2),
            width=round(TIMELINE_WIDTH / slots * 0.9, 2),
            parts=_parts(window, highest),
        )
        for window in windows
    )


def _parts(window: WindowAgreement, highest: int) -> tuple[tuple[str, float, float], ...]:
    parts = []
    below = 0.0
    for verdict in ("consistent", "compatible", "inconsistent"):
        height = getattr(window.agreement, verdict) / highest * TIMELINE_HEIGHT
        below += height
        parts.append((verdict, round(TIMELINE_HEIGHT - below, 2), round(height, 2)))
    return tuple(parts)
