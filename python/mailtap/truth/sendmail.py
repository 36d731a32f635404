"""Sendmail's log at its usual level (9).

It has neither the beginning and end of a session nor the client's port: each record is a message or
an event, joined with others of the same process and client. Recipients come with their delivery, by
queue ID. From the source (srvrsmtp.c, envelope.c, deliver.c) and the Operations Guide.

    QUEUE_ID: from=<SENDER>, size=437, class=0, nrcpts=1, msgid=<ID>, proto=ESMTP, daemon=MTA,
        relay=NAME [ADDRESS]
    QUEUE_ID: to=<RECIPIENT>, delay=00:00:01, ..., stat=Sent
    STARTTLS=server, relay=NAME [ADDRESS], version=TLSv1.3, verify=NO, cipher=NAME, bits=256/256
    AUTH=server, relay=NAME [ADDRESS], authid=USER, mech=PLAIN, bits=0
    QUEUE_ID: NAME [ADDRESS] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA
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

PROGRAMS = frozenset(("sendmail", "sm-mta"))

_PEER = r"(?:[^\s\[\],]{1,255} )?\[(?P<address>[0-9A-Fa-f:.]{2,45}|IPv6:[0-9A-Fa-f:.]{2,45})\]"
_QUEUE = r"(?P<queue>[0-9A-Za-z]{8,20})"

_FROM = re.compile(
    rf"{_QUEUE}: from=<?(?P<sender>[^<>]*?)>?, size=\d+, .*?nrcpts=(?P<recipients>\d+), .*?"
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
_NOTHING = re.compile(rf"(?:{_QUEUE}|NOQUEUE): {_PEER}.{{0,20}} did not issue ")
_LOST = re.compile(
    rf"(?:{_QUEUE}: )?(?P<how>lost input channel|timeout waiting for input) from {_PEER}"
)
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
        match = _TO.match(line.message)
        if match:
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
        key = (line.host, line.pid, client)
        draft = self._sessions.get(key, line.time)
        if draft is None:
            draft = Draft(SOFTWARE, "smtp", line.time, line.time, line.resolution, host=line.host)
            draft.client_h = client
            self._sessions.begin(key, draft)
        return draft

    def _message(self, draft: Draft, match: re.Match[str], line: LogLine) -> None:
        once(line.message, ", size=", ", nrcpts=", ", msgid=", ", relay=")
        add(draft.mailfrom, path(match["sender"]))
        add(draft.queue_ids, match["queue"])
        if int(match["recipients"]) > 0:
            draft.messages = (draft.messages or 0) + 1
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
        draft.outcome, draft.messages = draft.outcome or "closed", draft.messages or 0

    def _lost(self, draft: Draft, match: re.Match[str], _: LogLine) -> None:
        draft.outcome = "timeout" if match["how"].startswith("timeout") else "lost"

    def _rejected(self, draft: Draft, match: re.Match[str], line: LogLine) -> None:
        once(line.message, ", arg1=", ", relay=", ", reject=")
        command = _COMMANDS.get(match["what"], match["what"])
        recipient = path(match["argument"].strip("<>")) if command == "rcpt" else None
        draft.reject(Rejection(command, int(match["code"]), recipient))
        if recipient is not None:
            add(draft.rcptto, recipient)


_OF_SESSION = (
    (_FROM, Sendmail._message),
    (_TLS, Sendmail._tls),
    (_LOGIN, Sendmail._login),
    (_LOGIN_FAILED, Sendmail._login_failed),
    (_NOTHING, Sendmail._nothing),
    (_LOST, Sendmail._lost),
    (_REJECTED, Sendmail._rejected),
)
