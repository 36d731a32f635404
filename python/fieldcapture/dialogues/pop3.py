"""POP3 sessions (RFC 1939, 2449, 2595, 5034)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import md5
from random import Random

from .. import messages, names
from ..dialogue import Builder, Closing, Dialogue, Script, Stage, StartTls
from . import tls
from .smtp_script import base64, header_fields

PORT = 110


@dataclass(frozen=True, slots=True)
class Pop3Server:
    greeting: str
    user_ok: str
    logged_in: str
    login_failed: str
    bye: str
    tls_ready: str
    tls_refused: str


SERVERS = (
    Pop3Server(
        greeting="+OK Dovecot ready. <{stamp}@{host}>",
        user_ok="+OK",
        logged_in="+OK Logged in.",
        login_failed="-ERR [AUTH] Authentication failed.",
        bye="+OK Logging out.",
        tls_ready="+OK Begin TLS negotiation now.",
        tls_refused="-ERR TLS support isn't enabled.",
    ),
    Pop3Server(
        greeting="+OK Qpopper (version 4.1.0) at {host} starting.  <{stamp}@{host}>",
        user_ok="+OK Password required for {user}.",
        logged_in="+OK {user} has 3 visible messages (0 hidden) in 5120 octets.",
        login_failed='-ERR [AUTH] Password supplied for "{user}" is incorrect.',
        bye="+OK Pop server at {host} signing off.",
        tls_ready="+OK STLS",
        tls_refused="-ERR STLS not available",
    ),
    Pop3Server(
        greeting="+OK POP3 {host} v2007e.104 server ready <{stamp}@{host}>",
        user_ok="+OK User name accepted, password please",
        logged_in="+OK Mailbox open, 3 messages",
        login_failed="-ERR Bad login",
        bye="+OK Sayonara",
        tls_ready="+OK STLS completed",
        tls_refused="-ERR STLS support not compiled in",
    ),
    Pop3Server(
        greeting="+OK The Microsoft Exchange POP3 service is ready. <{stamp}@{host}>",
        user_ok="+OK",
        logged_in="+OK User successfully logged on.",
        login_failed="-ERR Logon failure: unknown user name or bad password.",
        bye="+OK Microsoft Exchange Server POP3 server signing off.",
        tls_ready="+OK Begin TLS negotiation.",
        tls_refused="-ERR Command is not valid in this state. TLS not available",
    ),
    Pop3Server(
        greeting="+OK Gpop ready for requests from 192.0.2.77 <{stamp}@{host}>",
        user_ok="+OK send PASS",
        logged_in="+OK Welcome.",
        login_failed="-ERR [AUTH] Username and password not accepted.",
        bye="+OK Farewell.",
        tls_ready="+OK Begin TLS",
        tls_refused="-ERR TLS not available",
    ),
)
CAPABILITIES = (
    "TOP",
    "UIDL",
    "RESP-CODES",
    "PIPELINING",
    "AUTH-RESP-CODE",
    "USER",
    "SASL PLAIN LOGIN",
)


class Pop3Script(Script):
    def __init__(self, kind: str, rng: Random) -> None:
        super().__init__(kind, "pop3", PORT)
        self.rng = rng
        self.flavour = rng.choice(SERVERS)
        self.host = names.host(rng)
        self.user = names.user(rng)
        self.stamp = f"{rng.randrange(10**5)}.{rng.randrange(10**10)}"

    def reply(self, text: str, **shown: object) -> None:
        self.server(text.format(host=self.host, user=self.user, stamp=self.stamp), **shown)

    def greet(self) -> None:
        self.reply(self.flavour.greeting, stage=Stage.GREETING, decisive=True)

    def capabilities(self, stls: bool) -> None:
        self.late_start()
        self.client("CAPA", command=True, stage=Stage.HELLO, decisive=True)
        listed = [*CAPABILITIES, "STLS"] if stls else CAPABILITIES
        self.reply(
            "\r\n".join(("+OK Capability list follows", *listed, ".")),
            stage=Stage.HELLO,
            starttls=StartTls.OFFERED if stls else StartTls.NONE,
            decisive=True,
        )

    def login(self, succeeds: bool = True) -> None:
        self.late_start()
        self.client(
            f"USER {self.user}", command=True, stage=Stage.AUTH, auth="USER", user=self.user
        )
        self.reply(self.flavour.user_ok, stage=Stage.AUTH)
        self.client(f"PASS {names.secret(self.rng)}", command=True, stage=Stage.AUTH)
        self.outcome(succeeds)

    def outcome(self, succeeds: bool) -> None:
        answer = self.flavour.logged_in if succeeds else self.flavour.login_failed
        self.reply(answer, stage=Stage.AUTH, login=succeeds)

    def listing(self) -> None:
        self.client("STAT", command=True, stage=Stage.ENVELOPE)
        self.reply("+OK 3 5120", stage=Stage.ENVELOPE)
        self.client("UIDL", command=True, stage=Stage.ENVELOPE, decisive=True)
        self.reply("+OK\r\n1 aa11\r\n2 bb22\r\n3 cc33\r\n.", stage=Stage.ENVELOPE)
        self.client("LIST", command=True, stage=Stage.ENVELOPE)
        self.reply("+OK 3 messages:\r\n1 1200\r\n2 1900\r\n3 2020\r\n.", stage=Stage.ENVELOPE)

    def retrieve(self, command: str, style: str, lossy: bool, body: bytes | None = None) -> None:
        letter = messages.message(
            self.rng, names.address(self.rng), names.addresses(self.rng), style, body=body
        )
        self.client(command, command=True, stage=Stage.DATA, decisive=command.startswith("TOP"))
        self.reply(f"+OK {len(letter.header + letter.body)} octets", stage=Stage.DATA, push=False)
        self.server(messages.dot_stuffed(letter.header), push=False, **header_fields(letter))
        self.server(messages.dot_stuffed(letter.body), push=False, lossy=lossy)
        self.server(".", messages=1, stage=Stage.RETRIEVED)

    def quit(self) -> None:
        self.client("QUIT", command=True, logout=True)
        self.reply(self.flavour.bye, logout=True)


def opened(kind: str, rng: Random) -> Pop3Script:
    script = Pop3Script(kind, rng)
    script.greet()
    if rng.random() < 0.5:
        script.capabilities(stls=rng.random() < 0.5)
    return script


def login_only(rng: Random) -> Dialogue:
    script = opened("pop3_login_only", rng)
    script.login()
    script.quit()
    return script.dialogue()


def login_failed(rng: Random) -> Dialogue:
    script = opened("pop3_login_failed", rng)
    script.login(succeeds=False)
    script.quit()
    return script.dialogue(Closing.SERVER_FIN)


def listing(rng: Random) -> Dialogue:
    script = opened("pop3_list", rng)
    script.login()
    script.listing()
    script.quit()
    return script.dialogue()


def apop(rng: Random) -> Dialogue:
    script = Pop3Script("pop3_apop", rng)
    script.greet()
    digest = md5(names.secret(rng).encode(), usedforsecurity=False).hexdigest()
    script.late_start()
    script.client(
        f"APOP {script.user} {digest}",
        command=True,
        stage=Stage.AUTH,
        auth="APOP",
        user=script.user,
        decisive=True,
    )
    script.outcome(succeeds=True)
    script.quit()
    return script.dialogue()


def authenticated(rng: Random) -> Dialogue:
    """RFC 5034: AUTH PLAIN with and without initial response, AUTH LOGIN."""
    script = Pop3Script("pop3_auth", rng)
    script.greet()
    script.capabilities(stls=False)
    plain = base64(f"\0{script.user}\0{names.secret(rng)}")
    shown = {"stage": Stage.AUTH, "command": True}
    way = rng.choice(("initial", "plain", "login"))
    if way == "initial":
        script.client(f"AUTH PLAIN {plain}", auth="PLAIN", user=script.user, **shown)
    elif way == "plain":
        script.client("AUTH PLAIN", auth="PLAIN", **shown)
        script.reply("+ ", stage=Stage.AUTH)
        script.client(plain, user=script.user)
    else:
        script.client("AUTH LOGIN", auth="LOGIN", **shown)
        script.reply("+ VXNlcm5hbWU6", stage=Stage.AUTH)
        script.client(base64(script.user), user=script.user)
        script.reply("+ UGFzc3dvcmQ6", stage=Stage.AUTH)
        script.client(base64(names.secret(rng)))
    script.outcome(succeeds=True)
    script.quit()
    return script.dialogue()


def capabilities_only(rng: Random) -> Dialogue:
    script = Pop3Script("pop3_capa", rng)
    script.greet()
    script.capabilities(stls=True)
    if rng.random() < 0.5:
        script.quit()
    return script.dialogue()


def greeting_only(rng: Random) -> Dialogue:
    script = Pop3Script("pop3_greeting_only", rng)
    script.greet()
    return script.dialogue()


def retrieved(rng: Random) -> Dialogue:
    script = opened("pop3_retr", rng)
    script.login()
    script.listing()
    for number in range(1, rng.randrange(2, 5)):
        script.retrieve(f"RETR {number}", rng.choice(("plain", "encoded")), lossy=True)
        if rng.random() < 0.5:
            script.client(f"DELE {number}", command=True)
            script.reply(f"+OK message {number} deleted")
    script.quit()
    return script.dialogue()


def retrieved_decoy(rng: Random) -> Dialogue:
    """A message whose body looks like protocol, and one whose lines begin with dots."""
    script = opened("pop3_retr_decoy", rng)
    script.login()
    script.listing()
    script.retrieve("RETR 1", "plain", lossy=False, body=messages.decoy_body(rng))
    script.retrieve("RETR 2", "plain", lossy=False, body=messages.dotted_body(rng))
    script.quit()
    return script.dialogue()


def top(rng: Random) -> Dialogue:
    script = opened("pop3_top", rng)
    script.login()
    script.retrieve("TOP 1 5", "plain", lossy=False, body=b"first line\r\nsecond line\r\n")
    script.quit()
    return script.dialogue()


def _upgrade_requested(kind: str, rng: Random) -> Pop3Script:
    script = Pop3Script(kind, rng)
    script.greet()
    if rng.random() < 0.7:
        script.capabilities(stls=True)
    script.client(
        "STLS", command=True, stage=Stage.HELLO, starttls=StartTls.REQUESTED, decisive=True
    )
    return script


def stls(rng: Random) -> Dialogue:
    script = _upgrade_requested("pop3_stls", rng)
    script.reply(script.flavour.tls_ready, starttls=StartTls.ACCEPTED)
    return tls.upgrade(script, rng, script.host)


def stls_refused(rng: Random) -> Dialogue:
    script = _upgrade_requested("pop3_stls_refused", rng)
    script.reply(script.flavour.tls_refused, starttls=StartTls.REFUSED)
    script.login()
    script.quit()
    return script.dialogue()


BUILDERS: dict[str, Builder] = {
    "pop3_login_only": login_only,
    "pop3_login_failed": login_failed,
    "pop3_list": listing,
    "pop3_apop": apop,
    "pop3_auth": authenticated,
    "pop3_capa": capabilities_only,
    "pop3_greeting_only": greeting_only,
    "pop3_retr": retrieved,
    "pop3_retr_decoy": retrieved_decoy,
    "pop3_top": top,
    "pop3_stls": stls,
    "pop3_stls_refused": stls_refused,
}
