"""How far the clock of a DPI engine is from a sensor's.

Estimated from flows whose key exists once on either side, whatever their times: the median of
session start minus label start. It is applied when it is larger than the slack of the join, which
it would then defeat, and when the flows agree about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailtap.correlation.engines import QueryEngine

#: Flows that are looked at; more make the estimate no better.
SAMPLE = 20_000

#: Fewer flows with the same offset may be chance.
MINIMUM_PAIRS = 5

#: Seconds. Clocks in another time zone are off by hours; beyond this it is another day's traffic.
LARGEST_OFFSET = 86_400.0

_KEY = "ip_a, port_a, ip_b, port_b"


@dataclass(frozen=True)
class ClockOffset:
    """Of one sensor and one source of labels: seconds to add to the label's times.

    `spread` is the median absolute deviation of the flows from it.
    """

    sensor: str | None
    source: str
    pairs: int
    offset: float
    spread: float
    applied: bool


def estimate_clock_offsets(engine: QueryEngine, slack: float) -> tuple[ClockOffset, ...]:
    """The offsets between each sensor and each source of labels, by the flows that both have."""
    (total,) = engine.rows("SELECT count(*) AS n FROM whole_sessions")
    stride = max(1, total["n"] // SAMPLE)
    # Not a random sample: the same flows must be drawn on both sides. Client ports spread evenly.
    drawn = f"ip_a IS NOT NULL AND (port_a + port_b) % {stride} = 0"
    engine.table(
        "clock_pairs",
        f"""
        SELECT s.sensor AS sensor, l.source AS source, s.ts - l.start AS delta
        FROM (SELECT {_KEY}, sensor, min(ts) AS ts FROM whole_sessions WHERE {drawn}
              GROUP BY {_KEY}, sensor HAVING count(*) = 1) s
        JOIN (SELECT {_KEY}, source, min(start) AS start FROM labels WHERE {drawn}
              GROUP BY {_KEY}, source HAVING count(*) = 1) l
          ON s.ip_a = l.ip_a AND s.port_a = l.port_a AND s.ip_b = l.ip_b AND s.port_b = l.port_b
        WHERE s.ts IS NOT NULL AND l.start IS NOT NULL""",
    )
    engine.table(
        "clock_medians",
        "SELECT sensor, source, count(*) AS pairs, median(delta) AS center "
        "FROM clock_pairs GROUP BY sensor, source",
    )
    engine.table(
        "clock_estimates",
        f"""
        SELECT *, abs(center) > {slack} AND abs(center) <= {LARGEST_OFFSET}
                  AND pairs >= {MINIMUM_PAIRS} AND spread <= {slack} AS applied
        FROM (SELECT m.sensor AS sensor, m.source AS source, m.pairs AS pairs, m.center AS center,
                     median(abs(p.delta - m.center)) AS spread
              FROM clock_medians m JOIN clock_pairs p
                ON p.source = m.source AND coalesce(p.sensor, '') = coalesce(m.sensor, '')
              GROUP BY m.sensor, m.source, m.pairs, m.center)""",
    )
    return tuple(
        ClockOffset(
            sensor=row["sensor"],
            source=row["source"],
            pairs=row["pairs"],
            offset=row["center"],
            spread=row["spread"],
            applied=row["applied"],
        )
        for row in engine.rows("SELECT * FROM clock_estimates ORDER BY sensor NULLS LAST, source")
    )


def apply_clock_offsets(engine: QueryEngine, offsets: Sequence[ClockOffset]) -> bool:
    """Makes the table `clock_offsets` of those to apply, and returns whether there are any."""
    applied = [
        (offset.sensor, offset.source, offset.offset) for offset in offsets if offset.applied
    ]
    if applied:
        types = {"sensor": "STRING", "source": "STRING", "center": "DOUBLE"}
        engine.fill("clock_offsets", types, applied)
    return bool(applied)
