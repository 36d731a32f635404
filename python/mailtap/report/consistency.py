"""The figures of a report that compare decode_as with the labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from mailtap.correlation.clock import ClockOffset
from mailtap.correlation.engines import QueryEngine, Row
from mailtap.correlation.verdicts import (
    CAUSES,
    COMPATIBLE,
    CONSISTENT,
    INCONSISTENT,
    UNEXPLAINED,
    first_cause,
    mask_of,
    named_causes,
)
from mailtap.report.counting import JoinCounts
from mailtap.report.model import (
    Agreement,
    BothDecoded,
    Consistency,
    Counts,
    DirectionCell,
    EngineAgreement,
    MatrixCell,
    MixCell,
    PortCell,
    Rate,
    SensorAgreement,
    WindowAgreement,
)
from mailtap.report.statistics import Clusters, clustered_rate, design_effect

#: Cells of a table that depends on names in the data; the largest are kept.
MAXIMUM_CELLS = 1_000

#: Label and mix of what is beyond `MAXIMUM_CELLS`.
REST = "(rest)"

#: Widths of a time window, in seconds. The smallest that gives few enough windows is taken.
WINDOW_WIDTHS = (1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 604_800, 2_592_000)
MAXIMUM_WINDOWS = 60

#: Times beyond, in epoch seconds, are some fault of a log's, and belong to no window.
_LATEST = 4e9

_VERDICTS = ", ".join(
    f"coalesce(CAST(sum(CASE WHEN verdict = '{verdict}' THEN n END) AS BIGINT), 0) AS {verdict}"
    for verdict in (CONSISTENT, COMPATIBLE, INCONSISTENT)
)
_N = "coalesce(CAST(sum(n) AS BIGINT), 0)"


def time_windows(engine: QueryEngine, *, with_labels: bool) -> tuple[int, str]:
    """The width of a time window, and SQL of the number of a session's."""
    width = _window_width(engine, with_labels)
    number = f"CASE WHEN ts >= 0 AND ts < {_LATEST} THEN CAST(floor(ts / {width}) AS BIGINT) END"
    return width, number


def consistency_figures(
    engine: QueryEngine,
    counts: JoinCounts,
    clocks: Sequence[ClockOffset],
    width: int,
    *,
    with_labels: bool,
) -> Consistency:
    """From what `count_judged` made, with time windows of this width. Without labels, those that
    the sessions carry were judged.
    """
    kinds = engine.rows(
        f"SELECT verdict, coalesce(decode_as, '') = 'MAIL' AS mail, causes, {_N} AS n "
        "FROM cube GROUP BY 1, 2, 3"
    )
    overall = _agreement(engine)
    servers = _servers(engine)
    matched = overall.matched
    by_cause = _by_cause(kinds, inconsistent=True)
    return Consistency(
        labelled=counts.labelled,
        matched=matched,
        unmatched=counts.unmatched,
        ambiguous=counts.ambiguous,
        several=counts.several,
        unlabelled=counts.unlabelled,
        out_of_scope=counts.paired - matched,
        no_statement=counts.no_statement,
        consistent=_rate(servers, CONSISTENT),
        compatible=_rate(servers, COMPATIBLE),
        inconsistent=_rate(servers, INCONSISTENT),
        unexplained=_rate(servers, UNEXPLAINED),
        both_decoded=_both_decoded(engine, servers),
        causes=by_cause,
        all_causes=_all_causes(kinds),
        causes_of_agreeing={
            cause: n for cause, n in _by_cause(kinds, inconsistent=False).items() if n
        },
        matrix=tuple(
            MatrixCell(row["app"], row["label_provenance"], row["decode_as"], row["n"])
            for row in _cells(engine, "app", "label_provenance", "decode_as")
        ),
        by_port=tuple(
            PortCell(row["server_p"], row["app"], row["decode_as"], row["n"])
            for row in _cells(engine, "server_p", "app", "decode_as")
        ),
        by_direction=tuple(
            DirectionCell(row["direction"], row["decode_as"], row["n"])
            for row in _cells(engine, "direction", "decode_as")
        ),
        by_sensor=tuple(
            SensorAgreement(row["sensor"], _of_row(row)) for row in _groups(engine, "sensor")
        ),
        by_window=tuple(
            WindowAgreement(float(row["time_window"] * width), float(width), _of_row(row))
            for row in sorted(
                (row for row in _groups(engine, "time_window") if row["time_window"] is not None),
                key=lambda row: int(row["time_window"]),
            )
        ),
        servers=sum(row["servers"] for row in servers),
        design_effect=design_effect(_clusters(servers, CONSISTENT, "matched")) if matched else None,
        by_engine=_by_engine(engine, overall) if with_labels else (),
        clock_offsets=tuple(replace(clock, source=Path(clock.source).name) for clock in clocks),
        mix=_mix(engine, overall),
    )


