"""The rest of a session record: what no count needs, and a listing of sessions shows."""

from __future__ import annotations

from mailtap.sources.fields import COUNT, Field, Transform, sanitised

#: A text of the record in full: the decoder keeps no longer one.
_LONG_TEXT = sanitised(2048)

#: A set in Zeek's notation or in JSON's, for `members_sql`.
_SET = Transform(lambda text: text, lambda text: text)

#: Columns of table `sessions`, when details are asked for.
COLUMNS: dict[str, str] = {
    "helo": "VARCHAR",
    "mailfrom": "VARCHAR[]",
    "rcptto": "VARCHAR[]",
    "header_from": "VARCHAR[]",
    "header_to": "VARCHAR[]",
    "msg_id": "VARCHAR",
    "mailfrom_count": "BIGINT",
    "rcptto_count": "BIGINT",
    "auth": "VARCHAR",
    "auth_result": "VARCHAR",
    "user_name": "VARCHAR",
    "messages": "BIGINT",
    "commands": "BIGINT",
    "replies": "BIGINT",
    "last_command": "VARCHAR",
    "last_reply": "VARCHAR",
    "banner": "VARCHAR",
    "seq": "BIGINT",
}

#: Columns whose name in the record would need quotes in SQL.
RECORD_NAMES = {"header_from": "from", "header_to": "to", "user_name": "user"}

_TRANSFORMS = {"VARCHAR": _LONG_TEXT, "VARCHAR[]": _SET, "BIGINT": COUNT}

FIELDS = {
    name: Field((RECORD_NAMES.get(name, name),), _TRANSFORMS[kind])
    for name, kind in COLUMNS.items()
}


def members_sql(rows: str) -> str:
    """SQL of rows whose sets are texts, with lists in their place; NULL for an empty one."""
    lists = ", ".join(
        f"nullif(list_transform({_members(name)}, lambda one : {_LONG_TEXT.sql('one')}), []) "
        f"AS {name}"
        for name, kind in COLUMNS.items()
        if kind == "VARCHAR[]"
    )
    return f"SELECT * REPLACE ({lists}) FROM ({rows})"


def _members(name: str) -> str:
    in_zeek_s_notation = (
        f"list_transform(string_split({name}, ','), lambda one : replace(one, '\\x2c', ','))"
    )
    return (
        f"CASE WHEN {name} = '(empty)' THEN [] "
        f"WHEN starts_with({name}, '[') AND json_valid({name}) "
        f"THEN json_extract_string({name}, '$[*]') ELSE {in_zeek_s_notation} END"
    )
