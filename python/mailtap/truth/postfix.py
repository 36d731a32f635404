"""Postfix's log: smtpd and postscreen for the session, cleanup, qmgr and deliveries for its mail.

`smtpd_client_port_logging = yes` adds the client's port. A process serves one client after the
other, so host and process identify a session; a message is joined by its queue ID. Its recipients
are in the lines of their delivery, which come after the session's end.

Lines, from Postfix's sources (smtpd.c, smtpd_check.c, tls_misc.c, postscreen.c, cleanup_message.c,
qmgr_active.c, log_adhoc.c):

    connect from NAME[ADDRESS]:PORT
    disconnect from NAME[ADDRESS]:PORT ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4
    QUEUE_ID: client=NAME[ADDRESS]:PORT, sasl_method=PLAIN, sasl_username=USER
    proxy-accept: END-OF-MESSAGE: 250 2.0.0 TEXT; from=<> to=<> proto=ESMTP helo=<>
    NOQUEUE: reject: RCPT from NAME[ADDRESS]:PORT: 550 5.1.1 TEXT; from=<> to=<> proto=ESMTP helo=<>
    lost connection after DATA from NAME[ADDRESS]:PORT
    Anonymous TLS connection established from NAME[ADDRESS]:PORT: TLSv1.3 with cipher NAME (...)
    warning: NAME[ADDRESS]:PORT: SASL PLAIN authentication failed: ...
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from mailtap.truth.line import LogLine, MalformedLineError, once
from mailtap.truth.open_sessions import MAXIMUM_OPEN, OpenSessions
from mailtap.truth.peer import address, port
from mailtap.truth.session import Draft, Rejection, TruthSession, add, clean, path

SOFTWARE = "postfix"

#: Seconds that an ended session waits for the first delivery of its messages.
LINGER = 300.0

#: Postfix's programs whose lines are read.
_DELIVERY = frozenset(("smtp", "lmtp", "local", "virtual", "pipe", "error", "retry", "discard"))
DAEMONS = frozenset(("smtpd", "postscreen", "cleanup", "qmgr", "oqmgr")) | _DELIVERY

_PEER = r"[^\s\[\]]{0,255}\[(?P<address>[0-9A-Fa-f:.]{2,45})\](?::(?P<port>\d{1,5}))?"
_QUEUE = r"(?P<queue>NOQUEUE|[0-9A-Za-z]{5,24})"

_CONNECT = re.compile(rf"connect from {_PEER}$")
_DISCONNECT = re.compile(rf"disconnect from {_PEER}(?P<counts>(?: [a-z]+=\d+(?:/\d+)?)*)$")
_CLIENT = re.compile(rf"{_QUEUE}: client={_PEER}(?P<more>(?:, .*)?)$")
_ACTION = re.compile(
    rf"{_QUEUE}: (?P<action>[a-z_-]{{2,20}}): (?P<where>[A-Za-z-]+(?: [a-z]+)*) from {_PEER}: "
    r"(?:(?P<code>[45]\d\d) )?(?P<text>.*)$"
)
_REJECTING = frozenset(("reject", "milter-reject"))
#: A content filter before the queue (smtpd_proxy_filter) takes or refuses the message.
_PROXY = re.compile(
    r"(?:NOQUEUE: )?proxy-(?P<action>accept|reject): END-OF-MESSAGE: "
    r"(?:(?P<code>\d{3})\b)?(?P<text>.*)$"
)
#: The client was gone before Postfix could ask for its address.
_NO_CLIENT = re.compile(r"(?:dis)?connect from unknown\[unknown\]")
_BROKEN = re.compile(
    rf"(?:{_QUEUE}: )?(?P<reason>lost connection|timeout|too many errors) after .{{1,64}}? "
    rf"from {_PEER}$"
)
_TLS = re.compile(
    rf"(?:Anonymous|Untrusted|Trusted|Verified) TLS connection (?:established|reused) from {_PEER}"
    r"(?: to \S+)?: (?P<version>\S+) with cipher (?P<cipher>\S+)"
)
_TLS_FAILED = re.compile(rf"SSL_accept error from {_PEER}:")
_LOGIN_FAILED = re.compile(
    rf"warning: {_PEER}: SASL (?P<mechanism>[\w-]{{1,40}}) authentication (?:failed|aborted)"
    r"(?P<more>.*)$"
)
_EVIDENCE = re.compile(
    r"; ?(?:from=<(?P<sender>.*?)>,? ?)?(?:to=<(?P<recipient>.*?)>,? ?)?"
    r"(?:proto=(?P<protocol>\S+?),? ?)?(?:helo=<(?P<helo>.*)>)?(?: sasl_\w+=\S+)*$"
)
_EVIDENCE_MARKERS = ("from=<", "to=<", "proto=", "helo=<")
_LOGIN = re.compile(r", sasl_method=(?P<mechanism>[\w-]{1,40})(?:, sasl_username=(?P<user>[^,]*))?")

_MESSAGE_ID = re.compile(rf"{_QUEUE}: (?:resent-)?message-id=<?(?P<id>.*?)>?$")
_SENDER = re.compile(rf"{_QUEUE}: from=<(?P<sender>.*)>, size=\d+, nrcpt=\d+")
_RECIPIENT = re.compile(
    rf"{_QUEUE}: to=<(?P<to>.*?)>, (?:orig_to=<(?P<original>.*?)>, )?(?:relay=|conn_use=|delay=)"
)

_SCREEN_CONNECT = re.compile(
    r"CONNECT from \[(?P<address>[^\]]{2,45})\]:(?P<port>\d{1,5}) "
    r"to \[(?P<server>[^\]]{2,45})\]:(?P<server_port>\d{1,5})$"
)
_SCREEN_END = re.compile(
    r"(?P<what>DISCONNECT|HANGUP after \S+ from|PASS OLD|PASS NEW|WHITELISTED|ALLOWLISTED) "
    r"\[(?P<address>[^\]]{2,45})\]:(?P<port>\d{1,5})"
)
_SCREEN_REJECT = re.compile(
    r"NOQUEUE: reject: (?P<where>[A-Z]+) from \[(?P<address>[^\]]{2,45})\]:(?P<port>\d{1,5}): "
    r"(?:(?P<code>[45]\d\d) )?(?P<text>.*)$"
)

_COMMANDS_BY_WHERE = {
    "CONNECT": "connect",
    "DATA content": "data",
    "END-OF-MESSAGE": "data",
}


@dataclass(slots=True)
class _Queued:
    """The session that a queue ID is of, and whether qmgr has taken the message over."""

    session: Draft
    taken: bool = False


class Postfix:
    """Puts the lines of Postfix's programs together."""

    def __init__(self) -> None:
        self._sessions = OpenSessions(LINGER)
        self._screened = OpenSessions()
        self._queues: OrderedDict[tuple[str | None, str], _Queued] = OrderedDict()

    def takes(self, program: str) -> bool:
        """Whether the lines of a program are for this reader."""
        name, _, daemon = program.rpartition("/")
        return name != "" and daemon in DAEMONS

    def feed(self, line: LogLine) -> Iterator[TruthSession]:
        """The sessions that are complete now. Raises MalformedLineError."""
        yield from self._sessions.due(line.time)
        yield from self._screened.due(line.time)
        name, _, daemon = line.program.rpartition("/")
        if daemon == "smtpd":
            self._smtpd(line, name.rpartition("/")[2] if "/" in name else "smtp")
        elif daemon == "postscreen":
            self._postscreen(line)
        else:
            self._queue(line, daemon)

    def flush(self) -> Iterator[TruthSession]:
        """The sessions that are left at the end of the log."""
        yield from self._sessions.rest()
        yield from self._screened.rest()

    def _smtpd(self, line: LogLine, service: str) -> None:
        text, key = line.message, (line.host, line.program, line.pid)
        if match := _CONNECT.match(text):
            self._sessions.begin(key, self._connected(line, service, match))
            return
        for pattern, take in _OF_SESSION:
            match = pattern.match(text)
            if match:
                draft = self._sessions.get(key, line.time)
                if draft is None or draft.ended or draft.client_h != address(match["address"]):
                    earlier = None if draft is None or draft.ended else draft.earlier or draft
                    draft = self._connected(line, service, match)
                    draft.began, draft.earlier = False, earlier
                    self._sessions.begin(key, draft)
                take(self, draft, match, line)
                if pattern is _DISCONNECT:
                    self._behind_a_proxy(key, draft)
                    self._sessions.end(key)
                return
        if match := _PROXY.match(text):
            known = self._sessions.get(key, line.time)
            if known is not None and not known.ended:
                self._proxied(known, match)
            return
        if _NO_CLIENT.match(text):
            self._sessions.end(key)
        elif text.startswith(("connect from", "disconnect from", "NOQUEUE: reject")):
            raise MalformedLineError("a line of a session that doesn't name the client")

    def _connected(self, line: LogLine, service: str, match: re.Match[str]) -> Draft:
        client = address(match["address"]), port(match["port"])
        screened = (line.host, *client)
        passed = self._screened.get(screened, line.time) if client[1] else None
        draft = Draft(SOFTWARE, "smtp", line.time, line.time, line.resolution, began=True)
        draft.host, draft.service, draft.messages = line.host, service, 0
        draft.client_h, draft.client_p = client
        if passed is not None:
            draft.start, draft.server_h, draft.server_p = (
                passed.start,
                passed.server_h,
                passed.server_p,
            )
            self._screened.forget(screened)
        return draft

    def _behind_a_proxy(self, key: Hashable, draft: Draft) -> None:
        """XCLIENT names a proxy's client, which lines have from then on. A tap sees the proxy."""
        earlier, given = draft.earlier, {command for command, _, _ in draft.commands}
        if earlier is not None and "xclient" in given and self._sessions.take_back(key, earlier):
            draft.start, draft.began, draft.order = earlier.start, earlier.began, earlier.order
            draft.client_h, draft.client_p = earlier.client_h, earlier.client_p

    def _disconnected(self, draft: Draft, match: re.Match[str], _: LogLine) -> None:
        commands = []
        for word in match["counts"].split():
            name, _equals, count = word.partition("=")
            good, slash, every = count.partition("/")
            if name != "commands":
                commands.append((name, int(good), int(every if slash else good)))
        draft.commands = tuple(commands)
        draft.ended = True
        answers = _answers_to_data(draft)
        if answers is not None:
            draft.messages = answers
        taken = {command for command, good, _every in commands if good}
        if draft.outcome is None:
            draft.outcome = "quit" if "quit" in taken else "closed"
        if "starttls" in taken:
            draft.tls = True
        elif draft.tls is None:
            draft.tls = False

    def _client(self, draft: Draft, match: re.Match[str], line: LogLine) -> None:
        more = match["more"]
        once(more, "sasl_method=", "sasl_username=")
        login = _LOGIN.match(more)
        if login:
            user = login["user"]
            draft.login(None if user is None else clean(user), login["mechanism"], "success")
        if match["queue"] != "NOQUEUE":
            add(draft.queue_ids, match["queue"])
            self._queues[line.host, match["queue"]] = _Queued(draft)
            while len(self._queues) > MAXIMUM_OPEN:
                self._queues.popitem(last=False)

    def _acted(self, draft: Draft, match: re.Match[str], _: LogLine) -> None:
        if match["action"] in _REJECTING:
            self._rejected(draft, match)
        else:
            _take_evidence(draft, match["text"])

    def _rejected(self, draft: Draft, match: re.Match[str]) -> None:
        where, code = match["where"], match["code"]
        command = _COMMANDS_BY_WHERE.get(where, where.lower())
        if command == "connect":
            draft.outcome = "refused"
        _reject(draft, command, code, match["text"])

    def _proxied(self, draft: Draft, match: re.Match[str]) -> None:
        if match["action"] == "accept":
            draft.messages = (draft.messages or 0) + 1
            _take_evidence(draft, match["text"])
        else:
            _reject(draft, "data", match["code"], match["text"])

    def _broken(self, draft: Draft, match: re.Match[str], _: LogLine) -> None:
        reasons = {"lost connection": "lost", "timeout": "timeout"}
        if draft.outcome is None:
            draft.outcome = reasons.get(match["reason"], "refused")

    def _tls(self, draft: Draft, match: re.Match[str], _: LogLine) -> None:
        draft.took_tls(clean(match["version"]), clean(match["cipher"]))

    def _tls_failed(self, draft: Draft, _: re.Match[str], __: LogLine) -> None:
        draft.outcome = "tls_failed"

    def _login_failed(self, draft: Draft, match: re.Match[str], _: LogLine) -> None:
        # What follows may be the client's answer, base64 and all: only the name is looked for.
        _before, marker, user = match["more"].rpartition(", sasl_username=")
        known = user if marker and user != "(unavailable)" else None
        draft.login(clean(known) if known else None, match["mechanism"], "failure")

    def _queue(self, line: LogLine, daemon: str) -> None:
        text = line.message
        queue = text.partition(":")[0]
        queued = self._queues.get((line.host, queue))
        if queued is None:
            return
        draft = queued.session
        if daemon == "cleanup" and (match := _MESSAGE_ID.match(text)):
            if match["id"]:
                add(draft.message_ids, f"<{clean(match['id'])}>")
        elif daemon == "cleanup" and (match := _ACTION.match(text)):
            if match["action"] == "milter-reject":
                self._rejected(draft, match)
        elif daemon in ("qmgr", "oqmgr"):
            if text == f"{queue}: removed":
                del self._queues[line.host, queue]
            elif match := _SENDER.match(text):
                once(text, ", size=", ", nrcpt=")
                add(draft.mailfrom, path(match["sender"]))
                if not queued.taken and _answers_to_data(draft) is None:
                    draft.messages = (draft.messages or 0) + 1
                queued.taken = True
        elif daemon in _DELIVERY and (match := _RECIPIENT.match(text)):
            once(text, " to=<", " orig_to=<")
            add(draft.rcptto, path(match["original"] or match["to"]))

    def _postscreen(self, line: LogLine) -> None:
        text = line.message
        if match := _SCREEN_CONNECT.match(text):
            draft = Draft(SOFTWARE, "smtp", line.time, line.time, line.resolution, began=True)
            draft.host, draft.service, draft.messages = line.host, "postscreen", 0
            draft.client_h, draft.client_p = address(match["address"]), port(match["port"])
            draft.server_h, draft.server_p = address(match["server"]), port(match["server_port"])
            self._screened.begin((line.host, draft.client_h, draft.client_p), draft)
            return
        match = _SCREEN_REJECT.match(text) or _SCREEN_END.match(text)
        if match is None:
            return
        key = (line.host, address(match["address"]), port(match["port"]))
        known = self._screened.get(key, line.time)
        if known is None:
            return
        if match.re is _SCREEN_REJECT:
            self._rejected(known, match)
        elif match["what"] == "DISCONNECT":
            known.ended = True
            known.outcome = known.outcome or "closed"
            self._screened.end(key)
        elif match["what"].startswith("HANGUP"):
            known.outcome = "lost"


