"""OpenSMTPD's log. Each line of a session begins with the session's ID.

The client's port and the HELO aren't logged, nor which listener took the connection.

    SESSION smtp connected address=ADDRESS host=NAME
    SESSION smtp tls ciphers=TLSv1.3:TLS_AES_256_GCM_SHA384:256
    SESSION smtp authentication user=USER result=ok
    SESSION smtp message msgid=ID size=437 nrcpt=1 proto=ESMTP
    SESSION smtp envelope evpid=ID from=<SENDER> to=<RECIPIENT>
    SESSION smtp failed-command command="RCPT TO:<RECIPIENT>" result="550 Invalid recipient: ..."
    SESSION smtp disconnected reason=quit

From OpenSMTPD's source (smtp_session.c).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailtap.truth.line import LogLine, MalformedLineError, once
from mailtap.truth.open_sessions import OpenSessions
from mailtap.truth.peer import address
from mailtap.truth.session import Draft, Rejection, TruthSession, add, clean, path

SOFTWARE = "opensmtpd"

PROGRAMS = frozenset(("smtpd", "opensmtpd"))

_LINE = re.compile(r"(?P<session>[0-9a-f]{16}) smtp (?:event=)?(?P<what>[a-z-]+) ?(?P<more>.*)$")
_CONNECTED = re.compile(r"address=(?P<address>\S+) host=\S*$")
_TLS = re.compile(
    r"(?:address=\S+ host=\S+ )?ciphers=\"?(?:version=)?(?P<version>TLS[^:,\s]{1,10})"
    r"(?::|, cipher=)(?P<cipher>[^:,\s]{1,80})"
)
_LOGIN = re.compile(r"user=(?P<user>\S+) (?:address=\S+ host=\S+ )?result=(?P<result>[a-z]+)$")
_ENVELOPE = re.compile(r"evpid=\S+ from=<(?P<sender>.*)> to=<(?P<recipient>.*)>$")
_MESSAGE = re.compile(r"msgid=(?P<id>[0-9a-f]{8}) ")
_FAILED = re.compile(r'command="(?P<command>.*)" result="(?P<code>[45]\d\d) .*"$')
_PATH = re.compile(r"(?:MAIL FROM|RCPT TO): ?<(?P<path>[^<>]*)>", re.IGNORECASE)
_REASON = re.compile(r'reason="?(?P<reason>[a-z-]+)')
_RESULTS = {"ok": "success", "permfail": "failure", "tempfail": "failure"}
_OUTCOMES = {"quit": "quit", "timeout": "timeout", "tls-accept-failed": "tls_failed"}


class OpenSMTPD:
    """Puts the lines of OpenSMTPD together."""

    def __init__(self) -> None:
        self._sessions = OpenSessions()

    def takes(self, program: str) -> bool:
        """Whether the lines of a program are for this reader."""
        return program in PROGRAMS

    def feed(self, line: LogLine) -> Iterator[TruthSession]:
        """The sessions that are complete now. Raises MalformedLineError."""
        yield from self._sessions.due(line.time)
        match = _LINE.match(line.message)
        if match is None:
            return
        key, what, more = (line.host, match["session"]), match["what"], match["more"]
        if what == "connected":
            connected = _CONNECTED.match(more)
            if connected is None:
                raise MalformedLineError("a connection without an address")
            if connected["address"] != "local":
                self._sessions.begin(key, self._connected(line, connected["address"]))
            return
        draft = self._sessions.get(key, line.time)
        if draft is not None:
            self._take(draft, what, more)
            if what in ("disconnected", "closed"):
                draft.ended = True
                self._sessions.end(key)

    def flush(self) -> Iterator[TruthSession]:
        """The sessions that are left at the end of the log."""
        yield from self._sessions.rest()

    def _connected(self, line: LogLine, client: str) -> Draft:
        draft = Draft(SOFTWARE, "smtp", line.time, line.time, line.resolution, began=True)
        draft.host, draft.client_h = line.host, address(client)
        draft.messages, draft.tls = 0, False
        return draft

    def _take(self, draft: Draft, what: str, more: str) -> None:
        if what == "tls" and (match := _TLS.match(more)):
            draft.took_tls(clean(match["version"]), clean(match["cipher"]))
        elif what == "authentication" and (match := _LOGIN.match(more)):
            result = _RESULTS.get(match["result"], "failure")
            draft.login(clean(match["user"]), None, result)
        elif what == "message" and (match := _MESSAGE.match(more)):
            add(draft.queue_ids, match["id"])
            draft.messages = (draft.messages or 0) + 1
        elif what == "envelope" and (match := _ENVELOPE.match(more)):
            once(more, " from=<", "> to=<")
            add(draft.mailfrom, path(match["sender"]))
            add(draft.rcptto, path(match["recipient"]))
        elif what == "failed-command":
            self._failed(draft, more)
        elif what in ("disconnected", "closed"):
            reason = _REASON.match(more)
            draft.outcome = _OUTCOMES.get(reason["reason"] if reason else "", "lost")

    def _failed(self, draft: Draft, more: str) -> None:
        once(more, '" result="')
        match = _FAILED.match(more)
        if match is None:
            raise MalformedLineError("a failed command that can't be read")
        # Of the command only its name and an envelope address are taken: it may hold a password.
        given = _PATH.match(match["command"])
        word = re.match(r"[A-Za-z]{1,10}", match["command"])
        command = word[0].lower() if word else "unknown"
        recipient = path(given["path"]) if given and command == "rcpt" else None
        if recipient is not None:
            add(draft.rcptto, recipient)
        elif given and command == "mail":
            add(draft.mailfrom, path(given["path"]))
        draft.reject(Rejection(command, int(match["code"]), recipient))
