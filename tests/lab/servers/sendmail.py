"""Sendmail: SMTP on 25 and an odd port."""

from __future__ import annotations

import os
import re
from typing import ClassVar

from lab.accounts import ACCOUNTS, DOMAIN
from lab.servers.base import Join, LogFacts, Server

CONFIGURATION = """
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
define(`confDOMAIN_NAME', `{host}')dnl
define(`confLOG_LEVEL', `20')dnl
define(`confAUTH_MECHANISMS', `PLAIN LOGIN CRAM-MD5')dnl
TRUST_AUTH_MECH(`PLAIN LOGIN CRAM-MD5')dnl
define(`confCACERT_PATH', `/etc/ssl/certs')dnl
define(`confCACERT', `/etc/lab/server.pem')dnl
define(`confSERVER_CERT', `/etc/lab/server.pem')dnl
define(`confSERVER_KEY', `/etc/lab/sendmail.key')dnl
define(`confTLS_SRV_OPTIONS', `V')dnl
define(`confMAX_MESSAGE_SIZE', `200000')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confRUN_AS_USER', `smmta:smmta')dnl
define(`confTRUSTED_USER', `smmta')dnl
define(`confTO_IDENT', `0')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confDELIVERY_MODE', `queueonly')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
DAEMON_OPTIONS(`Family=inet, Name=MTA, Port=25')dnl
DAEMON_OPTIONS(`Family=inet, Name=Odd, Port=2525')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
LOCAL_CONFIG
Cw{domain} {host} plain.{host}
"""

SASL = """
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: /etc/lab/sasldb2
mech_list: PLAIN LOGIN CRAM-MD5
"""


class Sendmail(Server):
    """Sendmail that queues what it takes."""

    name = "sendmail"
    packages = (
        *("sendmail-bin", "sendmail-base", "sendmail-cf", "m4"),
        *("sasl2-bin", "libsasl2-modules", "libsasl2-modules-db"),
    )
    six = False
    ports: ClassVar[dict[int, str]] = {25: "smtp", 2525: "smtp-odd"}
    features = frozenset(
        ["PIPELINING", "8BITMIME", "DSN", "STARTTLS", "TLS", "AUTH", "CRAM-MD5", "EHLO-AGAIN"]
    )

    def configure(self) -> None:
        self.root.user("smmta", 941, "/var/lib/sendmail")
        self.root.user("smmsp", 942, "/var/lib/sendmail")
        values = {"host": self.host, "domain": DOMAIN}
        self.root.file("/etc/mail/lab.mc", CONFIGURATION.format(**values))
        self.root.file("/etc/mail/local-host-names", f"{DOMAIN}\n{self.host}\n")
        self.root.file("/etc/mail/aliases", "")
        self.root.file("/etc/mail/trusted-users", "")
        key = (self.root.path / "etc/lab/server.key").read_text()
        os.chown(self.root.file("/etc/lab/sendmail.key", key, 0o600), 941, 941)
        for folder in ("/etc/mail/sasl", "/usr/lib/sasl2", "/etc/sasl2"):
            self.root.file(f"{folder}/Sendmail.conf", SASL)
        for account in ACCOUNTS:
            self.command(
                "sh",
                "-c",
                f"echo '{account.password}' | saslpasswd2 -p -c -f /etc/lab/sasldb2 "
                f"-u {self.host} {account.name}",
            )
        os.chown(self.root.path / "etc/lab/sasldb2", 941, 941)
        for folder in (
            "/var/spool/mqueue",
            "/var/lib/sendmail",
            "/var/lib/sendmail/host_status",
            "/run/sendmail/mta",
        ):
            self.root.folder(folder, 941, 941, 0o700)
        self.root.file("/etc/mail/sendmail.cf", self.command("m4", "/etc/mail/lab.mc"))

    def start(self) -> None:
        self.spawn("/usr/libexec/sendmail/sendmail", "-bD", "-q1h")

    def log_facts(self, join: Join) -> LogFacts:
        """The log knows no ports: sessions are joined by their order."""
        lines = self.log()
        starts = [
            match[1]
            for line in lines
            if (match := re.match(r"sendmail\[(\d+)\]: NOQUEUE: connect from ", line))
        ]
        own = [
            line
            for line in lines
            if join.number < len(starts) and f"sendmail[{starts[join.number]}]" in line
        ]
        taken = [line for line in own if re.search(r": from=.*, nrcpts=[1-9].*msgid=", line)]
        senders = {
            match[1] or "<>" for line in taken if (match := re.search(r": from=<?(.*?)>?, ", line))
        }
        users = [match[1] for line in own if (match := re.search(r"authid=([^,@]+)", line))]
        failed = any("AUTH failure" in line for line in own)
        names = [match[1] for line in own if (match := re.search(r"<-- (?:EHLO|HELO) (\S+)", line))]
        return LogFacts(
            mailfrom=tuple(sorted(senders)),
            user=users[-1] if users else None,
            auth_result="success" if users else "failure" if failed else None,
            messages=len(taken),
            helo=names[-1] if names else None,
            tls=any("STARTTLS=server" in line for line in own),
            lines=tuple(own),
        )
