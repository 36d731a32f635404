"""Dovecot: POP3 and IMAP with Debian's default greeting, LMTP, implicit TLS, and odd ports."""

from __future__ import annotations

import re
import sys
from typing import ClassVar

from lab.accounts import ACCOUNTS, DOMAIN
from lab.packages import PackagesError
from lab.servers import maildir
from lab.servers.base import Join, LogFacts, Server

CONFIGURATION = """
base_dir = /run/dovecot
protocols = imap pop3 lmtp
listen = *, ::
log_path = syslog
auth_verbose = yes
auth_username_format = %Ln
mail_debug = no
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 {more}
ssl = yes
ssl_cert = </etc/lab/server.pem
ssl_key = </etc/lab/server.key
ssl_dh = </usr/share/dovecot/dh.pem
first_valid_uid = 500
mail_location = maildir:/var/mail/%n
mail_uid = vmail
mail_gid = vmail
login_log_format_elements = user=<%u> method=%m rip=%r lip=%l rport=%b %c session=<%{{session}}>
auth_failure_delay = 0
mail_plugins = notify
passdb {{
  driver = passwd-file
  args = scheme=PLAIN /etc/dovecot/users
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = /etc/dovecot/oauth2.conf.ext
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home=/var/mail/%n
}}
protocol imap {{
  mail_plugins = imap_zlib notify
  mail_max_userip_connections = 1000
}}
protocol pop3 {{
  mail_max_userip_connections = 1000
}}
protocol lmtp {{
  postmaster_address = postmaster@{domain}
}}
namespace inbox {{
  inbox = yes
}}
service anvil {{
  client_limit = 1000
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  process_min_avail = 1
  inet_listener imap {{
    port = 143
  }}
  inet_listener imaps {{
    port = 993
    ssl = yes
  }}
  inet_listener imap-odd {{
    port = 1430
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = 110
  }}
  inet_listener pop3s {{
    port = 995
    ssl = yes
  }}
  inet_listener pop3-odd {{
    port = 1100
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = 24
  }}
}}
"""


class Dovecot(Server):
    """Dovecot with a password file."""

    name = "dovecot"
    packages = ("dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd")
    ports: ClassVar[dict[int, str]] = {
        110: "pop3",
        995: "pop3s",
        1100: "pop3-odd",
        143: "imap",
        993: "imaps",
        1430: "imap-odd",
    }
    features = frozenset(
        [
            "STLS",
            "STARTTLS",
            "TLS",
            "SASL",
            "OAUTH",
            "PIPELINING",
            "AUTH=LOGIN",
            "AUTH=CRAM-MD5",
            "SASL-IR",
            "LITERAL+",
            "IDLE",
            "COMPRESS",
            "NOTIFY",
            "QRESYNC",
            "retry",
        ]
    )

    mechanisms: ClassVar[str] = "xoauth2 oauthbearer"

    def configure(self) -> None:
        if re.match(r"\d+:2\.4", self.version):
            raise PackagesError("Dovecot 2.4 is configured in other words, still to be written")
        for number, name in enumerate(("dovecot", "dovenull", "vmail"), 921):
            self.root.user(name, number)
        values = {"domain": DOMAIN, "more": self.mechanisms}
        self.root.file("/etc/dovecot/dovecot.conf", CONFIGURATION.format(**values))
        self.root.file("/etc/dovecot/oauth2.conf.ext", "tokeninfo_url = http://127.0.0.1:9/\n")
        users = "".join(f"{account.name}:{account.password}::::::\n" for account in ACCOUNTS)
        self.root.file("/etc/dovecot/users", users)
        self.root.folder("/var/mail", 923, 923)

        maildir.fill(self.root, "/var/mail/alice", 923)

    def start(self) -> None:
        self.spawn("dovecot", "-F")

    def log_facts(self, join: Join) -> LogFacts:
        lines = self.log()
        login = [line for line in lines if re.search(rf"\brport={join.port}\b", line)]
        sessions = [match[1] for line in login if (match := re.search(r"session=<([^>]+)>", line))]
        own = [line for line in lines if any(f"<{session}>" in line for session in sessions)]
        users = [match[1] for line in login if (match := re.search(r" Login: user=<(.*?)>", line))]
        failed = any("auth failed" in line for line in login)
        counts = [
            sum(int(number) for number in match.groups())
            for line in own
            if (match := re.search(r"Logged out top=(\d+)/\d+, retr=(\d+)/", line))
        ]
        return LogFacts(
            user=users[-1] if users else None,
            auth_result="success" if users else "failure" if failed else None,
            messages=counts[-1] if counts else None,
            tls=any(re.search(r"\bTLS\b", line) is not None for line in login) if login else None,
            lines=tuple(dict.fromkeys(login + own)),
        )


ACCEPTOR = """
import socket, subprocess, sys
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
while True:
    connection, _ = listener.accept()
    subprocess.Popen(sys.argv[2:], stdin=connection, stdout=connection)
    connection.close()
"""


class DovecotApop(Dovecot):
    """Dovecot with APOP, so with a timestamp in POP3's greeting; LMTP, and IMAP with PREAUTH."""

    name = "dovecot-apop"
    mechanisms = "xoauth2 oauthbearer apop"
    ports: ClassVar[dict[int, str]] = {110: "pop3", 24: "lmtp", 1431: "imap-preauth"}
    features = Dovecot.features | {"APOP"}

    def start(self) -> None:
        super().start()
        command = [
            "env",
            "USER=alice",
            "HOME=/var/mail/alice",
            "setpriv",
            "--reuid=923",
            "--regid=923",
            "--clear-groups",
            "/usr/lib/dovecot/imap",
        ]
        self.spawn(sys.executable, "-c", ACCEPTOR, "1431", *command)
