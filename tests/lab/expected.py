"""What the visible bytes decide, field by field, and what they leave open.

An item of the dialogue counts as read when all its bytes are seen and nothing before it in its side
is missing that could have changed what it is: the line's own start, or a message, literal or login
that may still be going on. What such items say must be in the record. Beyond that a record may say
what the whole session says, never anything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import getaddresses
from typing import Any

from lab import really_there
from lab.dialogue.items import ANSWER, COMMAND, LISTING, LITERAL, MESSAGE, OTHER, REPLY, TLS, Item
from lab.tcp import CLIENT, SERVER
from lab.truth import (
    COUNTS,
    LATEST,
    SETS,
    STAGES,
    STANDARD_PORTS,
    STARTTLS,
    Sum,
    Truth,
    empty_cause,
    parts,
    summed,
)
from lab.views import View

LONGEST = 512
"""Of a longer string the decoder need not keep more."""


@dataclass(frozen=True)
class Expected:
    """A field's right values. Undecided: the visible bytes leave more than one."""

    decided: bool
    fits: Callable[[Any], bool]
    shown: Any
    """For people: the value, or what is allowed."""


def exactly(value: Any) -> Expected:
    """One value."""
    return Expected(True, lambda got: got == value, value)


def one_of(values: list[Any]) -> Expected:
    """One of several; decided where there is only one."""
    distinct = [value for n, value in enumerate(values) if value not in values[:n]]
    return Expected(
        len(distinct) == 1,
        lambda got: got in distinct,
        distinct[0] if len(distinct) == 1 else distinct,
    )


def between(low: int, high: int) -> Expected:
    """A number from one to another."""
    return Expected(
        low == high, lambda got: low <= (got or 0) <= high, low if low == high else [low, high]
    )


def people(addresses: list[str]) -> list[tuple[str, str]]:
    """Addresses with their display names, however they are quoted."""
    pairs = []
    for address in addresses:
        parsed = getaddresses([address])
        pairs.append(parsed[0] if len(parsed) == 1 and address != "<>" else (address, address))
    return pairs


def between_sets(low: list[str], high: list[str]) -> Expected:
    """A set that holds one and is held by another, each address once."""
    least, most = set(people(low)), set(people(high))

    def fits(got: list[str] | None) -> bool:
        found = people(got or [])
        return len(set(found)) == len(found) and least <= set(found) <= most

    return Expected(least == most, fits, high if least == most else [low, high])


def greets(truth: Truth, view: View) -> bool:
    """Whether the server's greeting is seen, before which neither side sends anything."""
    return any(
        "banner" in item.values and view.covers(SERVER, item.start, item.end)
        for item in truth.items
        if item.side == SERVER
    )


def read_items(truth: Truth, view: View) -> tuple[set[int], set[int]]:
    """The numbers of the items that can be read, and of messages whose header alone can."""
    read: set[int] = set()
    headers: set[int] = set()
    greeted = greets(truth, view)
    for side in (CLIENT, SERVER):
        lost = False
        starts: set[int] = set()
        numbered = [(n, item) for n, item in enumerate(truth.items) if item.side == side]
        for number, item in sorted(numbered, key=lambda pair: (pair[1].start, -pair[1].end)):
            seen = view.covers(side, item.start, item.end)
            start_seen = (
                greeted or view.start_known(side)
                if item.start == 0
                else view.covers(side, item.start - 1, item.start)
            )
            owned = item.begins is None or item.begins in starts
            if seen and start_seen and owned and not lost:
                read.add(number)
                starts.add(item.start)
            elif (
                item.kind == MESSAGE
                and start_seen
                and owned
                and not lost
                and view.covers(side, item.start, item.header_end)
            ):
                headers.add(number)
            if not (seen and start_seen) and _opens(item):
                lost = True
    return read, headers


UPGRADES = ("STARTTLS", "STLS", "COMPRESS")


def _opens(item: Item) -> bool:
    """Whether it is unknown, without this item, what the next bytes of its side are."""
    if item.side == CLIENT:
        return item.kind in (MESSAGE, LITERAL, ANSWER, OTHER, TLS) or item.verb in (
            *("DATA", "BDAT", "AUTH", "AUTHENTICATE", "APPEND", "LOGIN"),
            *UPGRADES,
        )
    return item.kind in (MESSAGE, LISTING, OTHER, TLS) or item.verb in UPGRADES


