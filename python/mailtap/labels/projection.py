"""A format's fields as SQL over a whole file."""

from __future__ import annotations

from mailtap.labels.formats import ENDPOINTS, NAT_ENDPOINTS, NORMAL_FIELDS, LabelFormat
from mailtap.records.containers import Container
from mailtap.records.fields import Field
from mailtap.records.record_file import RecordFile, quoted
from mailtap.records.selection import Reading, selection

START = 'coalesce("start", "end" - coalesce(duration, 0))'
END = f'greatest({START}, coalesce("end", "start" + coalesce(duration, 0)))'

# A NAT tuple says something when it is whole and not the flow's own.
TRANSLATED = (
    "nat_src_port > 0 AND nat_dst_port > 0 AND nat_dst_ip IS NOT NULL "
    f"AND ({', '.join(NAT_ENDPOINTS)}) IS DISTINCT FROM ({', '.join(ENDPOINTS)})"
)
#: A label whose ends aren't all there has none: only its Community ID says what flow it is about.
HAS_ENDPOINTS = "(" + " AND ".join(f"{name} IS NOT NULL" for name in ENDPOINTS) + ")"
IS_FLOW = f"({HAS_ENDPOINTS} OR community_id IS NOT NULL) AND {START} IS NOT NULL"
WHOLE_ENDPOINTS = ", ".join(
    f"CASE WHEN {HAS_ENDPOINTS} THEN {name} END AS {name}" for name in ENDPOINTS
)


def projection(form: LabelFormat, container: Container, file: RecordFile, reading: Reading) -> str:
    """SQL of a file's records: the normal fields, `state`: `flow`, `other` or `bad`, and `bad`.

    `other` is not about a TCP flow; `bad` lacks a field; NULL is an empty line. A format with
    several statements on a flow adds `rank` and `moment`. Raises NotNativeError.
    """
    fields = dict(form.fields)
    names = [*NORMAL_FIELDS, *(name for name in form.fields if name not in NORMAL_FIELDS)]
    conditions = {f"condition_{n}": condition for n, condition in enumerate(form.conditions)}
    fields |= {name: Field((condition.place,)) for name, condition in conditions.items()}
    wanted = [
        f"{name} IN ({', '.join(map(quoted, condition.values))})"
        for name, condition in conditions.items()
    ]
    replaced = (
        f'{START} AS "start", {END} AS "end", '
        f"CASE WHEN {TRANSLATED} THEN nat_src_ip END AS nat_src_ip, {WHOLE_ENDPOINTS}"
    )
    if form.statements is not None:
        fields |= {"rank": form.statements.kind, "moment": form.statements.moment}
        names += ["rank", "moment"]
        ranking = ", ".join(map(quoted, form.statements.ranking))
        replaced += f", coalesce(list_position([{ranking}], rank), 0) AS rank"
    return (
        "SELECT *, state = 'bad' AS bad FROM ("
        f"SELECT * EXCLUDE ({', '.join(['bad', 'duration', *conditions])}) REPLACE ({replaced}), "
        "CASE WHEN bad IS NULL THEN NULL WHEN bad THEN 'bad' "
        f"WHEN ({' AND '.join(wanted) or 'true'}) IS NOT TRUE OR l4 <> 'tcp' THEN 'other' "
        f"WHEN {IS_FLOW} THEN 'flow' ELSE 'bad' END AS state "
        f"FROM ({selection(container, file, fields, [*names, *conditions], reading)}))"
    )
