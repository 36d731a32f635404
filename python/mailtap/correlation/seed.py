"""Whether sessions and labels have Community IDs of the same seed; else none of them can be equal.

https://github.com/corelight/community-id-spec, version 1.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import struct

from mailtap.correlation.engines import QueryEngine, Row

#: Rows of each side that are computed again.
SAMPLE = 20

_TCP = 6
_SEEDS = range(1 << 16)


def community_id(ip_a: str, port_a: int, ip_b: str, port_b: int, seed: int) -> str:
    """The Community ID of a TCP flow, its ends in any order."""
    first, second = sorted(
        (ipaddress.ip_address(ip).packed, port) for ip, port in ((ip_a, port_a), (ip_b, port_b))
    )
    ports = struct.pack("!HH", first[1], second[1])
    hashed = struct.pack("!H", seed) + first[0] + second[0] + bytes((_TCP, 0)) + ports
    return "1:" + base64.b64encode(hashlib.sha1(hashed, usedforsecurity=False).digest()).decode()


def seed_warnings(engine: QueryEngine, expected: int) -> tuple[str, ...]:
    """What is wrong with the seeds of `whole_sessions` and `labels`, a line each.

    `expected` is the policy's seed.
    """
    sources = engine.rows(
        "SELECT source, min(label_id) AS first, max(label_id) AS last FROM labels "
        "WHERE community_id IS NOT NULL GROUP BY source ORDER BY source"
    )
    if not sources:
        return ()
    of_sessions = _seed(_sample(engine, "whole_sessions", "session_id", "true"), expected)
    warnings = []
    for row in sources:
        source = row["source"]
        # A file's labels are numbered in one run.
        its_own = f"label_id BETWEEN {row['first']} AND {row['last']}"
        of_labels = _seed(_sample(engine, "labels", "label_id", its_own), expected)
        if None not in (of_sessions, of_labels) and of_sessions != of_labels:
            warnings.append(
                f"{source}: Community IDs have seed {of_labels}, those of the sessions "
                f"{of_sessions}; only addresses and ports can match"
            )
    return tuple(warnings)


def _sample(engine: QueryEngine, table: str, order: str, where: str) -> list[Row]:
    return engine.rows(
        f"SELECT ip_a, port_a, ip_b, port_b, community_id FROM {table} "
        f"WHERE community_id IS NOT NULL AND ip_a IS NOT NULL AND {where} "
        f"ORDER BY {order} LIMIT {SAMPLE}"
    )


def _seed(rows: list[Row], expected: int) -> int | None:
    """The seed that gives the Community IDs of most rows; None where none does."""
    for row in rows:
        seeds = (seed for seed in (expected, *_SEEDS) if _has_seed(row, seed))
        seed: int | None = next(seeds, None)
        if seed is not None and 2 * sum(_has_seed(other, seed) for other in rows) > len(rows):
            return seed
    return None


def _has_seed(row: Row, seed: int) -> bool:
    ends = row["ip_a"], row["port_a"], row["ip_b"], row["port_b"]
    expected: str = row["community_id"]
    return community_id(*ends, seed=seed) == expected
