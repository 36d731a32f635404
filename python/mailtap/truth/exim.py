"""Exim's main log, its own file or through syslog.

What is in a line depends on `log_selector`. With `+incoming_port` a session's lines are known by
the client's address and port, with `+pid` (or through syslog) by the process; with neither each
line stands for itself. Only with `+smtp_connection` a session has a beginning and an end. A line
is read from left to right, each field in its place, since Exim quotes what may hold spaces: what a
client sent can't pose as a field before its place.

Lines, from Exim's sources (smtp_in.c, receive.c) and the specification's chapter 54, where HOST is
`NAME (HELO) [ADDRESS]:PORT I=[ADDRESS]:PORT`:

    SMTP connection from HOST (TCP/IP connection count = 1)
    SMTP connection from HOST D=1.204s closed by QUIT
    QUEUE_ID <= SENDER H=HOST P=esmtpsa X=TLS1.3:CIPHER:256 A=plain:USER S=468 id=ID for RECIPIENT
    H=HOST F=<SENDER> rejected RCPT <RECIPIENT>: relay not permitted
    rejected EHLO from HOST: syntactically invalid argument(s): NAME
    H=HOST incomplete transaction (RSET) from <SENDER> for RECIPIENT
    plain authenticator failed for HOST: 535 Incorrect authentication data (set_id=USER)
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Iterator

from mailtap.truth.line import LogLine, MalformedLineError, once
from mailtap.truth.open_sessions import MAXIMUM_OPEN, OpenSessions
from mailtap.truth.peer import address, port
from mailtap.truth.session import Draft, Rejection, TruthSession, add, clean, path

SOFTWARE = "exim"

#: Seconds without a line after which a session whose end isn't logged is over.
SILENCE = 900.0

#: Seconds for lines that come behind the end (`no MAIL in SMTP connection`).
LINGER = 5.0

#: Connections of one client whose process hasn't written a line yet, at most, and for how long.
MAXIMUM_PENDING = 100
LONGEST_PENDING = 600.0

PROGRAMS = frozenset(("exim", "exim4"))

_HOST = (
    r"(?:(?P<name>[A-Za-z0-9._-]{1,255}) )?(?:\((?P<helo>[^()\s]{1,255})\) )?"
    r"\[(?P<address>[0-9A-Fa-f:.]{2,45})\](?::(?P<port>\d{1,5}))?"
    r"(?: I=\[(?P<server>[0-9A-Fa-f:.]{2,45})\](?::(?P<server_port>\d{1,5}))?)?"
    r"(?: (?:U|Ci)=\S+| TFO\*?)*"
)
_QUEUE = r"(?P<queue>[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4})"
#: A line has it in front where a message is being received.
_MAYBE_QUEUE = rf"(?:{_QUEUE} )?"
_CONNECTION = rf"SMTP connection(?: Ci=\S+)? from {_HOST}"
_PATH = r'<(?P<path>"(?:[^"\\]|\\.)*"@[^<>\s]*|[^<>\s]*)>'
_DURATION = r"(?: D=(?P<duration>[0-9dhms.]{1,20}))?"

#: Through syslog: the number of a long line's part, Exim's own time (`syslog_timestamp`), process.
_BEFORE_TEXT = re.compile(
    r"(?:\[\d{1,3}[\\/]\d{1,3}\] )?"
    r"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?(?: [+-]\d{4})? )?(?:\[\d{1,10}\] )?"
)

_CONNECT = re.compile(rf"{_CONNECTION} \(TCP/IP connection count = \d+\)$")
_CLOSED = re.compile(
    rf"{_MAYBE_QUEUE}{_CONNECTION}{_DURATION} "
    r"(?:TFO )?(?P<how>closed by QUIT|closed by EOF|closed|lost)\b"
)
_LOST_AT_THE_DOT = re.compile(
    rf"{_MAYBE_QUEUE}SMTP connection (?P<how>lost) after final dot (?:H=)?{_HOST}"
)
_REFUSED = re.compile(
    r"(?:(?:temporarily )?refused connection from "
    r"|SMTP protocol synchronization error \(input sent without waiting for greeting\): "
    rf"rejected connection from )(?:H=)?{_HOST}"
)
_CONNECTION_REFUSED = re.compile(rf"[Cc]onnection from {_HOST} refused\b")
#: What the client wrote stands before its address, and may look like one: the last address counts,
#: behind which the client wrote nothing.
_OUT_OF_PLACE = re.compile(
    rf'SMTP (?:protocol|syntax) error in "(?P<verb>[A-Za-z]{{3,10}})?.*" H={_HOST} [^"]*$'
)
#: Here the client wrote on both sides: the line counts only where neither has a quotation mark.
_SENT_TOO_SOON = re.compile(
    r"SMTP protocol synchronization error \(next input sent too soon: [^()]*\): "
    rf'rejected "(?P<verb>[A-Za-z]{{3,10}})?[^"]*" H={_HOST} next input="[^"]*"[^"]*$'
)
_COMMAND_REJECTED = re.compile(
    r"(?:temporarily )?rejected (?:(?P<verb>[A-Z]{3,10})(?: command)?"
    r'|"(?P<hello>HELO|EHLO) [^"\s]*") (?:from |H=)'
    rf"{_HOST}"
)
_SENDER_REJECTED = re.compile(
    rf"{_MAYBE_QUEUE}rejected (?:(?P<verb>MAIL) FROM:|from ){_PATH} H={_HOST}"
)
_NO_MAIL = re.compile(
    rf"no MAIL in (?:TFO\*? )?SMTP connection from {_HOST}{_DURATION}(?P<more>.*)$"
)
_TIMEOUT = re.compile(
    rf"{_MAYBE_QUEUE}SMTP (?:command|data) timeout(?: \(message abandoned\))? on(?: TLS)? "
    rf"connection from {_HOST}"
)
_GONE = re.compile(rf"unexpected disconnection while reading SMTP command from {_HOST}")
_DROPPED = re.compile(rf"SMTP call from {_HOST} dropped: ")
_TLS_FAILED = re.compile(rf"TLS error on connection from (?:H=)?{_HOST} ")
_LOGIN_FAILED = re.compile(
    rf"(?P<mechanism>[\w-]{{1,40}}) authenticator failed for (?:H=)?{_HOST}: (?P<text>.*)$"
)
_RECEIVED = re.compile(
    rf'{_QUEUE} (?P<how><=|\(=) (?P<sender>"(?:[^"\\]|\\.)*"@\S+|\S+) '
    rf"H=(?:DS )?{_HOST}(?P<more>(?: .*)?)$"
)
_OF_HOST = re.compile(rf"{_MAYBE_QUEUE}H=(?:DS )?{_HOST}(?P<more> .*)$")
#: What is behind the fields where a line with a queue ID names a client. Other such lines name the
#: host of a delivery that failed.
_OF_CLIENT = re.compile(
    r" (?:temporarily )?rejected | incomplete transaction | Warning: | discarded by "
)
_INCOMPLETE = re.compile(r" incomplete transaction \([^()]*\)(?P<more>.*)$")
_REJECTED = re.compile(
    r" (?:temporarily )?rejected (?P<what>RCPT|MAIL|EHLO or HELO|connection|after DATA|[A-Z]{3,10})"
    rf"(?: {_PATH}| (?P<bare>[^\s<>:\"]+@[^\s<>:\"]+))?(?::? (?P<text>.*))?"
)
#: What ACLs also write of a client that has given no HELO yet.
_MAYBE_EARLY = (" dropped by ", " Warning: ")
_DISCARDED = re.compile(rf" RCPT {_PATH}: discarded by ")

#: A field, or a mark without a value, and nothing that looks like one in the middle of a value.
_FIELD = re.compile(
    r' (?P<name>[A-Za-z0-9*]{1,8})=(?P<value>"(?:[^"\\]|\\.)*"|'
    r'<(?:"(?:[^"\\]|\\.)*"@[^<>\s]*|[^<>\s]*)>|[^\s"<]\S*|)'
)
_MARK = re.compile(r" (?!RCPT )[A-Z][A-Z0-9]{0,7}[*.+-]{0,2}(?= |$)")
_SENDER = re.compile(rf" from {_PATH}")
_RECIPIENTS = re.compile(r" for (?P<recipients>.*)$")
_RECIPIENT = re.compile(r'"(?:[^"\\]|\\.)*"@\S+|\S+')
_SET_ID = re.compile(r"\(set_id=(?P<user>[^()]*)\)")
_UNIT = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_OUTCOMES = {
    "closed by QUIT": "quit",
    "closed by EOF": "lost",
    "closed": "closed",
    "lost": "lost",
}
_COMMANDS = {
    "after DATA": "data",
    "DKIM": "data",
    "MIME": "data",
    "connection": "connect",
    "EHLO or HELO": "ehlo",
}


class Exim:
    """Puts the lines of Exim's main log together."""

    def __init__(self) -> None:
        self._sessions = OpenSessions(LINGER, SILENCE)
        self._pending: OrderedDict[tuple[str | None, str], deque[float]] = OrderedDict()

    def takes(self, program: str) -> bool:
        """Whether the lines of a program are for this reader."""
        return program in PROGRAMS

    def feed(self, line: LogLine) -> Iterator[TruthSession]:
        """The sessions that are complete now. Raises MalformedLineError."""
        yield from self._sessions.due(line.time)
        text = _BEFORE_TEXT.sub("", line.message, count=1)
        for pattern, take in _OF_SESSION:
            match = pattern.match(text)
            if match and not (pattern is _OF_HOST and _of_delivery(match)):
                draft, key = self._draft(line, match)
                take(self, draft, match)
                if pattern in (_CLOSED, _LOST_AT_THE_DOT):
                    draft.ended = True
                    self._sessions.end(key)
                elif match["port"] is None and line.pid is None:
                    draft.part = True
                    self._sessions.end(key)
                return
        match = _CONNECT.match(text)
        if match:
            self._connected(line, match)
        elif " <= " in text and " H=" in text:
            raise MalformedLineError("a received message whose client can't be read")

    def flush(self) -> Iterator[TruthSession]:
        """The sessions that are left at the end of the log."""
        yield from self._sessions.rest()

    def _draft(self, line: LogLine, match: re.Match[str]) -> tuple[Draft, object]:
        new, key = self._new(line, match)
        known = self._sessions.get(key, line.time)
        if known is None or known.part:
            duration = match.groupdict().get("duration")
            began = line.time - _seconds(duration) if duration else self._began(new, line)
            if began is not None:
                new.start, new.began = began, True
            self._sessions.begin(key, new)
            return new, key
        if match["helo"] is not None:
            known.helo = clean(match["helo"])
        return known, key

    def _connected(self, line: LogLine, match: re.Match[str]) -> None:
        draft, key = self._new(line, match)
        if draft.client_p is not None:
            draft.began = True
            self._sessions.begin(key, draft)
            return
        # The daemon writes this line, and the process that it hands the client to all others.
        client = (line.host, address(match["address"]))
        self._pending.setdefault(client, deque(maxlen=MAXIMUM_PENDING)).append(line.time)
        self._pending.move_to_end(client)
        while len(self._pending) > MAXIMUM_OPEN:
            self._pending.popitem(last=False)

    def _began(self, draft: Draft, line: LogLine) -> float | None:
        """When the oldest connection of the client began of which there was no line yet."""
        if draft.client_p is not None or draft.client_h is None or line.pid is None:
            return None
        pending = self._pending.get((line.host, draft.client_h))
        while pending:
            began = pending.popleft()
            if began > line.time - LONGEST_PENDING:
                return began
        return None

    def _new(self, line: LogLine, match: re.Match[str]) -> tuple[Draft, object]:
        draft = Draft(SOFTWARE, "smtp", line.time, line.time, line.resolution, host=line.host)
        draft.client_h, draft.client_p = address(match["address"]), port(match["port"])
        if match["server"] is not None:
            draft.server_h, draft.server_p = address(match["server"]), port(match["server_port"])
        draft.helo = clean(match["helo"]) if match["helo"] else None
        own = draft.client_p if draft.client_p is not None else line.pid
        return draft, (line.host, draft.client_h, own)

    def _received(self, draft: Draft, match: re.Match[str]) -> None:
        _behind_helo(draft, match)
        sender = path("" if match["sender"] == "<>" else match["sender"])
        fields, rest = _fields(match["more"])
        _take_fields(draft, fields)
        given = _SENDER.match(rest)
        if given:
            sender, rest = path(given["path"]), rest[given.end() :]
        add(draft.mailfrom, sender)
        add(draft.queue_ids, match["queue"])
        if match["how"] == "<=":  # else the site told the client that the message was refused
            draft.messages = (draft.messages or 0) + 1
        _take_recipients(draft, rest)

    def _of_host(self, draft: Draft, match: re.Match[str]) -> None:
        fields, rest = _fields(match["more"])
        _take_fields(draft, fields)
        rejected = _REJECTED.match(rest)
        what = rejected["what"] if rejected else ""
        command = _COMMANDS.get(what, what.lower())
        if command not in ("connect", "ehlo", "helo") and not rest.startswith(_MAYBE_EARLY):
            _behind_helo(draft, match)
        incomplete = _INCOMPLETE.match(rest)
        if incomplete:
            given = _SENDER.match(incomplete["more"])
            if given:
                add(draft.mailfrom, path(given["path"]))
                _take_recipients(draft, incomplete["more"][given.end() :])
            return
        discarded = _DISCARDED.match(rest)
        if discarded:
            add(draft.rcptto, path(discarded["path"]))
            return
        if rest.startswith(" dropped by "):
            draft.outcome = "refused"
            return
        if rejected is None:
            return
        recipient = rejected["bare"] if rejected["path"] is None else rejected["path"]
        named = None if recipient is None or command != "rcpt" else path(recipient)
        text = rejected["text"] or ""
        code = int(text[:3]) if re.match(r"[45]\d\d\b", text) else None
        draft.reject(Rejection(command, code, named))
        if named is not None:
            add(draft.rcptto, named)
        if command == "connect":
            draft.outcome = "refused"

    def _closed(self, draft: Draft, match: re.Match[str]) -> None:
        if draft.outcome is None:
            draft.outcome = _OUTCOMES[match["how"]]
        if draft.messages is None and draft.began:
            draft.messages = 0

    def _no_mail(self, draft: Draft, match: re.Match[str]) -> None:
        fields, _ = _fields(match["more"])
        _take_fields(draft, fields)
        names = fields.get("C", "").removeprefix("...").split(",")
        if not {"EHLO", "HELO", "LHLO"}.isdisjoint(names):
            _behind_helo(draft, match)
        draft.commands = tuple(
            (n.lower(), names.count(n), names.count(n)) for n in sorted({*names} - {""})
        )
        draft.messages = 0

    def _login_failed(self, draft: Draft, match: re.Match[str]) -> None:
        _behind_helo(draft, match)
        once(match["text"], "(set_id=")
        user = _SET_ID.search(match["text"])
        draft.login(clean(user["user"]) if user else None, match["mechanism"], "failure")

    def _timeout(self, draft: Draft, _: re.Match[str]) -> None:
        draft.outcome = "timeout"

    def _gone(self, draft: Draft, _: re.Match[str]) -> None:
        draft.outcome = "lost"

    def _refused(self, draft: Draft, _: re.Match[str]) -> None:
        draft.outcome = "refused"

    def _command_rejected(self, draft: Draft, match: re.Match[str]) -> None:
        draft.reject(Rejection((match["verb"] or match["hello"]).lower(), None))

    def _out_of_place(self, draft: Draft, match: re.Match[str]) -> None:
        draft.reject(Rejection((match["verb"] or "unknown").lower(), None))

    def _sent_too_soon(self, draft: Draft, match: re.Match[str]) -> None:
        self._out_of_place(draft, match)
        draft.outcome = "refused"

    def _sender_rejected(self, draft: Draft, match: re.Match[str]) -> None:
        _behind_helo(draft, match)
        add(draft.mailfrom, path(match["path"]))
        draft.reject(Rejection((match["verb"] or "data").lower(), None))

    def _tls_failed(self, draft: Draft, _: re.Match[str]) -> None:
        draft.outcome = "tls_failed"


