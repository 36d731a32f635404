"""Lines of text logs: syslog's (RFC 3164, RFC 5424, ISO 8601 times), Exim's and Dovecot's own."""

from __future__ import annotations

import re

from mailtap.truth.line import LogLine, MalformedLineError
from mailtap.truth.timestamps import Clock

_PRIORITY = r"(?:<\d{1,3}>)?"
_SHORT_TIME = (
    r"(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2}) (?P<time>\d\d:\d\d:\d\d(?:\.\d{1,9})?)"
)
_FULL_TIME = (
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d(?:\.\d{1,9})?)"
    r"(?: ?(?P<zone>[Zz]|UTC|[+-]\d\d:?\d\d))?"
)
_TAG = r"(?P<program>[^\s\[\]:]{1,128})(?:\[(?P<pid>\d{1,10})\])?: ?(?P<message>.*)$"

#: `Nov 24 22:40:01 host postfix/smtpd[1234]: text`; FreeBSD's syslogd may write `<mail.info>` too
_RFC_3164 = re.compile(
    rf"{_PRIORITY}{_SHORT_TIME} (?:<[a-z0-9]{{1,10}}\.[a-z]{{1,10}}> )?(?P<host>\S*[^\s:]) {_TAG}"
)

#: `2026-11-24T22:40:01.123456+01:00 host postfix/smtpd[1234]: text`, as rsyslog writes
_ISO_8601 = re.compile(rf"{_PRIORITY}{_FULL_TIME} (?P<host>\S*[^\s:]) {_TAG}")

#: `Tue 2026-11-24 22:40:01 CET host postfix/smtpd[1]: text`, as `journalctl -o short-full` writes.
#: Names of zones but UTC mean several zones: the time is taken for one of the log's zone.
_SHORT_FULL = re.compile(
    rf"[A-Z][a-z]{{2}} {_FULL_TIME}(?: [A-Z]{{3,5}})? (?P<host>\S*[^\s:]) {_TAG}"
)

#: `1795560001.123456 host postfix/smtpd[1234]: text`, as `journalctl -o short-unix` writes
_SHORT_UNIX = re.compile(rf"(?P<unix>\d{{9,10}}\.\d{{1,9}}) (?P<host>\S*[^\s:]) {_TAG}")

#: `<22>1 2026-11-24T22:40:01Z host postfix/smtpd 1234 - - text`
_RFC_5424 = re.compile(
    rf"<\d{{1,3}}>1 {_FULL_TIME} (?P<host>\S+) (?P<program>\S+) (?P<pid>\S+) \S+ "
    r'(?:-|(?:\[(?:[^"\]\\]|"(?:[^"\\]|\\.)*")*\])+) ?(?:\ufeff)?(?P<message>.*)$'
)

#: `2026-11-24 22:40:01 [1234] 1sOmEiD-0000 <= ...`: Exim's main log, and
#: `2026-11-24 22:40:01 imap-login: Info: ...`: Dovecot's with such a log_timestamp
_OWN_WITH_DATE = re.compile(rf"{_FULL_TIME} (?:\[(?P<pid>\d{{1,10}})\] )?(?P<message>.*)$")

#: `Nov 24 22:40:01 imap-login: Info: Login: ...`: Dovecot's own log file; Dovecot 1 wrote
#: `dovecot: Nov 24 22:40:01 Info: imap-login: Login: ...`
_DOVECOT_OWN = re.compile(
    rf"(?:dovecot: )?{_SHORT_TIME} (?:(?:Info|Warning|Error|Fatal|Panic): )?"
    r"(?P<message>[a-z0-9-]+(?:\(.*?\))?(?:<[^>]*>)*: .*)$"
)
_DOVECOT_MESSAGE = re.compile(
    r"[a-z0-9-]+(?:\(.*?\))?(?:<[^>]*>)*: (?:Debug|Info|Warning|Error|Fatal|Panic): "
)

#: `mail-1  | ` and `2026-11-24T22:40:01.123Z stdout F `: what a container's runtime puts before
_OF_CONTAINER = re.compile(
    r"\ufeff?(?:[\w.-]{1,128} {1,64}\| )?"
    r"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z (?:std(?:out|err) [FP] )?"
    r"(?=[A-Z][a-z]{2} {1,2}\d|\d{4}-\d\d-\d\d))?"
)

#: Solaris has a number of the message, and facility and level, before each text.
_OF_SOLARIS = re.compile(r"^\[ID \d{1,10} [a-z0-9]{1,10}\.[a-z]{1,10}\] ")

#: No log has these in a line: who finds them sees what a client injected, or no text.
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


def read_line(text: str, clock: Clock) -> LogLine:
    """The line as a program's message. Raises MalformedLineError."""
    if CONTROL.search(text):
        raise MalformedLineError("a control character")
    text = _OF_CONTAINER.sub("", text, count=1)
    for pattern in (_RFC_3164, _ISO_8601, _RFC_5424, _SHORT_FULL, _SHORT_UNIX):
        match = pattern.match(text)
        if match:
            pid = match["pid"] if match["pid"] and match["pid"].isdigit() else None
            return _line(match, clock, match["host"], match["program"], pid)
    match = _DOVECOT_OWN.match(text)
    if match:
        return _line(match, clock, None, "dovecot", None)
    match = _OWN_WITH_DATE.match(text)
    if match:
        dovecot = _DOVECOT_MESSAGE.match(match["message"])
        return _line(match, clock, None, "dovecot" if dovecot else "exim", match["pid"])
    raise MalformedLineError("no time or program")


def _line(
    match: re.Match[str], clock: Clock, host: str | None, program: str, pid: str | None
) -> LogLine:
    parts = match.groupdict()
    message = _OF_SOLARIS.sub("", parts["message"], count=1)
    if "unix" in parts:
        fraction = len(parts["unix"].partition(".")[2])
        return LogLine(float(parts["unix"]), 10.0**-fraction, host, program, pid, message)
    if "date" in parts:
        time = clock.with_date(parts["date"], parts["time"], parts["zone"])
    else:
        time = clock.without_year(parts["month"], parts["day"], parts["time"])
    fraction = len(parts["time"].partition(".")[2])
    return LogLine(time, 10.0**-fraction, host, program, pid, message)