_OF_SESSION = (
    (_DISCONNECT, Postfix._disconnected),
    (_CLIENT, Postfix._client),
    (_ACTION, Postfix._acted),
    (_BROKEN, Postfix._broken),
    (_TLS, Postfix._tls),
    (_TLS_FAILED, Postfix._tls_failed),
    (_LOGIN_FAILED, Postfix._login_failed),
)


def _answers_to_data(draft: Draft) -> int | None:
    """How many messages Postfix took by its count of DATA; None where it doesn't say."""
    good = {command: good for command, good, _every in draft.commands}
    return None if "bdat" in good else good.get("data")


def _reject(draft: Draft, command: str, code: str | None, text: str) -> None:
    """Keep a refused command, with its recipient where the line names one for sure."""
    recipient = None
    try:
        recipient = _take_evidence(draft, text)
    finally:
        draft.reject(Rejection(command, int(code) if code else None, recipient))


def _take_evidence(draft: Draft, text: str) -> str | None:
    """Sender, recipient and HELO at a line's end, of which the recipient is returned.

    Raises:
        MalformedLineError: the line has one of them twice.
    """
    once(text, *_EVIDENCE_MARKERS)
    found = _EVIDENCE.search(text)
    if found is None:
        return None
    if found["sender"] is not None:
        add(draft.mailfrom, path(found["sender"]))
    if found["helo"] is not None:
        draft.helo = clean(found["helo"])
    if found["recipient"] is None:
        return None
    recipient = path(found["recipient"])
    add(draft.rcptto, recipient)
    return recipient
