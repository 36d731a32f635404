"""Sessions that several kinds of source have: each once, with what all of them say about it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from mailtap.sessions import smtp_log
from mailtap.sessions.detect import Kind
from mailtap.sessions.schema import columns

#: Of connections in smtp.log.
_OF_SMTP = ("uid", "starttls", *smtp_log.COMPLETED)


def session_queries(
    files: Mapping[Kind, int],
    rows_of: Callable[[Kind], str],
    smtp_connections: Callable[[], str],
    columns_of: Callable[[str], Collection[str]],
) -> Iterator[str]:
    """SQL of the sessions in files, so many of each kind, with columns of table `sessions`.

    `rows_of` gives SQL of a kind's sessions, `smtp_connections` that of smtp.log's rows by
    connection, and `columns_of` which columns of table `sessions` a query has.
    """
    connections = ""
    if files[Kind.CONNECTIONS]:
        connections = rows_of(Kind.CONNECTIONS)
        if files[Kind.SMTP]:
            known = columns_of(connections)
            connections = _completed(connections, known, "LEFT", smtp_connections(), _OF_SMTP)
    if files[Kind.SESSIONS]:
        records = rows_of(Kind.SESSIONS)
        if connections:
            known = columns_of(connections)
            records = _completed(records, columns_of(records), "FULL", connections, known)
        yield records
    elif connections:
        yield connections
    if files[Kind.GATEWAY]:
        yield rows_of(Kind.GATEWAY)


def _completed(
    rows: str, of_rows: Collection[str], join: str, others: str, of_others: Collection[str]
) -> str:
    """SQL of the rows, completed by others of the same uid, which have these columns each."""
    selected = ", ".join(
        f"coalesce(s.{name}, o.{name}) AS {name}"
        if name in of_rows and name in of_others
        else f"{'s' if name in of_rows else 'o'}.{name}"
        for name in columns(details=True)
        if name in of_rows or name in of_others
    )
    return f"SELECT {selected} FROM ({rows}) AS s {join} JOIN ({others}) AS o ON s.uid = o.uid"
