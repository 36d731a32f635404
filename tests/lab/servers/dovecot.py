"""Dovecot: POP3 and IMAP with Debian's default greeting, LMTP, implicit TLS, and odd ports."""

from __future__ import annotations

import re
from typing import ClassVar

from lab.accounts import ACCOUNTS, DOMAIN
from lab.servers import maildir
from lab.servers.base import Join, LogFacts, Server

EVERY_VERSION = """
base_dir = /run/dovecot
protocols = imap pop3 lmtp
listen = *, ::
log_path = syslog
auth_verbose = yes
auth_failure_delay = 0
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 {mechanisms}
ssl = yes
first_valid_uid = 500
mail_uid = vmail
mail_gid = vmail
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
BEFORE_2_4 = """
auth_username_format = %Ln
disable_plaintext_auth = no
ssl_cert = </etc/lab/server.pem
ssl_key = </etc/lab/server.key
ssl_dh = </usr/share/dovecot/dh.pem
mail_location = maildir:/var/mail/%n
mail_plugins = notify
login_log_format_elements = user=<%u> method=%m rip=%r lip=%l rport=%b %c session=<%{{session}}>
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
"""
SINCE_2_4 = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
auth_username_format = %{{user | username | lower}}
auth_allow_cleartext = yes
ssl_server_cert_file = /etc/lab/server.pem
ssl_server_key_file = /etc/lab/server.key
mail_driver = maildir
mail_path = /var/mail/%{{user | username}}
mail_plugins {{
  notify = yes
}}
login_log_format_elements = user=<%{{user}}> method=%{{mechanism}} rip=%{{remote_ip}} \\
  rport=%{{remote_port}} %{{secured}} session=<%{{session}}>
pop3_logout_format = top=%{{top_count}}/%{{top_bytes}}, retr=%{{retr_count}}/%{{retr_bytes}}
passdb passwd-file {{
  default_password_scheme = plain
  passwd_file_path = /etc/dovecot/users
}}
oauth2 {{
  introspection_mode = auth
  introspection_url = http://127.0.0.1:9/
}}
passdb oauth2 {{
  mechanisms_filter = xoauth2 oauthbearer
}}
userdb static {{
  fields {{
    uid = vmail
    gid = vmail
    home = /var/mail/%{{user | username}}
  }}
}}
protocol imap {{
  mail_max_userip_connections = 1000
}}
"""
"""Dovecot 2.4 is configured in other words."""


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
        for number, name in enumerate(("dovecot", "dovenull", "vmail"), 921):
            self.root.user(name, number)
        older = re.match(r"\d+:2\.[0-3]\.", self.version)
        configuration = (BEFORE_2_4 if older else SINCE_2_4) + EVERY_VERSION
        values = {"domain": DOMAIN, "mechanisms": self.mechanisms}
        self.root.file("/etc/dovecot/dovecot.conf", configuration.format(**values))
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
            *("/usr/lib/dovecot/imap", "-u", "alice"),
        ]
        self.spawn_for_each_connection(1431, *command)
