"""The steps of an IMAP session (RFC 9051, LITERAL+ 7888), in the words of several servers."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from .. import messages, names
from ..dialogue import Script, Stage, StartTls
from ..messages import Message

PORT = 143


@dataclass(frozen=True, slots=True)
class ImapServer:
    greeting: str
    capabilities: str
    logged_in: str
    login_failed: str
    bye: str
    tls_ready: str
    tls_refused: str


SERVERS = (
    ImapServer(
        greeting="* OK [CAPABILITY {capabilities}] Dovecot ready.",
        capabilities="IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN",
        logged_in="OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS COMPRESS=DEFLATE] Logged in",
        login_failed="NO [AUTHENTICATIONFAILED] Authentication failed.",
        bye="* BYE Logging out",
        tls_ready="OK Begin TLS negotiation now.",
        tls_refused="BAD TLS support isn't enabled.",
    ),
    ImapServer(
        greeting="* OK [CAPABILITY {capabilities}] {host} Cyrus IMAP v2.4.17 server ready",
        capabilities="IMAP4 IMAP4rev1 LITERAL+ ID ENABLE AUTH=PLAIN SASL-IR",
        logged_in="OK [CAPABILITY IMAP4 IMAP4rev1 LITERAL+ QUOTA] User logged in SESSIONID=<1>",
        login_failed="NO Login failed: authentication failure",
        bye="* BYE LOGOUT received",
        tls_ready="OK Begin TLS negotiation now",
        tls_refused="NO TLS not available",
    ),
    ImapServer(
        greeting="* OK [CAPABILITY {capabilities}] Courier-IMAP ready. See COPYING.",
        capabilities="IMAP4rev1 UIDPLUS CHILDREN NAMESPACE SORT QUOTA IDLE",
        logged_in="OK LOGIN Ok.",
        login_failed="NO Login failed.",
        bye="* BYE Courier-IMAP server shutting down",
        tls_ready="OK Begin SSL/TLS negotiation now.",
        tls_refused="NO STARTTLS failed: TLS not available",
    ),
    ImapServer(
        greeting="* OK The Microsoft Exchange IMAP4 service is ready.",
        capabilities="IMAP4 IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS ID UNSELECT IDLE LITERAL+",
        logged_in="OK LOGIN completed.",
        login_failed="NO LOGIN failed.",
        bye="* BYE Microsoft Exchange Server IMAP4 server signing off.",
        tls_ready="OK Begin TLS negotiation now.",
        tls_refused="BAD Command Error. TLS not available",
    ),
    ImapServer(
        greeting="* OK Gimap ready for requests from 192.0.2.77 IMAP4rev1",
        capabilities="IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST SASL-IR AUTH=PLAIN",
        logged_in="OK user authenticated (Success)",
        login_failed="NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
        bye="* BYE LOGOUT Requested",
        tls_ready="OK Begin TLS negotiation now.",
        tls_refused="NO TLS not available",
    ),
)


class ImapScript(Script):
    """A session with running tags, in the manner of one client or another."""

    def __init__(self, kind: str, rng: Random) -> None:
        super().__init__(kind, "imap", PORT)
        self.rng = rng
        self.flavour = rng.choice(SERVERS)
        self.host = names.host(rng)
        self.user = names.user(rng)
        self.tag_form = rng.choice(("a{}", "A{:04}", "{}", "tag{}", "a1b{}.x"))
        self.tags = 0
        self.lower = rng.random() < 0.3

    def greet(self, stls: bool = False, shown_in_full: bool = False) -> None:
        """The greeting; with capabilities where the server does so, or `shown_in_full`."""
        text = (
            "* OK [CAPABILITY {capabilities}] IMAP4 server ready"
            if shown_in_full
            else self.flavour.greeting
        )
        listed = "{capabilities}" in text
        self.server(
            text.format(host=self.host, capabilities=self.capabilities(stls)),
            stage=Stage.GREETING,
            starttls=StartTls.OFFERED if stls and listed else StartTls.NONE,
            decisive=True,
        )

    def capabilities(self, stls: bool) -> str:
        return self.flavour.capabilities + (" STARTTLS" if stls else "")

    def command(
        self, text: str, stage: Stage = Stage.CONNECT, decisive: bool = True, **shown: object
    ) -> None:
        self.tags += 1
        verb, _, rest = text.partition(" ")
        text = f"{verb.lower()} {rest}".rstrip() if self.lower else text
        self.client(f"{self.tag} {text}", command=True, stage=stage, decisive=decisive, **shown)

    @property
    def tag(self) -> str:
        return self.tag_form.format(self.tags)

    def reply(self, text: str, stage: Stage = Stage.CONNECT, **shown: object) -> None:
        """The tagged answer to the last command."""
        self.server(f"{self.tag} {text}", stage=stage, **shown)

    def capability(self, stls: bool) -> None:
        self.late_start()
        self.command("CAPABILITY", Stage.HELLO)
        self.server(
            f"* CAPABILITY {self.capabilities(stls)}",
            stage=Stage.HELLO,
            starttls=StartTls.OFFERED if stls else StartTls.NONE,
            decisive=True,
            push=False,
        )
        self.reply("OK Capability completed.", Stage.HELLO)

    def login(self, succeeds: bool = True) -> None:
        """LOGIN with quoted strings, or with literals of both kinds."""
        self.late_start()
        secret = names.secret(self.rng)
        way = self.rng.choice(("quoted", "quoted", "literal", "literal+"))
        if way == "quoted":
            self.command(
                f'LOGIN "{self.user}" "{secret}"', Stage.AUTH, auth="LOGIN", user=self.user
            )
        else:
            plus = "+" if way == "literal+" else ""
            self.command(f"LOGIN {{{len(self.user)}{plus}}}", Stage.AUTH, auth="LOGIN")
            if not plus:
                self.server("+ Ready for literal data", stage=Stage.AUTH)
            self.client(f"{self.user} {{{len(secret)}{plus}}}", user=self.user)
            if not plus:
                self.server("+ Ready for literal data", stage=Stage.AUTH)
            self.client(secret)
        self.outcome(succeeds)

    def outcome(self, succeeds: bool) -> None:
        self.reply(
            self.flavour.logged_in if succeeds else self.flavour.login_failed,
            Stage.AUTH,
            login=succeeds,
        )

    def select(self) -> None:
        self.command(self.rng.choice(("SELECT INBOX", 'EXAMINE "INBOX"')), Stage.ENVELOPE)
        self.server(
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen)\r\n* 3 EXISTS\r\n* 0 RECENT\r\n"
            "* OK [UIDVALIDITY 1700000000] UIDs valid",
            stage=Stage.ENVELOPE,
            decisive=True,
            push=False,
        )
        self.reply("OK [READ-WRITE] Select completed.", Stage.ENVELOPE)

    def logout(self) -> None:
        self.command("LOGOUT", logout=True)
        self.server(self.flavour.bye, logout=True, push=False)
        self.reply("OK Logout completed.", logout=True)

    def letter(self, style: str, body: bytes | None = None) -> Message:
        return messages.message(
            self.rng, names.address(self.rng), names.addresses(self.rng), style, body=body
        )