def _window_width(engine: QueryEngine, with_labels: bool) -> int:
    """The width of time windows, by the time that sessions and labels have in common."""
    span = _span(engine, "ts", "whole_sessions")
    if with_labels:
        of_labels = _span(engine, "start", "labels")
        common = max(span[0], of_labels[0]), min(span[1], of_labels[1])
        span = common if common[0] <= common[1] else span
    seconds = span[1] - span[0]
    fitting = (width for width in WINDOW_WIDTHS if seconds / width < MAXIMUM_WINDOWS)
    return next(fitting, math.ceil(seconds / MAXIMUM_WINDOWS) + 1)


def _span(engine: QueryEngine, column: str, table: str) -> tuple[float, float]:
    """The first and the last time in a column."""
    (row,) = engine.rows(
        f"SELECT min({column}) AS first, max({column}) AS last FROM {table} "
        f"WHERE {column} >= 0 AND {column} < {_LATEST}"
    )
    return row["first"] or 0.0, row["last"] or 0.0


def _agreement(engine: QueryEngine) -> Agreement:
    (row,) = engine.rows(f"SELECT {_N} AS matched, {_VERDICTS} FROM cube")
    return _of_row(row)


def _by_engine(engine: QueryEngine, overall: Agreement) -> tuple[EngineAgreement, ...]:
    engines = engine.rows("SELECT DISTINCT engine FROM labels")
    if len(engines) < 2:  # the same as of all: to join once more would cost as much as the report
        return tuple(EngineAgreement(row["engine"], overall) for row in engines)
    rows = engine.rows(
        f"SELECT engine, {_N} AS matched, {_VERDICTS} FROM (SELECT engine, verdict, count(*) AS n "
        "FROM verdicts_by_engine GROUP BY engine, verdict) GROUP BY engine ORDER BY engine"
    )
    return tuple(EngineAgreement(row["engine"], _of_row(row)) for row in rows)


def _of_row(row: Row) -> Agreement:
    return Agreement(row["matched"], row[CONSISTENT], row[COMPATIBLE], row[INCONSISTENT])


def _groups(engine: QueryEngine, column: str) -> list[Row]:
    return engine.rows(
        f"SELECT {column}, {_N} AS matched, {_VERDICTS} FROM cube GROUP BY {column} "
        f"ORDER BY matched DESC, {column} NULLS LAST LIMIT {MAXIMUM_CELLS}"
    )


def _cells(engine: QueryEngine, *columns: str) -> list[Row]:
    """The largest groups by these columns, with their number `n`."""
    names = ", ".join(columns)
    return engine.rows(
        f"SELECT {names}, {_N} AS n FROM cube GROUP BY {names} "
        f"ORDER BY n DESC, {_in_order(columns)} LIMIT {MAXIMUM_CELLS}"
    )


def _by_cause(kinds: Iterable[Row], *, inconsistent: bool) -> Counts:
    counts = dict.fromkeys((*CAUSES, UNEXPLAINED), 0)
    for kind in kinds:
        if (kind["verdict"] == INCONSISTENT) is inconsistent:
            decode_as = "MAIL" if kind["mail"] else None
            cause = first_cause(kind["verdict"], decode_as, named_causes(kind["causes"]))
            if cause is not None:
                counts[cause] += kind["n"]
    return counts


def _all_causes(kinds: Iterable[Row]) -> Counts:
    counts = dict.fromkeys(CAUSES, 0)
    for kind in kinds:
        if kind["verdict"] == INCONSISTENT:
            for cause in named_causes(kind["causes"]):
                counts[cause] += kind["n"]
    return counts


