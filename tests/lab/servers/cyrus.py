"""Cyrus: POP3, IMAP and LMTP, implicit TLS, and an odd port."""

from __future__ import annotations

import imaplib
from typing import ClassVar

from lab.accounts import ACCOUNTS, ALICE
from lab.messages import BARE, PLAIN, RICH
from lab.servers.base import Server

IMAPD = """
configdirectory: /var/lib/cyrus
proc_path: /run/cyrus/proc
mboxname_lockpath: /run/cyrus/lock
defaultpartition: default
partition-default: /var/spool/cyrus/mail
altnamespace: no
unixhierarchysep: no
servername: {host}
allowanonymouslogin: no
allowplaintext: yes
admins: root
autocreate_quota: 100000
autocreate_post: yes
popminpoll: 0
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: /etc/lab/sasldb2
sasl_mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5
sasl_minimum_layer: 0
tls_server_cert: /etc/lab/server.pem
tls_server_key: /etc/lab/server.key
tls_session_timeout: 0
allowstarttls: on
lmtpsocket: /run/cyrus/socket/lmtp
idlesocket: /run/cyrus/socket/idle
notifysocket: /run/cyrus/socket/notify
syslog_prefix: cyrus
virtdomains: off
"""

SERVICES = """
START {
    recover cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -r"
}
SERVICES {
    imap    cmd="/usr/lib/cyrus/bin/imapd" listen="143" prefork=1
    odd     cmd="/usr/lib/cyrus/bin/imapd" listen="1430" prefork=0
    imaps   cmd="/usr/lib/cyrus/bin/imapd -s" listen="993" prefork=0
    pop3    cmd="/usr/lib/cyrus/bin/pop3d" listen="110" prefork=1
    pop3s   cmd="/usr/lib/cyrus/bin/pop3d -s" listen="995" prefork=0
    lmtp    cmd="/usr/lib/cyrus/bin/lmtpd -a" listen="24" prefork=0
}
EVENTS {
}
"""


class Cyrus(Server):
    """Cyrus with SASL's password database."""

    name = "cyrus"
    inbox = "INBOX."
    packages = (
        *("cyrus-imapd", "cyrus-pop3d", "cyrus-common"),
        *("sasl2-bin", "libsasl2-modules", "libsasl2-modules-db"),
    )
    ports: ClassVar[dict[int, str]] = {
        110: "pop3",
        995: "pop3s",
        143: "imap",
        993: "imaps",
        1430: "imap-odd",
        24: "lmtp",
    }
    features = frozenset(
        [
            "STLS",
            "STARTTLS",
            "TLS",
            "SASL",
            "SASL-IR",
            "LITERAL+",
            "IDLE",
            "COMPRESS",
            "QRESYNC",
            "retry",
        ]
    )

    def configure(self) -> None:
        self.root.user("cyrus", 961, "/var/spool/cyrus")
        self.root.file("/etc/imapd.conf", IMAPD.format(host=self.host))
        self.root.file("/etc/cyrus.conf", SERVICES)
        for account in ACCOUNTS:
            self.command(
                "sh",
                "-c",
                f"echo '{account.password}' | saslpasswd2 -p -c -f /etc/lab/sasldb2 "
                f"-u {self.host} {account.name}",
            )
        (self.root.path / "etc/lab/sasldb2").chmod(0o644)
        folders = (
            *("/var/lib/cyrus", "/var/spool/cyrus", "/var/spool/cyrus/mail", "/run/cyrus"),
            *("/run/cyrus/proc", "/run/cyrus/lock", "/run/cyrus/socket", "/var/spool/sieve"),
            *(
                f"/var/lib/cyrus/{name}"
                for name in (
                    "db",
                    "socket",
                    "log",
                    "msg",
                    "user",
                    "quota",
                    "proc",
                    "lock",
                    "sieve",
                    "ptclient",
                    "rpm",
                )
            ),
        )
        for folder in folders:
            self.root.folder(folder, 961, 961)

    def start(self) -> None:
        self.spawn("/usr/lib/cyrus/bin/master")

    def fill(self) -> None:
        for account in ACCOUNTS:
            with imaplib.IMAP4(self.network.address) as connection:
                connection.login(account.name, account.password)
                connection.select("INBOX")
                if account == ALICE:
                    for message in (PLAIN, RICH, BARE):
                        connection.append("INBOX", "", "", message.crlf)
