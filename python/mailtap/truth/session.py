"""What a mail server's own log says of one session with a client."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailtap.printable import printable

#: Longest text kept of a log's field, and most entries of a list. RFC 5321 section 4.5.3.1 has a
#: path of 256 octets, and recipients of one message by the hundred.
MAXIMUM_TEXT = 512
MAXIMUM_ENTRIES = 1_000


@dataclass(frozen=True)
class Rejection:
    """A command that the server refused.

    `command` is `connect` where the client was refused before it gave one. `code` is the SMTP
    reply's, None where the log doesn't have it.
    """

    command: str
    code: int | None
    recipient: str | None = None


@dataclass(frozen=True)
class TruthSession:
    """One session as its server saw it. None and empty tuples: the log doesn't say.

    software    `postfix`, `exim`, `dovecot`, `opensmtpd` or `sendmail`
    protocol    `smtp`, `lmtp`, `pop3` or `imap`
    start, end  seconds since 1970; each may lie later than what happened by as much as the server
                waited before it wrote the line, and earlier by `resolution`, to which it rounds
    whole       both the beginning and the end of the session are in the log. Else start and end are
                of the lines that are there
    part        the log doesn't show which lines belong to one session: others may be of this one
    service     the server's name for the port or listener, such as `submission`
    outcome     how it ended: `quit`, `lost`, `timeout`, `refused`, `tls_failed`, `login` (handed
                over to the mailbox process, whose end isn't in the log) or another word
    order       running number by the sessions' first lines, which rounded times don't show
    messages    messages that the server took (SMTP)
    commands    command names in lower case, each with how many of them the server took, and all
    """

    software: str
    protocol: str
    start: float
    end: float
    resolution: float
    whole: bool
    part: bool = False
    order: int = 0
    host: str | None = None
    service: str | None = None
    client_h: str | None = None
    client_p: int | None = None
    server_h: str | None = None
    server_p: int | None = None
    helo: str | None = None
    mailfrom: tuple[str, ...] = ()
    rcptto: tuple[str, ...] = ()
    queue_ids: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    messages: int | None = None
    user: str | None = None
    auth: str | None = None
    auth_result: str | None = None
    tls: bool | None = None
    tls_version: str | None = None
    tls_cipher: str | None = None
    outcome: str | None = None
    rejections: tuple[Rejection, ...] = ()
    commands: tuple[tuple[str, int, int], ...] = ()


@dataclass(slots=True)
class Draft:
    """A session of which more lines may come.

    `earlier`: what may be its beginning, taken for another session so far.
    """

    software: str
    protocol: str
    start: float
    end: float
    resolution: float
    began: bool = False
    ended: bool = False
    part: bool = False
    order: int = 0
    host: str | None = None
    service: str | None = None
    client_h: str | None = None
    client_p: int | None = None
    server_h: str | None = None
    server_p: int | None = None
    helo: str | None = None
    user: str | None = None
    auth: str | None = None
    auth_result: str | None = None
    tls: bool | None = None
    tls_version: str | None = None
    tls_cipher: str | None = None
    outcome: str | None = None
    messages: int | None = None
    mailfrom: dict[str, None] = field(default_factory=dict)
    rcptto: dict[str, None] = field(default_factory=dict)
    queue_ids: dict[str, None] = field(default_factory=dict)
    message_ids: dict[str, None] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    commands: tuple[tuple[str, int, int], ...] = ()
    earlier: Draft | None = None

    def finished(self) -> TruthSession:
        """The session as far as the log has it."""
        return TruthSession(
            software=self.software,
            protocol=self.protocol,
            start=self.start,
            end=self.end,
            resolution=self.resolution,
            whole=self.began and self.ended,
            part=self.part,
            order=self.order,
            host=self.host,
            service=self.service,
            client_h=self.client_h,
            client_p=self.client_p,
            server_h=self.server_h,
            server_p=self.server_p,
            helo=self.helo,
            mailfrom=tuple(self.mailfrom),
            rcptto=tuple(self.rcptto),
            queue_ids=tuple(self.queue_ids),
            message_ids=tuple(self.message_ids),
            messages=self.messages,
            user=self.user,
            auth=self.auth,
            auth_result=self.auth_result,
            tls=self.tls,
            tls_version=self.tls_version,
            tls_cipher=self.tls_cipher,
            outcome=self.outcome,
            rejections=tuple(self.rejections),
            commands=self.commands,
        )

    def reject(self, rejection: Rejection) -> None:
        """Keep a refused command, of the first so many."""
        if len(self.rejections) < MAXIMUM_ENTRIES:
            self.rejections.append(rejection)

    def took_tls(self, version: str | None, cipher: str | None) -> None:
        """Keep what TLS was agreed on; the last one counts."""
        self.tls, self.tls_version, self.tls_cipher = True, version, cipher

    def login(self, user: str | None, mechanism: str | None, result: str) -> None:
        """Keep an attempt to log in; a success counts more than a failure."""
        if self.auth_result == "success" and result != "success":
            return
        self.user, self.auth, self.auth_result = user, mechanism, result


def add(entries: dict[str, None], text: str) -> None:
    """Keep a text once, of the first so many."""
    if len(entries) < MAXIMUM_ENTRIES:
        entries.setdefault(text)


def clean(text: str) -> str:
    """The text as it may be shown and kept: nothing invisible, and not too long."""
    return printable(text[:MAXIMUM_TEXT])


def path(address: str) -> str:
    """An envelope address as the session record has it: the null sender is `<>`."""
    return clean(address) if address else "<>"
