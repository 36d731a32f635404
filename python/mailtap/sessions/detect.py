"""Which kind of source a file is, by its first lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from mailtap.errors import MailTapError
from mailtap.policy import Policy
from mailtap.records.containers import (
    Container,
    Csv,
    Separated,
    TooManyColumnsError,
)
from mailtap.records.json_records import JsonLines
from mailtap.records.parquet import Parquet
from mailtap.records.record_file import RecordFile
from mailtap.records.zeek_log import read_header
from mailtap.sessions import smtp_log
from mailtap.sessions.gateway import REQUIRED

SESSION_PLACES = ("uid", "id.orig_h", "decode_as", "direction")
CONN_PLACES = ("uid", "id.orig_h", "id.resp_h", "proto")


class SourceError(MailTapError):
    """A source that can't be used; the message is one line that names it."""


class Kind(Enum):
    """What a file's records are."""

    SESSIONS = "session records"
    CONNECTIONS = "conn.log"
    SMTP = "smtp.log"
    GATEWAY = "gateway export"


#: The fields by which Zeek's logs are known.
PLACES = {
    Kind.SESSIONS: SESSION_PLACES,
    Kind.CONNECTIONS: CONN_PLACES,
    Kind.SMTP: smtp_log.PLACES,
}

#: The fields without which none of a file's records is a session.
NEEDED = dict.fromkeys(
    (Kind.SESSIONS, Kind.CONNECTIONS), ("ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")
)


@dataclass(frozen=True)
class Recognised:
    """A file's kind, and how its records lie in it."""

    file: RecordFile
    kind: Kind
    container: Container


def recognise(file: RecordFile, policy: Policy) -> Recognised | None:
    """What `file` is; None for a Zeek log without a record. Raises SourceError."""
    if file.schema is not None:
        return _parquet(file, Parquet.of_schema(file.schema), policy)
    try:
        separated = read_header(file)
        if separated is not None:
            return _zeek_log(file, separated)
        lines = [line for line in file.head if line.strip()]
        if not lines:
            return None
        json = JsonLines()
        records = [record for record in map(json.parse, lines) if record is not None]
        if records:
            has: Callable[[str], bool] = lambda place: any(  # noqa: E731
                record.get(place) is not None for record in records
            )
            return Recognised(file, _kind(file, has, policy), json)
        csv = Csv.of_header(lines[0])
        return Recognised(file, _kind(file, set(csv.names).__contains__, policy), csv)
    except TooManyColumnsError as error:
        raise SourceError(f"{file.named}: {error}") from None


def _parquet(file: RecordFile, container: Parquet, policy: Policy) -> Recognised:
    kind = _kind(file, container.columns.__contains__, policy)
    missing = [place for place in NEEDED.get(kind, ()) if place not in container.columns]
    if missing:
        columns = ", ".join(missing)
        raise SourceError(f"{file.named}: as {kind.value} it needs these columns too: {columns}")
    return Recognised(file, kind, container)


def _zeek_log(file: RecordFile, container: Separated) -> Recognised:
    names = set(container.names)
    for kind, places in PLACES.items():
        if names.issuperset(places):
            return Recognised(file, kind, container)
    raise SourceError(
        f"{file.named}: a Zeek log, but none of conn.log, mail_session.log and smtp.log"
    )


def _kind(file: RecordFile, has: Callable[[str], bool], policy: Policy) -> Kind:
    if all(map(has, SESSION_PLACES)):
        return Kind.SESSIONS
    if all(map(has, CONN_PLACES)):
        return Kind.CONNECTIONS
    if file.path.name.startswith("smtp") and has("uid") and has("trans_depth"):
        return Kind.SMTP  # in JSON, fields that are unset are not there
    missing = [key for key in REQUIRED if not any(map(has, policy.gateway[key]))]
    if not missing:
        return Kind.GATEWAY
    if len(missing) < len(REQUIRED):
        columns = ", ".join(policy.gateway[key][0] for key in missing)
        raise SourceError(f"{file.named}: a gateway's export needs these columns too: {columns}")
    raise SourceError(
        f"{file.named}: neither a Zeek conn or mail_session log, nor session records of analyze, "
        "nor a gateway's export"
    )
