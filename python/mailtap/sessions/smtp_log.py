"""Zeek's smtp.log: what a Zeek without MailTap knows of addresses and TLS in SMTP sessions.

It has a row each message; those of one connection are put together, and completed into conn.log's
sessions. Where there is a session record, that counts.
"""

from __future__ import annotations

from mailtap.records.fields import BOOLEAN, Field
from mailtap.sessions.schema import LONG_TEXT, SET
from mailtap.sessions.session_records import members

#: A row about a session. Zeek's log has other columns, too.
PLACES = ("uid", "id.orig_h", "mailfrom", "rcptto", "trans_depth")

FIELDS = {
    "uid": Field(("uid",)),
    "mailfrom": Field(("mailfrom",), LONG_TEXT),
    "rcptto": Field(("rcptto",), SET),
    "header_from": Field(("from",), LONG_TEXT),
    "header_to": Field(("to",), SET),
    "tls": Field(("tls",), BOOLEAN),
    "helo": Field(("helo",), LONG_TEXT),
    "subject": Field(("subject",)),
    "msg_id": Field(("msg_id",), LONG_TEXT),
    "user_agent": Field(("user_agent",)),
    "last_reply": Field(("last_reply",), LONG_TEXT),
}

IS_RECORD = "uid IS NOT NULL"

_ADDRESSES = {
    "mailfrom": "has_mailfrom",
    "rcptto": "has_rcptto",
    "header_from": "has_from",
    "header_to": "has_to",
}
_TEXTS = ("subject", "user_agent", "helo", "msg_id", "last_reply")

#: Columns of table `sessions` that smtp.log completes in a connection, beside `starttls`.
COMPLETED = (*_ADDRESSES, *_ADDRESSES.values(), *_TEXTS)


def smtp_columns(rows: str) -> str:
    """SQL of a row for each connection in rows of smtp.log, with columns of table `sessions`."""
    lists = ", ".join(
        f"{members(name)} AS {name}" if name in ("rcptto", "header_to") else f"[{name}] AS {name}"
        for name in _ADDRESSES
    )
    addresses = ", ".join(
        f"list_filter(list_distinct(flatten(list({name}) FILTER ({name} IS NOT NULL))), "
        f"lambda address : address IS NOT NULL) AS {name}"
        for name in _ADDRESSES
    )
    has = ", ".join(
        f"coalesce(len({name}) > 0, false) AS {flag}" for name, flag in _ADDRESSES.items()
    )
    texts = ", ".join(f"any_value({name}) AS {name}" for name in _TEXTS)
    return (
        f"SELECT *, {has} FROM (SELECT uid, CASE WHEN bool_or(tls) THEN 'tls' END AS starttls, "
        f"{addresses}, {texts} FROM (SELECT * REPLACE ({lists}) FROM ({rows})) GROUP BY uid)"
    )
