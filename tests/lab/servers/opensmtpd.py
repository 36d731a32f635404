"""OpenSMTPD: SMTP on 25 and an odd port, implicit TLS on 465. It offers AUTH only inside TLS."""

from __future__ import annotations

import re
from typing import ClassVar

from lab.accounts import DOMAIN
from lab.servers.base import Join, LogFacts, Server

CONFIGURATION = """
pki {host} cert "/etc/lab/server.pem"
pki {host} key "/etc/lab/smtpd.key"
queue ttl 1h
smtp max-message-size 200K
table aliases {{ postmaster = alice }}
listen on 0.0.0.0 port 25 tls pki {host} hostname {host}
listen on :: port 25 tls pki {host} hostname {host}
listen on 0.0.0.0 port 2525 tls pki {host} hostname {host}
listen on 0.0.0.0 port 465 smtps pki {host} hostname {host}
filter "policy" phase mail-from match mail-from regex {{ "banned@.*" }} reject "550 Sender banned"
action "keep" maildir "/home/%{{user.username}}/Maildir" alias <aliases>
match from any for domain {{ "{domain}", "{host}", "plain.{host}" }} action "keep"
"""


class OpenSmtpd(Server):
    """OpenSMTPD that delivers to folders."""

    name = "opensmtpd"
    packages = ("opensmtpd",)
    ports: ClassVar[dict[int, str]] = {25: "smtp", 465: "smtps", 2525: "smtp-odd"}
    features = frozenset(["8BITMIME", "DSN", "STARTTLS", "TLS-FAILS"])

    def configure(self) -> None:
        self.root.user("opensmtpd", 931, "/var/lib/opensmtpd/empty")
        self.root.user("opensmtpq", 932)
        self.root.folder("/var/lib/opensmtpd/empty")
        self.root.folder("/var/spool/smtpd", mode=0o711)
        key = (self.root.path / "etc/lab/server.key").read_text()
        self.root.file("/etc/lab/smtpd.key", key, 0o600)
        values = {"host": self.host, "domain": DOMAIN}
        self.root.file("/etc/lab/smtpd.conf", CONFIGURATION.format(**values))

    def start(self) -> None:
        self.spawn("smtpd", "-F", "-f", "/etc/lab/smtpd.conf")

    def log(self) -> list[str]:
        return [line.partition(": ")[2] for line in self.syslog.lines]  # without program and PID

    def log_facts(self, join: Join) -> LogFacts:
        """The log knows no ports: sessions are joined by their order."""
        lines = self.log()
        starts = [
            line.split(" ")[0]
            for line in lines
            if " smtp connected " in line and "=local" not in line
        ]
        own = [
            line
            for line in lines
            if join.number < len(starts) and line.startswith(starts[join.number])
        ]
        taken = [line for line in own if " smtp message " in line]
        found = [re.search(r" smtp envelope .* from=<(.*?)> to=<(.*?)>", line) for line in own]
        senders = {match[1] or "<>" for match in found if match}
        recipients = {match[2] for match in found if match}
        return LogFacts(
            mailfrom=tuple(sorted(senders)),
            rcptto=tuple(sorted(recipients)),
            messages=len(taken),
            tls=any(" smtp tls " in line for line in own),
            lines=tuple(own),
        )
