"""Postfix: SMTP on 25, submission on 587, implicit TLS on 465, and an odd port."""

from __future__ import annotations

import re
from typing import ClassVar

from lab.accounts import ACCOUNTS, DOMAIN
from lab.isolation import CLIENT_ADDRESS
from lab.servers.base import Join, LogFacts, Server

MAIN = """
compatibility_level = 3.6
myhostname = {host}
mydomain = {domain}
mydestination = {domain}, {host}, plain.{host}
disable_dns_lookups = yes
smtp_tls_security_level = may
smtp_tls_policy_maps = regexp:/etc/postfix/tls_policy
mynetworks = 127.0.0.0/8
inet_interfaces = all
inet_protocols = all
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
smtpd_peername_lookup = no
smtpd_delay_reject = no
smtpd_client_port_logging = yes
smtpd_delay_open_until_valid_rcpt = no
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/lab/server.pem
smtpd_tls_key_file = /etc/lab/server.key
smtpd_tls_loglevel = 1
smtpd_sasl_auth_enable = yes
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain =
cyrus_sasl_config_path = /etc/postfix/sasl
broken_sasl_auth_clients = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access
  inline:{{ {{ busy@{domain} = 450 4.2.1 Mailbox busy }} }}
smtpd_sender_restrictions = check_sender_access
  inline:{{ {{ banned@{domain} = 550 5.7.1 Sender banned }},
    {{ drop@{domain} = 421 4.7.0 Come back later }} }}
smtpd_data_restrictions = check_sender_access
  inline:{{ {{ nodata@{domain} = 550 5.7.1 No data from you }} }}
smtpd_end_of_data_restrictions = check_sender_access
  inline:{{ {{ nodot@{domain} = 554 5.7.1 Message refused }} }}
smtpd_authorized_xclient_hosts = {client}
message_size_limit = 200000
alias_maps =
alias_database =
local_recipient_maps = inline:{{ alice=x, bob=x, postmaster=x }}
local_transport = discard:
smtputf8_enable = yes
smtp_host_lookup = native
maillog_file =
"""

MASTER = """
smtp      inet  n - n - - smtpd
2525      inet  n - n - - smtpd
587       inet  n - n - - smtpd
    -o smtpd_tls_auth_only=no
465       inet  n - n - - smtpd
    -o smtpd_tls_wrappermode=yes
2626      inet  n - n - - smtpd
    -o smtpd_tls_security_level=none
    -o smtpd_sasl_auth_enable=no
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
local     unix  - n n - - local
lmtp      unix  - - n - - lmtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
"""

TLS_POLICY = r"""
/^plain\./ none
"""

SASL = """
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: /etc/postfix/sasldb2
mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256
"""

VERB = re.compile(r" ([a-z]+)=(\d+)(?:/(\d+))?(?= |$)")


class Postfix(Server):
    """Postfix with Cyrus SASL's password database."""

    name = "postfix"
    packages = ("postfix", "sasl2-bin", "libsasl2-modules", "libsasl2-modules-db")
    ports: ClassVar[dict[int, str]] = {
        25: "smtp",
        587: "smtp",
        465: "smtps",
        2525: "smtp-odd",
        2626: "smtp-plain",
    }
    features = frozenset(
        [
            "PIPELINING",
            "CHUNKING",
            "8BITMIME",
            "SMTPUTF8",
            "DSN",
            "AUTH",
            "CRAM-MD5",
            "STARTTLS",
            "TLS",
            "policy",
            "drops",
            "XCLIENT",
            "BDAT-RSET",
            "EHLO-AGAIN",
        ]
    )

    def configure(self) -> None:
        self.root.user("postfix", 901, "/var/spool/postfix")
        self.root.user("postdrop", 902)
        values = {"host": self.host, "domain": DOMAIN, "client": CLIENT_ADDRESS}
        self.root.file("/etc/postfix/main.cf", MAIN.format(**values))
        self.root.file("/etc/postfix/master.cf", MASTER)
        self.root.file("/etc/postfix/tls_policy", TLS_POLICY)
        self.root.file("/etc/postfix/sasl/smtpd.conf", SASL)
        self.root.folder("/var/lib/postfix", 901, 901)
        for account in ACCOUNTS:
            self.command(
                "sh",
                "-c",
                f"echo '{account.password}' | saslpasswd2 -p -c -f /etc/postfix/sasldb2 "
                f"-u {self.host} {account.name}",
            )
        (self.root.path / "etc/postfix/sasldb2").chmod(0o644)

    def relay(self, sender: str, recipient: str, message: str) -> None:
        self.command("sendmail", "-i", "-f", sender, recipient, text=message)

    def start(self) -> None:
        self.spawn("postfix", "start-fg")

    def log_facts(self, join: Join) -> LogFacts:
        lines = self.log()
        own = [line for line in lines if f"]:{join.port}" in line and "smtpd[" in line]
        queue_ids = [
            match[1] for line in own if (match := re.search(r": ([0-9A-Za-z]+): client=", line))
        ]
        taken = [line for line in lines if any(f": {queue_id}: " in line for queue_id in queue_ids)]
        senders = {
            match[1] or "<>" for line in taken if (match := re.search(r" from=<(.*?)>, size", line))
        }
        recipients = {
            match[2] or match[1]
            for line in taken
            if (match := re.search(r" to=<(.*?)>, (?:orig_to=<(.*?)>, )?relay", line))
        }
        verbs = {}
        for line in own:
            if "disconnect from" in line:
                verbs = {
                    name: (int(good), int(total or good))
                    for name, good, total in VERB.findall(line)
                    if name != "commands"
                }
        users = [
            match[1] for line in own if (match := re.search(r"client=.*sasl_username=(\S+)", line))
        ]
        logins = verbs.get("auth", (0, 0))
        return LogFacts(
            mailfrom=tuple(sorted(senders)),
            rcptto=tuple(sorted(recipients)),
            user=users[-1].partition("@")[0] if users else None,
            auth_result="success" if logins[0] else "failure" if logins[1] else None,
            messages=len({line for line in taken if " from=<" in line and "queue active" in line}),
            verbs=verbs,
            tls=any("TLS connection established" in line for line in own),
            lines=tuple(own + taken),
        )
