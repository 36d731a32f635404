"""Dovecot's log, its own file or through syslog, of 2.3 and 2.4.

The login processes write a line at the end of their part: a login, or a disconnection without
one. After a login the mailbox process writes the end of the session, joined by the session ID.
That ID, where Dovecot made it (login-common/client-common.c), holds the connection's time in
microseconds, the client's port and its address, so these are known whether or not the site logs
the port (`rport=` in login_log_format_elements). Lines of the auth process are not read: they may
hold passwords.

    imap-login: Login: user=<USER>, method=PLAIN, rip=ADDRESS, lip=ADDRESS, TLS, session=<ID>
    imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<>, ...
    imap-login: Login aborted: Logged out (no auth attempts in 0 secs) (no_auth): user=<>, ...
    imap-login: proxy(USER): started proxying to ADDRESS:143: user=<USER>, ...
    imap(USER)<PID><ID>: Disconnected: Logged out in=50 out=500 ...
    lmtp(PID): Connect from ADDRESS
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Hashable, Iterator
from ipaddress import ip_address

from mailtap.truth.line import LogLine, MalformedLineError, once
from mailtap.truth.open_sessions import OpenSessions
from mailtap.truth.peer import address, port
from mailtap.truth.session import Draft, TruthSession, add, clean

SOFTWARE = "dovecot"

#: Seconds between a connection and the line of its login, at most: else the session ID's time is
#: not taken for one. Dovecot disconnects clients that don't log in after three minutes.
LONGEST_LOGIN = 900.0

_ID_TIME_BYTES = 6
_ID_TIME_SPAN = float(1 << 8 * _ID_TIME_BYTES) / 1e6  # the ID holds the time's lower 48 bits

_LOGIN = r"Login(?! aborted)|Logged in|proxy\([^()]*\): started proxying "
_PROXY_END = r"proxy\([^()]*\): (?i:disconnect)"
_END = (
    rf"{_PROXY_END}|Login aborted|Disconnected|Aborted login|Maximum number of connections|"
    r"Client has quit|Remote closed|Connection closed|Too many invalid commands"
)
#: Old versions leave out elements that are empty.
_LOGIN_PROCESS = re.compile(
    r"(?P<protocol>imap|pop3|submission)-login: (?:(?:Info|Debug|Warning|Error): )?"
    rf"(?P<reason>(?:{_LOGIN}|{_END}).*?): "
    r"(?:user=<(?P<user>.*?)>(?:, |$))?(?P<elements>(?:(?:method|rip)=.*)?)$"
)
_OF_LOGIN_PROCESS = re.compile(r"(?:imap|pop3|submission)-login: ")
_MAILBOX = re.compile(
    r"(?P<protocol>imap|pop3)\([^()]*\)<(?P<pid>\d{1,10})>(?:<(?P<session>[^<>\s]{1,64})>)?: "
    r"(?:Info: )?"
    r"(?P<text>Disconnected|Logged out|Connection closed|Server shutting down)(?P<more>.*)$"
)
_LMTP = r"lmtp\((?P<pid>\d{1,10})\): (?:Info: )?"
_LMTP_CONNECT = re.compile(rf"{_LMTP}Connect from (?P<address>[0-9A-Fa-f:.]{{2,45}})$")
_LMTP_END = re.compile(
    rf"{_LMTP}Disconnect from (?P<address>[0-9A-Fa-f:.]{{2,45}}): (?P<reason>.*)$"
)
_LMTP_SAVED = re.compile(
    r"lmtp\((?P<user>[^()]*)\)<(?P<pid>\d{1,10})><[^<>]*>: (?:Info: )?(?:sieve: )?"
    r"msgid=(?P<id><[^<>]*>|[^:\s]*): (?:saved mail|stored mail)"
)
_SECONDS = re.compile(r" in (?P<seconds>\d{1,6}) secs")
_MARKERS = (" user=<", " method=", " rip=", " lip=", " rport=", " lport=", " session=<")


class Dovecot:
    """Puts the lines of Dovecot's processes together."""

    def __init__(self) -> None:
        self._sessions = OpenSessions()

    def takes(self, program: str) -> bool:
        """Whether the lines of a program are for this reader."""
        return program == "dovecot"

    def feed(self, line: LogLine) -> Iterator[TruthSession]:
        """The sessions that are complete now. Raises MalformedLineError."""
        yield from self._sessions.due(line.time)
        text = line.message
        if match := _LOGIN_PROCESS.match(text):
            once(text, *_MARKERS)
            self._login(line, match)
        elif match := _MAILBOX.match(text):
            self._mailbox(line, match)
        elif text.startswith("lmtp("):
            self._lmtp(line)
        elif _OF_LOGIN_PROCESS.match(text) and " rip=" in text:
            raise MalformedLineError("a line of a login process that can't be read")

    def flush(self) -> Iterator[TruthSession]:
        """The sessions that are left at the end of the log."""
        yield from self._sessions.rest()

    def _login(self, line: LogLine, match: re.Match[str]) -> None:
        elements = [element for element in match["elements"].split(", ") if element]
        values = dict(element.partition("=")[::2] for element in elements if "=" in element)
        if "rip" not in values:
            raise MalformedLineError("a line of a login process without rip=")
        key = (line.host, values.get("session", "").strip("<>") or values.get("mpid") or line.time)
        if re.match(_PROXY_END, match["reason"]) and self._end(key, line, match["reason"]):
            return
        protocol = "smtp" if match["protocol"] == "submission" else match["protocol"]
        draft = Draft(SOFTWARE, protocol, line.time, line.time, line.resolution, host=line.host)
        draft.service = f"{match['protocol']}-login"
        draft.client_h = address(values["rip"])
        draft.client_p = _port(values.get("rport"))
        if "lip" in values:
            draft.server_h, draft.server_p = address(values["lip"]), _port(values.get("lport"))
        _take_id(draft, values.get("session", "").strip("<>"))
        user, method = clean(match["user"] or "") or None, values.get("method")
        tls = [element for element in elements if element.startswith("TLS")]
        draft.tls = bool(tls)
        if tls and " with cipher " in tls[0]:
            version, _, cipher = tls[0].partition(" with cipher ")
            draft.took_tls(clean(version), clean(cipher.partition(" ")[0]))
        if tls and "handshak" in tls[0]:
            draft.outcome = "tls_failed"
        waited = _SECONDS.search(match["reason"])
        if waited and not draft.began:
            draft.start, draft.began = line.time - int(waited["seconds"]), True
        self._sessions.begin(key, draft)
        if re.match(_LOGIN, match["reason"]):
            draft.login(user, method, "success")
            draft.outcome = "login"
            draft.began = True  # the login's time is near enough where the ID has no other
            return
        if "auth failed" in match["reason"]:
            draft.login(user, method, "failure")
        draft.ended = True
        draft.outcome = draft.outcome or _outcome(match["reason"])
        self._sessions.end(key)

    def _mailbox(self, line: LogLine, match: re.Match[str]) -> None:
        self._end(
            (line.host, match["session"] or match["pid"]), line, match["text"] + match["more"]
        )

    def _end(self, key: Hashable, line: LogLine, reason: str) -> bool:
        """The session with this key is over. Whether there was one."""
        draft = self._sessions.get(key, line.time)
        if draft is None:
            return False
        draft.ended = True
        draft.outcome = _outcome(reason)
        self._sessions.end(key)
        return True

    def _lmtp(self, line: LogLine) -> None:
        text = line.message
        if match := _LMTP_CONNECT.match(text):
            draft = Draft(SOFTWARE, "lmtp", line.time, line.time, line.resolution, began=True)
            draft.host, draft.service, draft.messages = line.host, "lmtp", 0
            draft.client_h = address(match["address"])
            self._sessions.begin((line.host, "lmtp", match["pid"]), draft)
            return
        match = _LMTP_SAVED.match(text) or _LMTP_END.match(text)
        if match is None:
            return
        key = (line.host, "lmtp", match["pid"])
        known = self._sessions.get(key, line.time)
        if known is None:
            return
        if match.re is _LMTP_SAVED:
            add(known.rcptto, clean(match["user"]))
            if match["id"].strip("<>"):
                add(known.message_ids, f"<{clean(match['id'].strip('<>'))}>")
            known.messages = (known.messages or 0) + 1
        else:
            known.ended = True
            known.outcome = _outcome(match["reason"])
            self._sessions.end(key)


