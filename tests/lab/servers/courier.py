"""Courier: POP3 and IMAP, implicit TLS, and an odd port."""

from __future__ import annotations

import re
from typing import ClassVar

from lab.accounts import ACCOUNTS
from lab.servers import maildir
from lab.servers.base import Join, LogFacts, Server

OWNER = 951
TCPD = "/usr/sbin/couriertcpd -address=0 -maxprocs=40 -maxperip=40 -nodnslookup"
TLS = """
COURIERTLS=/usr/bin/couriertls
TLS_CERTFILE=/etc/lab/both.pem
TLS_DHPARAMS=
TLS_VERIFYPEER=NONE
TLS_CACHEFILE=
"""
PROGRAMS = "/usr/lib/courier/courier"
SERVICES = {
    "imap": f"{PROGRAMS}/imaplogin /usr/bin/imapd Maildir",
    "pop3": f"{PROGRAMS}/courierpop3login {PROGRAMS}/courierpop3d Maildir",
}


class Courier(Server):
    """Courier with a user database."""

    name = "courier"
    inbox = "INBOX."
    packages = ("courier-imap", "courier-pop", "courier-authdaemon", "courier-authlib-userdb")
    ports: ClassVar[dict[int, str]] = {
        110: "pop3",
        995: "pop3s",
        143: "imap",
        993: "imaps",
        1430: "imap-odd",
    }
    features = frozenset(["STLS", "STARTTLS", "TLS", "SASL", "IDLE", "retry"])

    def configure(self) -> None:
        self.root.user("courier", 950)
        self.root.user("mailbox", OWNER, "/var/mail")
        files = [
            (self.root.path / "etc/lab" / name).read_text() for name in ("server.pem", "server.key")
        ]
        self.root.file("/etc/lab/both.pem", "".join(files))
        self.root.file(
            "/etc/courier/authdaemonrc",
            'authmodulelist="authuserdb"\nauthmodulelistorig="authuserdb"\ndaemons=2\n'
            'authdaemonvar=/run/courier/authdaemon\nDEBUG_LOGIN=0\nDEFAULTOPTIONS=""\nLOGGEROPTS=""\n',
        )
        users = ""
        for account in ACCOUNTS:
            home = f"/var/mail/{account.name}"
            self.root.folder(home, OWNER, OWNER)
            hashed = self.command("openssl", "passwd", "-6", account.password).strip()
            fields = f"uid={OWNER}|gid={OWNER}|home={home}|mail={home}/Maildir|systempw={hashed}"
            users += f"{account.name}\t{fields}|hmac-md5pw=\n"
        self.root.file("/etc/courier/userdb", users.replace("|hmac-md5pw=", ""), 0o600)
        maildir.fill(self.root, "/var/mail/alice/Maildir", OWNER)
        self.command("maildirmake.courier", "/var/mail/bob/Maildir")
        self.command("chown", "-R", f"{OWNER}:{OWNER}", "/var/mail/bob")
        self.command("makeuserdb")
        self.root.folder("/run/courier/authdaemon", 950, 950)

    def start(self) -> None:
        # Up to Debian 12 it asks the client who it is (RFC 1413), unless told not to.
        listen = f"{TCPD} -noidentlookup" if self.version.startswith("5.0.") else TCPD
        self.spawn(
            "sh",
            "-c",
            "set -a; . /etc/courier/authdaemonrc; "
            "exec /usr/lib/courier/courier-authlib/authdaemond",
        )
        for port, service in self.ports.items():
            kind = service[:4]
            file = "imapd" if kind == "imap" else "pop3d"
            upper = "IMAP" if kind == "imap" else "POP3"
            variables = f"set -a; . /etc/courier/{file}; . /etc/courier/{file}-ssl; {TLS.strip()}\n"
            variables += 'POP3AUTH="PLAIN LOGIN"\nPOP3_STARTTLS=YES\nIMAP_STARTTLS=YES\n'
            variables += "MAILDIRPATH=Maildir\n"
            variables += 'IMAP_CAPABILITY="$IMAP_CAPABILITY AUTH=PLAIN"\nDEBUG_LOGIN=0\n'
            if service.endswith("s"):
                variables += f"{upper}_TLS=1\n{upper}_STARTTLS=NO\n"
            wrapped = "/usr/bin/couriertls -server -tcpd " if service.endswith("s") else ""
            self.spawn("sh", "-c", f"{variables}\nexec {listen} {port} {wrapped}{SERVICES[kind]}")

    def log(self) -> list[str]:
        return [line.rstrip("\n") for line in [*self.output, *self.syslog.lines]]

    def log_facts(self, join: Join) -> LogFacts:
        own = [line for line in self.log() if f"port=[{join.port}]" in line]
        users = [match[1] for line in own if (match := re.search(r"LOGIN, user=([^,]+)", line))]
        failed = any("LOGIN FAILED" in line for line in own)
        return LogFacts(
            user=users[-1] if users else None,
            auth_result="success" if users else "failure" if failed else None,
            lines=tuple(own),
        )
