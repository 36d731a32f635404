"""What the session record must say of a session: its dialogue's items, summed up.

The scenario's own words (`wants`) and the server's log are held against the sum; where they
disagree, the laboratory is wrong and the run fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.dialogue import imap, pop3, smtp
from lab.dialogue.items import COMMAND, Item
from lab.servers.base import LogFacts
from lab.tcp import CLIENT, SERVER, TcpSession

STAGES = [
    "connect",
    "greeting",
    "hello",
    "auth",
    "envelope",
    "data",
    "delivered",
    "retrieved",
    "logout",
]
STARTTLS = ["none", "offered", "requested", "refused", "accepted", "tls"]
SETS = ("mailfrom", "rcptto", "from", "to")
COUNTS = ("mailfrom_count", "rcptto_count", "messages", "commands", "replies")
LATEST = (
    *("helo", "auth", "auth_result", "user", "subject", "msg_id", "user_agent"),
    *("last_command", "last_reply", "banner"),
)
READERS = {"smtp": smtp.read, "lmtp": smtp.read, "pop3": pop3.read, "imap": imap.read}
STANDARD_PORTS = {25: "smtp", 587: "smtp", 110: "pop3", 143: "imap"}


@dataclass(frozen=True)
class Truth:
    """A recorded session with all that is known of it."""

    server: str
    client: str
    """The software."""
    scenario: str
    serves: str
    """What the port is for, see Scenario."""
    speaks: str | None
    """smtp, lmtp, pop3, imap; `tls` from the first byte; `ftp`; None for other things."""
    session: TcpSession
    items: tuple[Item, ...]

    @property
    def service(self) -> str | None:
        """The record's service."""
        return "smtp" if self.speaks == "lmtp" else self.speaks if self.speaks in READERS else None


def known(
    server: str, client: str, scenario: str, serves: str, speaks: str | None, session: TcpSession
) -> Truth:
    """Read a recorded session."""
    items: list[Item] = []
    if speaks in READERS:
        items = READERS[speaks](session.streams[CLIENT], session.streams[SERVER])
    return Truth(server, client, scenario, serves, speaks, session, tuple(items))


@dataclass
class Sum:
    """The record's fields, of some of a session's items."""

    sets: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in SETS})
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    latest: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(LATEST))
    stage: int = 0
    """Beyond logout: the place in STAGES."""
    logout: bool = False
    starttls: int = 0
    refused: bool = False
    """The greeting, or the hello."""


def parts(
    item: Item, *, together: bool = False, maybe: bool = False, alone: bool = False
) -> dict[str, Any]:
    """What an item contributes."""
    values = dict(item.values)
    if alone:
        values |= stronger(values, item.alone)
    if together:
        values |= stronger(values, item.together)
    if maybe:
        values |= stronger(values, item.maybe)
    return values


