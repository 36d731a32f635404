"""The steps of an SMTP session (RFC 5321, 4954), said in the words of one server."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from random import Random

from .. import messages, names
from ..dialogue import Script, Stage, StartTls
from ..messages import Message
from .smtp_servers import SERVERS, STARTTLS, SmtpServer

PORT = 25


class SmtpScript(Script):
    """A session with one server, step by step."""

    def __init__(self, kind: str, rng: Random, server: SmtpServer | None = None) -> None:
        super().__init__(kind, "smtp", PORT)
        self.rng = rng
        self.flavour = server or rng.choice(SERVERS)
        self.host = names.host(rng)
        self.client_host = names.client_host(rng)

    def reply(self, text: str, **shown: object) -> None:
        queue_id = f"{self.rng.randrange(16**10):010X}"
        self.server(text.format(host=self.host, client=self.client_host, id=queue_id), **shown)

    def greet(self) -> None:
        self.reply(self.flavour.greeting, stage=Stage.GREETING, decisive=True)

    def hello(self, offers: Iterable[str] = (), verb: str = "EHLO") -> None:
        """The client's hello, and the answer with the server's extensions and those of `offers`."""
        self.late_start()
        self.client(
            f"{verb} {self.client_host}",
            helo=self.client_host,
            stage=Stage.HELLO,
            command=True,
            decisive=True,
        )
        if verb == "HELO":
            self.reply(f"250 {self.flavour.hello}", stage=Stage.HELLO)
            return
        lines = [self.flavour.hello, *self.flavour.extensions, *offers]
        text = "\r\n".join(f"250-{text}" for text in lines[:-1]) + f"\r\n250 {lines[-1]}"
        offered = StartTls.OFFERED if {STARTTLS, "X-ANONYMOUSTLS"} & set(lines) else StartTls.NONE
        self.reply(text, stage=Stage.HELLO, starttls=offered, decisive=True)

    def mail(self, sender: str, written: str | None = None, parameters: str = "") -> None:
        """MAIL for `sender`, which is `<>` for the null sender."""
        path = written or (sender if sender == "<>" else f"<{sender}>")
        self.late_start()
        self.client(
            f"MAIL FROM:{path}{parameters}",
            mailfrom=(sender,),
            stage=Stage.ENVELOPE,
            command=True,
            decisive=True,
        )
        self.reply(self.flavour.sender_ok, stage=Stage.ENVELOPE)

    def recipient(
        self, recipient: str, written: str | None = None, reply: str | None = None
    ) -> None:
        path = written or f"<{recipient}>"
        self.client(
            f"RCPT TO:{path}",
            rcptto=(recipient,),
            stage=Stage.ENVELOPE,
            command=True,
            decisive=True,
        )
        self.reply(reply or self.flavour.recipient_ok, stage=Stage.ENVELOPE)

    def envelope(self, sender: str, recipients: Iterable[str], parameters: str = "") -> None:
        self.mail(sender, parameters=parameters)
        for recipient in recipients:
            self.recipient(recipient)

    def data(self, message: Message, lossy: bool = True) -> None:
        self.client("DATA", stage=Stage.DATA, command=True)
        self.reply(self.flavour.data, stage=Stage.DATA)
        self.client(messages.dot_stuffed(message.header), push=False, **header_fields(message))
        self.client(messages.dot_stuffed(message.body), push=False, lossy=lossy)
        self.client(".", messages=1, stage=Stage.DELIVERED)
        self.reply(self.flavour.queued, messages=1, stage=Stage.DELIVERED)

    def quit(self) -> None:
        self.client("QUIT", command=True, logout=True)
        self.reply(self.flavour.bye, logout=True)


def header_fields(message: Message) -> dict[str, object]:
    """What a message's header shows, in the terms of `Shown`."""
    return {
        "from_": message.from_,
        "to": message.to,
        "subject": message.subject,
        "user_agent": message.user_agent,
    }


def authenticate(script: SmtpScript, rng: Random, succeeds: bool) -> None:
    """RFC 4954, with each mechanism's own number of steps."""
    user, secret = names.user(rng), names.secret(rng)
    mechanism = rng.choice(("PLAIN", "PLAIN in steps", "LOGIN", "CRAM-MD5", "XOAUTH2"))
    plain = base64(f"\0{user}\0{secret}")
    steps: tuple[str, ...]
    if mechanism == "PLAIN":
        steps = (f"AUTH PLAIN {plain}",)
    elif mechanism == "PLAIN in steps":
        steps = ("AUTH PLAIN", plain)
    elif mechanism == "LOGIN":
        steps = ("AUTH LOGIN", base64(user), base64(secret))
    elif mechanism == "CRAM-MD5":
        steps = ("AUTH CRAM-MD5", base64(f"{user} {rng.randrange(16**32):032x}"))
    else:
        steps = ("AUTH XOAUTH2 " + base64(f"user={user}\1auth=Bearer {secret}\1\1"),)
    challenges = {"LOGIN": ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6")}.get(mechanism, ("334 ",) * 2)
    name = mechanism.split()[0]
    user_step = min(1, len(steps) - 1)
    for index, step in enumerate(steps):
        script.client(
            step,
            auth=name,
            user=user if index == user_step else None,
            stage=Stage.AUTH,
            command=index == 0,
        )
        if index < len(steps) - 1:
            script.reply(challenges[index], stage=Stage.AUTH)
    outcome = script.flavour.authenticated if succeeds else script.flavour.not_authenticated
    script.reply(outcome, login=succeeds, stage=Stage.AUTH)


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()
