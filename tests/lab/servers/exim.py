"""Exim: SMTP on 25, submission on 587, implicit TLS on 465, and an odd port."""

from __future__ import annotations

import re
from typing import ClassVar

from lab.accounts import ACCOUNTS, DOMAIN
from lab.servers.base import Join, LogFacts, Server

CONFIGURATION = """
primary_hostname = {host}
domainlist local_domains = {domain} : {host} : plain.{host}
exim_user = Debian-exim
exim_group = Debian-exim
spool_directory = /var/spool/exim4
log_file_path = syslog
syslog_timestamp = no
syslog_duplication = no
log_selector = +all -pid -arguments
daemon_smtp_ports = 25 : 587 : 465 : 2525
tls_on_connect_ports = 465
tls_advertise_hosts = *
tls_certificate = /etc/lab/server.pem
tls_privatekey = /etc/lab/server.key
chunking_advertise_hosts = *
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
pipelining_connect_advertise_hosts = *
prdr_enable = true
rfc1413_hosts =
host_lookup =
smtp_enforce_sync = false
helo_accept_junk_hosts = *
message_size_limit = 200K
never_users =
keep_environment =
acl_smtp_connect = accept
acl_smtp_helo = check_helo
acl_smtp_mail = check_mail
acl_smtp_rcpt = check_rcpt
acl_smtp_predata = check_predata
acl_smtp_data = check_data
acl_smtp_vrfy = accept
acl_smtp_expn = accept
acl_smtp_etrn = deny
queue_only = true

begin acl

check_helo:
  deny condition = ${{if eq{{$sender_helo_name}}{{refused.{domain}}}}}
       message = go away
  accept

check_mail:
  deny senders = banned@{domain}
       message = Sender banned
  drop senders = drop@{domain}
       message = Come back later
  accept

check_rcpt:
  deny domains = {domain}
       local_parts = ghost
       message = Unknown user
  defer domains = {domain}
       local_parts = busy
       message = Mailbox busy
  accept domains = +local_domains
  accept authenticated = *
  deny message = relay not permitted

check_predata:
  deny senders = nodata@{domain}
       message = No data from you
  accept

check_data:
  deny senders = nodot@{domain}
       message = Message refused
  accept

begin routers

far:
  driver = manualroute
  domains = ! +local_domains
  route_list = * $domain byname
  transport = far

all:
  driver = accept
  transport = drop

begin transports

far:
  driver = smtp
  helo_data = {host}
  hosts_avoid_tls = ${{if match{{$domain}}{{^plain}}{{*}}{{}}}}
  hosts_try_fastopen =

drop:
  driver = appendfile
  file = /dev/null
  user = Debian-exim

begin retry
* * F,2h,15m

begin authenticators

plain_server:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if eq{{$auth3}}\\
      {{${{lookup{{$auth2}}lsearch{{/etc/exim4/passwords}}{{$value}}{{*:*}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = *

login_server:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if eq{{$auth2}}\\
      {{${{lookup{{$auth1}}lsearch{{/etc/exim4/passwords}}{{$value}}{{*:*}}}}}}}}
  server_set_id = $auth1
  server_advertise_condition = *

cram_server:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${{lookup{{$auth1}}lsearch{{/etc/exim4/passwords}}{{$value}}fail}}
  server_set_id = $auth1
  server_advertise_condition = *
"""


class Exim(Server):
    """Exim as Debian builds it with all features."""

    name = "exim"
    packages = ("exim4-daemon-heavy",)
    ports: ClassVar[dict[int, str]] = {25: "smtp", 587: "smtp", 465: "smtps", 2525: "smtp-odd"}
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
            "EHLO-AGAIN",
        ]
    )

    def configure(self) -> None:
        self.root.user("Debian-exim", 911, "/var/spool/exim4")
        values = {"host": self.host, "domain": DOMAIN}
        self.root.file("/etc/exim4/lab.conf", CONFIGURATION.format(**values))
        passwords = "".join(f"{account.name}: {account.password}\n" for account in ACCOUNTS)
        self.root.file("/etc/exim4/passwords", passwords)
        self.root.folder("/var/spool/exim4", 911, 911, 0o750)
        self.root.folder("/var/log/exim4", 911, 911)

    def relay(self, sender: str, recipient: str, message: str) -> None:
        self.command(
            *("exim4", "-C", "/etc/exim4/lab.conf", "-odf", "-oi", "-f", sender, recipient),
            text=message,
        )

    def start(self) -> None:
        self.spawn("exim4", "-C", "/etc/exim4/lab.conf", "-bdf", "-q1h")

    def log_facts(self, join: Join) -> LogFacts:
        lines = self.log()
        own = [line for line in lines if f"]:{join.port}" in line]
        arrivals = [match for line in own if (match := re.search(r" <= (\S+) ", line))]
        arrived = [match.string for match in arrivals]
        recipients = {
            address
            for line in arrived
            if (match := re.search(r" for (.+)$", line))
            for address in match[1].split()
        }
        users = [match[1] for line in arrived if (match := re.search(r" A=\w+:(\S+)", line))]
        failed = any("authenticator failed" in line for line in own)
        names = [
            match[1]
            for line in own
            if (match := re.search(r" H=(?:\S+ )?\(?([^)\s]+)\)? \[", line))
        ]
        return LogFacts(
            mailfrom=tuple(sorted({match[1] for match in arrivals})),
            rcptto=tuple(sorted(recipients)),
            user=users[-1] if users else None,
            auth_result="success" if users else "failure" if failed else None,
            messages=len(arrived),
            helo=names[-1] if names else None,
            tls=any(" X=TLS" in line for line in own) or None,
            lines=tuple(own),
        )