_OF_SESSION = (
    (_RECEIVED, Exim._received),
    (_OF_HOST, Exim._of_host),
    (_CLOSED, Exim._closed),
    (_LOST_AT_THE_DOT, Exim._closed),
    (_NO_MAIL, Exim._no_mail),
    (_LOGIN_FAILED, Exim._login_failed),
    (_TIMEOUT, Exim._timeout),
    (_GONE, Exim._gone),
    (_DROPPED, Exim._refused),
    (_REFUSED, Exim._refused),
    (_CONNECTION_REFUSED, Exim._refused),
    (_OUT_OF_PLACE, Exim._out_of_place),
    (_SENT_TOO_SOON, Exim._sent_too_soon),
    (_COMMAND_REJECTED, Exim._command_rejected),
    (_SENDER_REJECTED, Exim._sender_rejected),
    (_TLS_FAILED, Exim._tls_failed),
)


def _behind_helo(draft: Draft, match: re.Match[str]) -> None:
    """Of a line that follows a HELO: Exim writes one name where that is the host's own name."""
    if draft.helo is None and match["name"] is not None:
        draft.helo = clean(match["name"])


def _of_delivery(match: re.Match[str]) -> bool:
    """Whether a line with the name of a host is of a message's delivery to it."""
    return match["queue"] is not None and not _OF_CLIENT.match(_fields(match["more"])[1])


