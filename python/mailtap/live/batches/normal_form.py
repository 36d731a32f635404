"""Batches of sessions and labels in the columns of a report's tables.

The same expressions as in sessions/session_records.py, labels/projection.py and records/key.py, by
the column; tests hold them to those.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from mailtap.labels.formats import ENDPOINTS, NAT_ENDPOINTS
from mailtap.labels.table import COLUMNS as LABEL_COLUMNS
from mailtap.sessions.session_records import DECODER, HAS

KEY = ("ip_a", "port_a", "ip_b", "port_b")

_LABELS = (*LABEL_COLUMNS, "rank", "moment", "bucket")


def sessions_in_normal_form(sessions: pa.Table) -> pa.Table:
    """Of sessions as SessionReader gives them."""
    for name in HAS:
        place = sessions.column_names.index(name)
        sessions = sessions.set_column(place, name, pc.fill_null(sessions[name], False))
    sessions = sessions.append_column("decoder", pa.repeat(DECODER, len(sessions)))
    return _with_key(sessions, ("orig_h", "orig_p", "resp_h", "resp_p"))


def labels_in_normal_form(labels: pa.Table) -> pa.Table:
    """Of labels as LabelReader gives them."""
    duration = pc.fill_null(labels["duration"], 0.0)
    start = pc.coalesce(labels["start"], pc.subtract(labels["end"], duration))
    end = pc.coalesce(labels["end"], pc.add(labels["start"], duration))
    labels = _with(labels, "start", start)
    labels = _with(labels, "end", pc.max_element_wise(start, end))
    labels = _with(labels, "nat_src_ip", _if(_is_translated(labels), labels["nat_src_ip"]))
    labels = _with_key(_with_key(labels, ENDPOINTS), NAT_ENDPOINTS, "nat_")
    return labels.select(_LABELS)


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