HEADER_FIELDS = {"from", "to", "subject", "msg_id", "user_agent"}


def expected(truth: Truth, view: View) -> dict[str, Expected]:
    """The right values of all fields that are judged, in a view."""
    sides = {side for side in (CLIENT, SERVER) if view.seen(side)}
    uncut = all(view.whole(side) for side in sides)
    fields = _of_packets(view, sides, uncut)
    service = truth.service
    most = really_there.possible(truth)
    if service is None:
        return fields | _of_no_mail(truth, uncut) | {"findings": _findings(frozenset(), most)}
    uncut |= greets(truth, view) and all(view.covers(s, 0, view.lengths[s]) for s in sides)
    standard = STANDARD_PORTS.get(truth.session.server[1]) == service
    read, headers = read_items(truth, view)
    own = [(number, item) for number, item in enumerate(truth.items) if item.side in sides]
    both = len(sides) == 2
    client_alone = service == "smtp" and SERVER not in sides

    firm: list[dict[str, Any]] = []
    loose: list[dict[str, Any]] = []
    named, odd, lines = False, False, {CLIENT: 0, SERVER: 0}
    for number, item in own:
        sure: dict[str, Any] = {}
        if number in read:
            sure = parts(item, together=both and uncut, alone=client_alone)
            if item.known:
                named |= item.strong or (standard and item.usual)
                # Redis answers with bare +OK and -ERR, too.
                lines[item.side] += item.kind != OTHER and item.text not in ("+OK", "-ERR")
            odd |= not item.known and item.kind == COMMAND
        elif number in headers:
            sure = {k: v for k, v in item.values.items() if k in HEADER_FIELDS}
        firm.append(sure)
        loose.append(parts(item, together=True, maybe=True, alone=not (both and uncut)))
    low, high = summed(firm), summed(loose)

    enough = sum(lines.values()) if standard else min(lines.values()) * view.handshake
    decided = named or (enough >= 2 and not odd)
    if not decided and not standard and not view.handshake:
        fields = {}  # nothing tells the roles
    fields["service"] = exactly(service) if decided else one_of([service, None])
    fields["decode_as"] = exactly("MAIL") if decided else one_of(["MAIL", "BASE"])
    if truth.session.streams[CLIENT].startswith(b"GET ") and not (decided and SERVER in sides):
        fields["decode_as"] = one_of(["MAIL", "HTTP", "BASE"])
    fields["tunnel"] = exactly(None)
    fields["implicit_tls"] = exactly(False)

    for name in SETS:
        fields[name] = between_sets(low.sets[name], high.sets[name])
    for name in COUNTS:
        fields[name] = between(low.counts[name], high.counts[name])
    for name in LATEST:
        fields[name] = _latest(name, firm, loose)
    least = really_there.certain(truth, sides) if uncut and decided else frozenset()
    fields["findings"] = _findings(least, most)
    fields["starttls"] = _step(low.starttls, high.starttls)
    fields["stage"] = _stage(low.stage, high.stage, low.logout, high.logout)
    fields["empty_cause"] = _cause(
        low,
        high,
        service,
        sides,
        uncut,
        fields,
        {item.verb for _, item in own if item.kind == REPLY},
    )
    return fields


def _of_packets(view: View, sides: set[str], uncut: bool) -> dict[str, Expected]:
    session = view.session
    fields = {
        "client_h": exactly(session.client[0]),
        "client_p": exactly(session.client[1]),
        "server_h": exactly(session.server[0]),
        "server_p": exactly(session.server[1]),
    }
    direction = "bidirectional" if len(sides) == 2 else "c2s" if CLIENT in sides else "s2c"
    fields["direction"] = exactly(direction)
    for side in (CLIENT, SERVER):
        fields[f"{side}_pkts"] = exactly(sum(1 for s in session.segments if s.side == side))
        if uncut:
            fields[f"{side}_bytes"] = exactly(view.lengths[side] if side in sides else 0)
    syn_ack = any(s.flags & 0x02 and s.side == SERVER for s in session.segments)
    if view.handshake or not syn_ack:
        fields["midstream"] = exactly(not view.handshake)
    return fields