def _fields(text: str) -> tuple[dict[str, str], str]:
    """The fields at the beginning of the text, and what is behind them."""
    fields: dict[str, str] = {}
    at = 0
    while match := _FIELD.match(text, at) or _MARK.match(text, at):
        if match.re is _FIELD:
            fields.setdefault(match["name"], match["value"])
        at = match.end()
    return fields, text[at:]


def _take_fields(draft: Draft, fields: dict[str, str]) -> None:
    protocol = fields.get("P", "")
    if "X" in fields:
        version, _, rest = fields["X"].partition(":")
        cipher = rest.rpartition(":")[0].rpartition(":")[2] or rest
        draft.took_tls(clean(version.replace("TLS1", "TLSv1")), clean(cipher))
    elif protocol:
        draft.tls = protocol.rstrip("a").endswith("s")
    if "A" in fields:
        mechanism, colon, user = fields["A"].partition(":")
        draft.login(clean(user) if colon else None, clean(mechanism), "success")
    if "F" in fields:
        add(draft.mailfrom, path(fields["F"].strip("<>")))
    if fields.get("id"):
        add(draft.message_ids, f"<{clean(fields['id'])}>")
    if protocol.startswith(("lmtp", "elmtp")):
        draft.protocol = "lmtp"


def _take_recipients(draft: Draft, text: str) -> None:
    match = _RECIPIENTS.match(text)
    if match:
        for recipient in _RECIPIENT.findall(match["recipients"]):
            add(draft.rcptto, path(recipient))


def _seconds(duration: str) -> float:
    """`1d2h3m4s`, `0.204s`."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([dhms])", duration)
    return sum(float(number) * _UNIT[unit] for number, unit in parts)