#: What servers are counted by: sessions with labels, those of each verdict, and the same of those
#: that both decoded.
_OF_SERVER = {
    "matched": "true",
    CONSISTENT: f"verdict = '{CONSISTENT}'",
    COMPATIBLE: f"verdict = '{COMPATIBLE}'",
    INCONSISTENT: f"verdict = '{INCONSISTENT}'",
    UNEXPLAINED: "is_unexplained",
}
_COUNTED = {
    f"{prefix}{name}": condition + only
    for prefix, only in (("", ""), ("both_", " AND both_decoded"))
    for name, condition in _OF_SERVER.items()
}


def _servers(engine: QueryEngine) -> list[Row]:
    """Servers by their counts: many have few sessions, and the same ones. A session whose server
    isn't known is a server by itself.
    """
    counts = ", ".join(
        f"coalesce(CAST(sum(CASE WHEN {condition} THEN n END) AS BIGINT), 0) AS {name}"
        for name, condition in _COUNTED.items()
    )
    ones = ", ".join(f"CASE WHEN {name} > 0 THEN 1 ELSE 0 END" for name in _COUNTED)
    names = ", ".join(_COUNTED)
    of_kinds = (
        f"SELECT {counts} FROM servers WHERE server_h IS NULL "
        "GROUP BY verdict, is_unexplained, both_decoded"
    )
    by_server = f"SELECT server_h, {counts} FROM servers WHERE server_h IS NOT NULL GROUP BY 1"
    known = f"SELECT {names}, count(*) AS servers FROM ({by_server}) GROUP BY {names}"
    unknown = f"SELECT {ones}, matched AS servers FROM ({of_kinds})"
    return engine.rows(f"{known} UNION ALL {unknown}")


def _both_decoded(engine: QueryEngine, servers: Sequence[Row]) -> BothDecoded:
    of_guesses = f"(causes & {mask_of(['label_port_guess'])}) <> 0"
    (apart,) = engine.rows(
        f"SELECT coalesce(CAST(sum(CASE WHEN {of_guesses} THEN n END) AS BIGINT), 0) AS guesses, "
        f"{_N} AS matched FROM cube"
    )
    matched = sum(row["servers"] * row["both_matched"] for row in servers)
    return BothDecoded(
        matched=matched,
        port_guesses=apart["guesses"],
        too_little=apart["matched"] - apart["guesses"] - matched,
        consistent=_rate(servers, CONSISTENT, "both_"),
        compatible=_rate(servers, COMPATIBLE, "both_"),
        inconsistent=_rate(servers, INCONSISTENT, "both_"),
        unexplained=_rate(servers, UNEXPLAINED, "both_"),
    )


def _clusters(servers: Iterable[Row], name: str, base: str) -> list[Clusters]:
    return [Clusters(row["servers"], row[base], row[name]) for row in servers]


def _rate(servers: Sequence[Row], name: str, prefix: str = "") -> Rate:
    return clustered_rate(_clusters(servers, f"{prefix}{name}", f"{prefix}matched"))


def _in_order(columns: Iterable[str]) -> str:
    """Engines differ in where unset values go."""
    return ", ".join(f"{column} NULLS LAST" for column in columns)


def _mix(engine: QueryEngine, overall: Agreement) -> tuple[MixCell, ...]:
    kind = ("server_p", "direction", "app")
    names = ", ".join(kind)
    cells = [
        MixCell(row["server_p"], row["direction"], row["app"], row["matched"], row[CONSISTENT])
        for row in engine.rows(
            f"SELECT {names}, {_N} AS matched, {_VERDICTS} FROM cube GROUP BY {names} "
            f"ORDER BY matched DESC, {_in_order(kind)} LIMIT {MAXIMUM_CELLS}"
        )
    ]
    matched = overall.matched - sum(cell.matched for cell in cells)
    if matched:
        consistent = overall.consistent - sum(cell.consistent for cell in cells)
        cells.append(MixCell(None, None, REST, matched, consistent))
    return tuple(cells)


def clock_warnings(clocks: Iterable[ClockOffset]) -> tuple[str, ...]:
    """A line for each clock that was corrected: it is wrong by more than the join allows for."""
    return tuple(
        f"clock offset between {f'sensor {clock.sensor}' if clock.sensor else 'the sensor'} and "
        f"{Path(clock.source).name}: {clock.offset:+,.3f} s (corrected)"
        for clock in clocks
        if clock.applied
    )
