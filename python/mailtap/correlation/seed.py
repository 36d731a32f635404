"""Whether sessions and labels have Community IDs of the same seed; else none of them can be equal.

https://github.com/corelight/community-id-spec, version 1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import struct
from collections.abc import Iterator
from typing import Any

from mailtap.correlation.engines import QueryEngine, Row

#: Rows of each side that are computed again, and of those: for which every seed is tried.
SAMPLE = 20
TRIED = 3

#: Where labels have no endpoints to compute from, so many sessions of the same time are computed
#: with each of the seeds in use, and looked for among so many labels.
SESSIONS_OF_THE_TIME = 500
LABELS_OF_THE_TIME = 5_000
USUAL_SEEDS = range(256)

_TCP = 6
_SEEDS = range(1 << 16)
_ENDS = "ip_a, port_a, ip_b, port_b"


def community_id(ip_a: str, port_a: int, ip_b: str, port_b: int, seed: int) -> str:
    """The Community ID of a TCP flow, its ends in any order."""
    return "1:" + base64.b64encode(_digest(_hashed(ip_a, port_a, ip_b, port_b), seed)).decode()


def seed_warnings(engine: QueryEngine, expected: int) -> tuple[str, ...]:
    """What is wrong with the seeds of `whole_sessions` and `labels`, a line each.

    `expected` is the policy's seed.
    """
    sources = engine.rows(
        "SELECT source, min(label_id) AS first, max(label_id) AS last, "
        "count(ip_a) AS with_endpoints FROM labels "
        "WHERE community_id IS NOT NULL GROUP BY source ORDER BY source"
    )
    if not sources:
        return ()
    sample = _sample(engine, "whole_sessions", "session_id", "true")
    of_sessions = _seed(sample, expected)
    warnings = []
    for row in sources:
        source = row["source"]
        # A file's labels are numbered in one run.
        its_own = f"label_id BETWEEN {row['first']} AND {row['last']}"
        if row["with_endpoints"]:
            of_labels = _seed(_sample(engine, "labels", "label_id", its_own), expected)
            otherwise = "only addresses and ports can match"
        else:
            of_labels = _seed_of_the_time(engine, its_own, expected)
            otherwise = "none can match"
        if of_labels is None or of_sessions == of_labels or (sample and of_sessions is None):
            continue
        those = f"those of the sessions {of_sessions}" if sample else "the sessions have none"
        warnings.append(f"{source}: Community IDs have seed {of_labels}, {those}; {otherwise}")
    return tuple(warnings)


def _sample(engine: QueryEngine, table: str, order: str, where: str) -> list[Row]:
    return engine.rows(
        f"SELECT {_ENDS}, community_id FROM {table} "
        f"WHERE community_id IS NOT NULL AND ip_a IS NOT NULL AND {where} "
        f"ORDER BY {order} LIMIT {SAMPLE}"
    )


def _seed(rows: list[Row], expected: int) -> int | None:
    """The seed that gives the Community IDs of most rows; None where none does."""
    flows = [(_hashed(*_ends(row)), _digest_of(row["community_id"])) for row in rows]
    for hashed, digest in flows[:TRIED]:
        seeds = (s for s in (expected, *_SEEDS) if _digest(hashed, s) == digest)
        seed: int | None = next(seeds, None)
        if seed is not None:
            same = sum(_digest(other, seed) == its for other, its in flows)
            if 2 * same > len(flows):
                return seed
    return None


def _seed_of_the_time(engine: QueryEngine, its_own: str, expected: int) -> int | None:
    """The usual seed by which most sessions have one of the labels' Community IDs.

    One that is equal is proof: 160 bits are not equal by chance.
    """
    bare = f"FROM labels WHERE community_id IS NOT NULL AND {its_own}"
    (begin,) = engine.rows(
        f"SELECT greatest((SELECT min(ts) FROM whole_sessions), (SELECT min(start) {bare})) AS ts"
    )
    if begin["ts"] is None:
        return None
    ids = engine.rows(
        f"SELECT community_id {bare} AND start >= {begin['ts']!r} "
        f"ORDER BY start, label_id LIMIT {LABELS_OF_THE_TIME}"
    )
    sessions = engine.rows(
        f"SELECT {_ENDS} FROM whole_sessions WHERE ip_a IS NOT NULL AND ts >= {begin['ts']!r} "
        f"ORDER BY ts, session_id LIMIT {SESSIONS_OF_THE_TIME}"
    )
    digests = {_digest_of(row["community_id"]) for row in ids}
    flows = [_hashed(*_ends(row)) for row in sessions]
    found = {
        seed: sum(_digest(hashed, seed) in digests for hashed in flows)
        for seed in dict.fromkeys((expected, *USUAL_SEEDS))
    }
    seed = max(found, key=found.__getitem__)
    return seed if found[seed] else None


def _ends(row: Row) -> Iterator[Any]:
    return (row[name] for name in ("ip_a", "port_a", "ip_b", "port_b"))


def _hashed(ip_a: str, port_a: int, ip_b: str, port_b: int) -> bytes:
    """What is hashed of a TCP flow, after the seed."""
    first, second = sorted(
        (ipaddress.ip_address(ip).packed, port) for ip, port in ((ip_a, port_a), (ip_b, port_b))
    )
    ports = struct.pack("!HH", first[1], second[1])
    return first[0] + second[0] + bytes((_TCP, 0)) + ports


def _digest(hashed: bytes, seed: int) -> bytes:
    return hashlib.sha1(seed.to_bytes(2, "big") + hashed, usedforsecurity=False).digest()


def _digest_of(identifier: str) -> bytes:
    """The digest in a Community ID; no digest where a log has something else."""
    try:
        return base64.b64decode(identifier.removeprefix("1:"), validate=True)
    except (binascii.Error, ValueError):
        return b""