def stronger(values: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """`more`, without a stage or step that is no further than in `values`."""
    kept = dict(more)
    for name, order in (("stage", STAGES), ("starttls", STARTTLS)):
        if name in kept and name in values and order.index(kept[name]) < order.index(values[name]):
            del kept[name]
    return kept


def summed(items: Iterable[Mapping[str, Any]]) -> Sum:
    """The sum of items' contributions."""
    total = Sum()
    for values in items:
        for name in SETS:
            total.sets[name] += [v for v in values.get(name, ()) if v not in total.sets[name]]
        for name in COUNTS:
            total.counts[name] += values.get(name, 0)
        for name in LATEST:
            if name in values:
                total.latest[name] = values[name]
        if "stage" in values:
            total.stage = max(total.stage, STAGES.index(values["stage"]))
        if "starttls" in values:
            total.starttls = max(total.starttls, STARTTLS.index(values["starttls"]))
        total.logout |= bool(values.get("logout"))
        total.refused |= bool(values.get("refused") or values.get("hello_refused"))
    return total


def empty_cause(total: Sum, service: str, sides: set[str]) -> str | None:
    """By the order in docs/reference/session.md."""
    stage = STAGES[total.stage]
    if any(total.sets.values()):
        return None
    if STARTTLS[total.starttls] in ("requested", "accepted", "tls"):
        return "starttls"
    if service == "smtp" and CLIENT not in sides:
        return "server_side_only"
    if service != "smtp" and SERVER not in sides:
        return "client_side_only"
    if total.refused or total.latest["auth_result"] == "failure":
        return "refused"
    if total.counts["commands"] == 0 and total.stage <= STAGES.index("hello"):
        return "greeting_only"
    if total.stage <= STAGES.index("hello"):
        return "hello_only"
    if stage == "auth":
        return "login_only"
    if total.stage >= STAGES.index("data"):
        return "aborted"
    return "no_message"


def whole(truth: Truth) -> dict[str, Any]:
    """The fields with everything seen."""
    service = truth.service
    if service is None:
        tls = truth.speaks == "tls"
        return {"service": None, "implicit_tls": tls, "decode_as": "SSL" if tls else "BASE"}
    both = {CLIENT, SERVER}
    total = summed(parts(item, together=True) for item in truth.items)
    return {
        "service": service,
        "implicit_tls": False,
        "decode_as": "MAIL",
        "starttls": STARTTLS[total.starttls],
        "stage": "logout" if total.logout else STAGES[total.stage],
        "empty_cause": empty_cause(total, service, both),
        **total.sets,
        **total.counts,
        **total.latest,
    }


def disagreements(truth: Truth, wants: Mapping[str, Any], log: LogFacts) -> list[str]:
    """Where the dialogue as read is not what the scenario says, or not what the server logged."""
    fields = whole(truth)
    where = f"{truth.server}, {truth.scenario}"
    found = []
    for name, wanted in wants.items():
        read = fields.get(name)
        if isinstance(wanted, list):
            wanted, read = sorted(wanted), sorted(read or [])
        if wanted != read:
            found.append(f"{where}: {name} is {read!r} as recorded, and {wanted!r} by the scenario")
    found += [f"{where}: {text}" for text in _against_log(truth, fields, log)]
    return found


def _against_log(truth: Truth, fields: Mapping[str, Any], log: LogFacts) -> list[str]:
    if truth.service is None or fields["starttls"] in ("accepted", "tls"):
        return []
    found = []
    if log.messages is not None and log.messages != fields["messages"]:
        found.append(f"{fields['messages']} messages as recorded, {log.messages} in the log")
    if log.mailfrom and not set(log.mailfrom) <= set(fields["mailfrom"]):
        found.append(f"senders {fields['mailfrom']} as recorded, {log.mailfrom} in the log")
    if log.rcptto and not set(log.rcptto) <= set(fields["rcptto"]):
        found.append(f"recipients {fields['rcptto']} as recorded, {log.rcptto} in the log")
    if log.user is not None and log.user != fields["user"]:
        found.append(f"user {fields['user']} as recorded, {log.user} in the log")
    if log.auth_result == "success" and fields["auth_result"] != "success":
        found.append(f"login {fields['auth_result']} as recorded, success in the log")
    tried = any(
        i.verb in ("AUTH", "PASS", "APOP", "USER", "LOGIN", "AUTHENTICATE") for i in truth.items
    )
    if log.auth_result == "failure" and not tried:
        found.append("no login as recorded, failure in the log")
    if log.helo is not None and log.helo != fields["helo"]:
        found.append(f"helo {fields['helo']} as recorded, {log.helo} in the log")
    for verb, (_, total) in log.verbs.items():
        sent = sum(1 for i in truth.items if i.kind == COMMAND and i.verb.lower() == verb)
        if verb not in ("unknown", "commands") and sent != total:
            found.append(f"{sent} times {verb} as recorded, {total} in the log")
    return found
