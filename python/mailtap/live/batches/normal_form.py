"""Batches of sessions and labels in the columns of a report's tables.

The same expressions as in sessions/session_records.py, labels/projection.py and records/key.py, of
records in lists and by the column; tests hold both to those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mailtap.labels.formats import ENDPOINTS, NAT_ENDPOINTS
from mailtap.labels.table import COLUMNS as LABEL_COLUMNS
from mailtap.live.batches.records import Listed, Records, Tabled
from mailtap.sessions.session_records import DECODER, HAS

KEY = ("ip_a", "port_a", "ip_b", "port_b")

_ENDS = ("orig_h", "orig_p", "resp_h", "resp_p")

_LABELS = (*LABEL_COLUMNS, "rank", "moment", "bucket")


def sessions_in_normal_form(sessions: Records) -> Records:
    """Of sessions as SessionReader gives them."""
    if isinstance(sessions, Listed):
        return _listed_sessions(sessions)
    table = sessions.arrow
    for name in HAS:
        table = _with(table, name, pc.fill_null(table[name], False))
    table = table.append_column("decoder", pa.repeat(DECODER, len(table)))
    return Tabled(_with_key(table, _ENDS))


def labels_in_normal_form(labels: Records) -> Records:
    """Of labels as LabelReader gives them."""
    if isinstance(labels, Listed):
        return _listed_labels(labels)
    table = labels.arrow
    duration = pc.fill_null(table["duration"], 0.0)
    start = pc.coalesce(table["start"], pc.subtract(table["end"], duration))
    end = pc.coalesce(table["end"], pc.add(table["start"], duration))
    table = _with(table, "start", start)
    table = _with(table, "end", pc.max_element_wise(start, end))
    table = _with(table, "nat_src_ip", _if(_is_translated(table), table["nat_src_ip"]))
    table = _with_key(_with_key(table, ENDPOINTS), NAT_ENDPOINTS, "nat_")
    return Tabled(table.select(_LABELS))


def _listed_sessions(sessions: Listed) -> Listed:
    has = {name: [value is True for value in sessions.columns[name]] for name in HAS}
    decoder = {"decoder": [DECODER] * len(sessions)}
    return Listed({**sessions.columns, **has, **decoder, **_listed_key(sessions, _ENDS)})


def _listed_labels(labels: Listed) -> Listed:
    spans = map(_span, *map(labels.values, ("start", "end", "duration")))
    start, end = zip(*spans, strict=True)
    labels = Listed({**labels.columns, "start": start, "end": end})
    if any(labels.values("nat_src_ip")):
        ends = zip(*map(labels.values, (*NAT_ENDPOINTS, *ENDPOINTS)), strict=True)
        translated = [own[0] if _are_translated(own[:4], own[4:]) else None for own in ends]
        labels = Listed({**labels.columns, "nat_src_ip": translated})
    keys = {**_listed_key(labels, ENDPOINTS), **_listed_key(labels, NAT_ENDPOINTS, "nat_")}
    return Listed({**labels.columns, **keys}).select(_LABELS)


def _span(
    start: float | None, end: float | None, duration: float | None
) -> tuple[float | None, float | None]:
    """When a flow began and ended, one of which is known."""
    first = start if start is not None or end is None else end - (duration or 0.0)
    last = end if end is not None or start is None else start + (duration or 0.0)
    return first, None if first is None or last is None else max(first, last)


def _listed_key(
    records: Listed, ends: Sequence[str], prefix: str = ""
) -> Mapping[str, Sequence[Any]]:
    """See `records.key.endpoints_sql`."""
    ip_1, *others = map(records.values, ends)
    # Translated endpoints are nearly always unset.
    keys = map(_key, ip_1, *others) if any(ip_1) else [_NO_KEY] * len(records)
    return dict(zip([prefix + name for name in KEY], zip(*keys, strict=True), strict=True))


_NO_KEY = (None,) * len(KEY)


def _key(ip_1: str | None, port_1: int, ip_2: str, port_2: int) -> tuple[object, ...]:
    if ip_1 is None:
        return _NO_KEY
    in_order = ip_1 < ip_2 or (ip_1 == ip_2 and port_1 <= port_2)
    return (ip_1, port_1, ip_2, port_2) if in_order else (ip_2, port_2, ip_1, port_1)


def _are_translated(nat: Sequence[Any], own: Sequence[Any]) -> bool:
    """See `labels.projection.TRANSLATED`."""
    _, nat_src_port, nat_dst_ip, nat_dst_port = nat
    whole = nat_src_port and nat_dst_port and nat_dst_ip is not None
    return bool(whole) and nat != own


def _is_translated(labels: pa.Table) -> pa.ChunkedArray:
    """See `labels.projection.TRANSLATED`."""
    whole = pc.and_kleene(
        pc.and_kleene(pc.greater(labels["nat_src_port"], 0), pc.greater(labels["nat_dst_port"], 0)),
        pc.is_valid(labels["nat_dst_ip"]),
    )
    other = pc.fill_null(pc.not_equal(labels[NAT_ENDPOINTS[0]], labels[ENDPOINTS[0]]), True)
    for nat, own in zip(NAT_ENDPOINTS[1:], ENDPOINTS[1:], strict=True):
        other = pc.or_(other, pc.fill_null(pc.not_equal(labels[nat], labels[own]), True))
    return pc.and_kleene(whole, other)


def _with_key(table: pa.Table, ends: Sequence[str], prefix: str = "") -> pa.Table:
    """See `records.key.endpoints_sql`."""
    ip_1, port_1, ip_2, port_2 = (table[name] for name in ends)
    if ip_1.null_count == len(table):  # as translated endpoints nearly always are
        key = [pa.nulls(len(table), end.type) for end in (ip_1, port_1, ip_2, port_2)]
    else:
        in_order = pc.or_kleene(
            pc.less(ip_1, ip_2),
            pc.and_kleene(pc.equal(ip_1, ip_2), pc.less_equal(port_1, port_2)),
        )
        pairs = ((ip_1, ip_2), (port_1, port_2), (ip_2, ip_1), (port_2, port_1))
        key = [pc.if_else(in_order, first, second) for first, second in pairs]
    for name, values in zip(KEY, key, strict=True):
        table = table.append_column(prefix + name, values)
    return table


def _with(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def _if(condition: pa.ChunkedArray, values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(condition, values, None)