def _port(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 5:
        return None
    return port(text)


def _take_id(draft: Draft, session: str) -> None:
    """Time and port of the connection from a session ID that Dovecot made, and nothing else's."""
    try:
        data = base64.b64decode(session + "=" * (-len(session) % 4), validate=True)
    except (binascii.Error, ValueError):
        return
    at = _ID_TIME_BYTES + 2
    if len(data) not in (at + 4, at + 16) or draft.client_h is None:
        return
    if address(str(ip_address(data[at:]))) != draft.client_h:
        return
    low = int.from_bytes(data[:_ID_TIME_BYTES], "little") / 1e6
    started = low + round((draft.end - low) / _ID_TIME_SPAN) * _ID_TIME_SPAN
    if -LONGEST_LOGIN <= draft.end - started <= LONGEST_LOGIN:
        draft.start, draft.began = started, True
        draft.end = max(draft.end, started)
        draft.client_p = int.from_bytes(data[_ID_TIME_BYTES:at], "little") or draft.client_p


def _outcome(text: str) -> str:
    lower = text.lower()
    if any(word in lower for word in ("logged out", "logging out", "quit")):
        return "quit"
    if "inactiv" in lower or "timed out" in lower or "timeout" in lower:
        return "timeout"
    if any(word in lower for word in ("closed", "reset", "disconnected")):
        return "lost"
    return "closed"
