"""MailTap's session records, as mail_session.log and the lines of --sessions have them."""

from __future__ import annotations

from mailtap.records.key import endpoints_sql
from mailtap.sessions.schema import FIELDS, LONG_TEXT

#: Columns without which a record is no session.
REQUIRED = ("orig_h", "orig_p", "resp_h", "resp_p", "ts")
IS_SESSION = " AND ".join(f"{name} IS NOT NULL" for name in REQUIRED)

HAS = tuple(field.column for field in FIELDS if field.column.startswith("has_"))

#: Whose decoding it is, in the column `decoder`.
DECODER = "mailtap"

_SETS = tuple(field.column for field in FIELDS if field.type == "VARCHAR[]")


def session_columns(rows: str) -> str:
    """SQL that gives the rows of session records the columns of table `sessions`."""
    has = ", ".join(f"coalesce({name}, false) AS {name}" for name in HAS)
    return (
        f"SELECT * REPLACE ({has}), '{DECODER}' AS decoder, "
        f"{endpoints_sql('orig_h', 'orig_p', 'resp_h', 'resp_p')} "
        f"FROM ({rows})"
    )


def lists_of_sets(rows: str) -> str:
    """SQL of rows whose sets are texts, with lists in their place; NULL for an empty one."""
    lists = ", ".join(
        f"nullif(list_transform({members(name)}, lambda member : {LONG_TEXT.sql('member')}), []) "
        f"AS {name}"
        for name in _SETS
    )
    return f"SELECT * REPLACE ({lists}) FROM ({rows})"


def members(name: str) -> str:
    """SQL of the list of members of a set, of its text in Zeek's notation or in JSON's."""
    in_zeek_s_notation = (
        f"list_transform(string_split({name}, ','), "
        r"lambda member : replace(member, '\x2c', ','))"
    )
    return (
        f"CASE WHEN {name} = '(empty)' THEN [] "
        f"WHEN starts_with({name}, '[') AND json_valid({name}) "
        f"THEN json_extract_string({name}, '$[*]') ELSE {in_zeek_s_notation} END"
    )
