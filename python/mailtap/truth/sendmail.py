"""Sendmail's log. The client's port is never logged.

A process serves one client, so host and process identify a session. The beginning is logged from
level 10 on and the commands from 14 on; at the usual level (9) there are messages and events
only. Recipients come with their delivery, by queue ID. Of the commands that level 14 logs, AUTH
is never read: it holds passwords. From the source (srvrsmtp.c, envelope.c, deliver.c) and the
Operations Guide.

    QUEUE_ID: from=<SENDER>, size=437, class=0, nrcpts=1, msgid=<ID>, proto=ESMTP, daemon=MTA,
        relay=NAME [ADDRESS]
    QUEUE_ID: to=<RECIPIENT>, delay=00:00:01, ..., stat=Sent
    STARTTLS=server, relay=NAME [ADDRESS], version=TLSv1.3, verify=NO, cipher=NAME, bits=256/256
    AUTH=server, relay=NAME [ADDRESS], authid=USER, mech=PLAIN, bits=0
    QUEUE_ID: NAME [ADDRESS] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA
    NOQUEUE: connect from NAME [ADDRESS]
    QUEUE_ID: <-- EHLO NAME
    ruleset=check_rcpt, arg1=<RECIPIENT>, relay=NAME [ADDRESS], reject=550 5.7.1 ...
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator

from mailtap.truth.line import LogLine, MalformedLineError, once
from mailtap.truth.open_sessions import MAXIMUM_OPEN, OpenSessions
from mailtap.truth.peer import address
from mailtap.truth.session import Draft, Rejection, TruthSession, add, clean, path

SOFTWARE = "sendmail"

#: Seconds without a line after which a session is over: its end isn't logged.
SILENCE = 300.0

PROGRAMS = frozenset(("sendmail", "sm-mta", "sm-acceptingconnections"))

_PEER = r"(?:[^\s\[\],]{1,255} )?\[(?P<address>[0-9A-Fa-f:.]{2,45}|IPv6:[0-9A-Fa-f:.]{2,45})\]"
_QUEUE = r"(?P<queue>[0-9A-Za-z]{8,20})"

_FROM = re.compile(
    rf"{_QUEUE}: from=<?(?P<sender>[^<>]*?)>?, size=\d+, .*?nrcpts=\d+, .*?"
    rf"relay={_PEER}(?: \(may be forged\))?$"
)
_MESSAGE_ID = re.compile(r", msgid=(?P<id><[^<>]*>)")
_TO = re.compile(rf"{_QUEUE}: to=(?P<recipients>.*?), (?:ctladdr=.*?, )?delay=")
_RECIPIENT = re.compile(r"<([^<>]*)>|([^,<>]+)")
_TLS = re.compile(
    rf"STARTTLS=server, relay={_PEER}.*?, version=(?P<version>[^,]{{1,20}}), .*?"
    r"cipher=(?P<cipher>[^,]{1,80}), "
)
_LOGIN = re.compile(
    rf"AUTH=server, relay={_PEER}.*?, authid=(?P<user>.*), mech=(?P<mechanism>[\w-]{{1,40}}), bits="
)
_LOGIN_FAILED = re.compile(
    rf"{_QUEUE}: AUTH failure \((?P<mechanism>[\w-]{{1,40}})\): .*?relay={_PEER}"
)
_CONNECT = re.compile(rf"NOQUEUE: connect from {_PEER}")
_COMMAND = re.compile(
    rf"{_QUEUE}: <-- (?P<name>EHLO|HELO|QUIT|MAIL FROM|RCPT TO)[: ]{{0,2}}"
    r"(?P<argument>[^\s<>]{0,255}|<[^<>]*>)(?: .*)?$",
    re.IGNORECASE,
)
_NOTHING = re.compile(rf"(?:{_QUEUE}|NOQUEUE): {_PEER}.{{0,20}} did not issue ")
_LOST = re.compile(
    rf"(?:{_QUEUE}: )?(?P<how>lost input channel|timeout waiting for input) from {_PEER}"
)
_EARLY = re.compile(rf"{_QUEUE}: rejecting commands from  ?{_PEER}")
_ATTACK = re.compile(rf"{_QUEUE}: {_PEER}(?: \(may be forged\))?: possible SMTP attack: ")
_REJECTED = re.compile(
    rf"(?:{_QUEUE}: )?ruleset=check_(?P<what>\w+), arg1=(?P<argument>.*), relay={_PEER}.*?, "
    r"reject=(?P<code>[45]\d\d) "
)
_COMMANDS = {"rcpt": "rcpt", "mail": "mail", "relay": "connect", "vrfy": "vrfy"}


class Sendmail:
    """Puts the lines of Sendmail together."""

    def __init__(self) -> None:
        self._sessions = OpenSessions(silence=SILENCE)
        self._queues: OrderedDict[tuple[str | None, str], Draft] = OrderedDict()

    def takes(self, program: str) -> bool:
        """Whether the lines of a program are for this reader."""
        return program in PROGRAMS

    def feed(self, line: LogLine) -> Iterator[TruthSession]:
        """The sessions that are complete now. Raises MalformedLineError."""
        yield from self._sessions.due(line.time)
        for pattern, take in _OF_SESSION:
            match = pattern.match(line.message)
            if match:
                take(self, self._draft(line, match), match, line)
                return
        if match := _COMMAND.match(line.message):
            self._command(line, match)
        elif match := _TO.match(line.message):
            draft = self._queues.get((line.host, match["queue"]))
            if draft is not None:
                for quoted, bare in _RECIPIENT.findall(match["recipients"]):
                    add(draft.rcptto, path(quoted or bare))
        elif re.match(rf"{_QUEUE}: from=.*relay=.*\[", line.message):
            raise MalformedLineError("a message whose fields can't be read")

    def flush(self) -> Iterator[TruthSession]:
        """The sessions that are left at the end of the log."""
        yield from self._sessions.rest()

    def _draft(self, line: LogLine, match: re.Match[str]) -> Draft:
        client = address(match["address"])
        key = (line.host, line.pid)
        draft = self._sessions.get(key, line.time)
        if draft is None or draft.client_h != client or match.re is _CONNECT:
            draft = Draft(SOFTWARE, "smtp", line.time, line.time, line.resolution, host=line.host)
            draft.client_h = client
            self._sessions.begin(key, draft)
        return draft

    def _command(self, line: LogLine, match: re.Match[str]) -> None:
        draft = self._sessions.get((line.host, line.pid), line.time)
        if draft is None:
            return
        name, argument = match["name"].upper(), match["argument"]
        if name == "QUIT":
            draft.ended, draft.outcome = True, "quit"
        elif name == "MAIL FROM":
            add(draft.mailfrom, path(argument.strip("<>")))
        elif name == "RCPT TO":
            add(draft.rcptto, path(argument.strip("<>")))
        elif argument:
            draft.helo = clean(argument)

    def _connected(self, draft: Draft, _: re.Match[str], __: LogLine) -> None:
        draft.began = True

    def _message(self, draft: Draft, match: re.Match[str], line: LogLine) -> None:
        once(line.message, ", size=", ", nrcpts=", ", msgid=", ", relay=")
        add(draft.mailfrom, path(match["sender"]))
        add(draft.queue_ids, match["queue"])
        message_id = _MESSAGE_ID.search(line.message)
        if message_id:
            add(draft.message_ids, clean(message_id["id"]))
        self._queues[line.host, match["queue"]] = draft
        while len(self._queues) > MAXIMUM_OPEN:
            self._queues.popitem(last=False)

    def _tls(self, draft: Draft, match: re.Match[str], _: LogLine) -> None:
        draft.took_tls(clean(match["version"]), clean(match["cipher"]))

    def _login(self, draft: Draft, match: re.Match[str], line: LogLine) -> None:
        once(line.message, ", authid=", ", mech=")
        draft.login(clean(match["user"]), match["mechanism"], "success")

    def _login_failed(self, draft: Draft, match: re.Match[str], _: LogLine) -> None:
        draft.login(None, match["mechanism"], "failure")

    def _nothing(self, draft: Draft, _: re.Match[str], __: LogLine) -> None:
        draft.outcome = draft.outcome or "closed"
        draft.ended = True

    def _lost(self, draft: Draft, match: re.Match[str], _: LogLine) -> None:
        draft.outcome = "timeout" if match["how"].startswith("timeout") else "lost"
        draft.ended = True

    def _early(self, draft: Draft, _: re.Match[str], __: LogLine) -> None:
        draft.outcome = "refused"

    def _seen(self, _: Draft, __: re.Match[str], ___: LogLine) -> None:
        """The line shows that the client was there, and nothing else."""

    def _rejected(self, draft: Draft, match: re.Match[str], line: LogLine) -> None:
        once(line.message, ", arg1=", ", relay=", ", reject=")
        command = _COMMANDS.get(match["what"], match["what"])
        recipient = path(match["argument"].strip("<>")) if command == "rcpt" else None
        draft.reject(Rejection(command, int(match["code"]), recipient))
        if recipient is not None:
            add(draft.rcptto, recipient)


_OF_SESSION = (
    (_CONNECT, Sendmail._connected),
    (_FROM, Sendmail._message),
    (_TLS, Sendmail._tls),
    (_LOGIN, Sendmail._login),
    (_LOGIN_FAILED, Sendmail._login_failed),
    (_NOTHING, Sendmail._nothing),
    (_LOST, Sendmail._lost),
    (_EARLY, Sendmail._early),
    (_ATTACK, Sendmail._seen),
    (_REJECTED, Sendmail._rejected),
)