def _of_no_mail(truth: Truth, uncut: bool) -> dict[str, Expected]:
    fields: dict[str, Expected] = {"service": exactly(None)}
    if truth.speaks == "ftp" and not uncut:  # `QUIT` and `221 Bye` are both protocols'
        return {"service": one_of([None, "smtp"])}
    if truth.speaks == "tls":
        if uncut:
            fields["implicit_tls"] = exactly(True)
            fields["decode_as"] = exactly("SSL")
        else:
            fields["decode_as"] = one_of(["SSL", "BASE"])
    else:
        fields["implicit_tls"] = exactly(False)
        fields["decode_as"] = (
            one_of(["HTTP", "BASE"]) if "HTTP" in truth.scenario else exactly("BASE")
        )
    return fields


def _latest(
    name: str,
    firm: list[dict[str, Any]],
    loose: list[dict[str, Any]],
) -> Expected:
    """The last item's value where it can be read; else one that may be the last to be seen."""
    allowed: list[Any] = []
    for sure, possible in zip(reversed(firm), reversed(loose), strict=True):
        if name in possible:
            allowed.append(possible[name])
        if name in sure:
            allowed.append(sure[name])
            break
    else:
        allowed.append(None)
    if name == "last_reply":
        return _reply(allowed)
    if name == "last_command":
        allowed += ["UID" for value in allowed if value == "UID FETCH"]
    return one_of(allowed)


def _reply(allowed: list[str | None]) -> Expected:
    """A reply's line; of an error code or status will do: the rest may be the client's words."""
    distinct = list(dict.fromkeys(allowed))
    return Expected(
        len(distinct) == 1,
        lambda got: any(_is_reply(got, line) for line in distinct),
        distinct[0] if len(distinct) == 1 else distinct,
    )


def _is_reply(got: str | None, line: str | None) -> bool:
    if got is None or line is None:
        return got == line
    bare = line.removeprefix("* ")
    if got in (line, bare) or (len(got) >= LONGEST and line.startswith(got)):
        return True
    if not got or not _error(line):
        return False
    status = line.partition(" ")[2]  # without IMAP's tag
    return line.startswith(got) or got in (status, status.partition(" ")[0])


def _error(line: str) -> bool:
    words = line.upper().split(" ")
    return line[:2] == "50" or words[0] == "-ERR" or words[1:2] in (["BAD"], ["NO"])


def _findings(least: frozenset[str], most: frozenset[str]) -> Expected:
    return Expected(
        least == most, lambda got: least <= set(got or ()) <= most, [sorted(least), sorted(most)]
    )


def _step(low: int, high: int) -> Expected:
    """A step towards TLS from one to another; `refused` only where that is the furthest."""
    steps = [
        step
        for number, step in enumerate(STARTTLS)
        if low <= number <= high and (step != "refused" or number in (low, high))
    ]
    return one_of(steps)


def _stage(low: int, high: int, low_logout: bool, high_logout: bool) -> Expected:
    if low_logout:
        return exactly("logout")
    return one_of([*STAGES[low : high + 1], *(["logout"] if high_logout else [])])


QUIET = {"", "CAPA", "CAPABILITY", "ID", "QUIT", "LOGOUT"}
"""What a server's replies may answer, for `greeting_only`."""


def _cause(
    low: Sum,
    high: Sum,
    service: str,
    sides: set[str],
    uncut: bool,
    fields: dict[str, Expected],
    replies: set[str],
) -> Expected:
    if any(low.sets.values()):
        return exactly(None)
    causes = {empty_cause(total, service, sides) for total in (low, high)}
    relevant = ("starttls", "auth_result", "stage", *SETS)
    if uncut and len(causes) == 1:
        cause = causes.pop()
        settled = cause in ("server_side_only", "client_side_only", "starttls")
        if cause == "greeting_only" and not replies <= QUIET:
            return OPEN
        if settled or all(fields[name].decided for name in relevant):
            return exactly(cause)
    return OPEN


OPEN = Expected(False, lambda _: True, "open")
