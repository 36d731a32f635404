"""Solid POP3: a plain POP3 server for mailboxes in one file."""

from __future__ import annotations

import os
from typing import ClassVar

from lab.accounts import ACCOUNTS
from lab.messages import BARE, PLAIN, RICH
from lab.servers.base import Server

CONFIGURATION = """
<Global>
  MailDropName /var/mail/%s
  MailDropType mailbox
  AllowAPOP no
</Global>
"""
LOGIN = """
auth required pam_unix.so
account required pam_permit.so
session required pam_permit.so
"""


class Solid(Server):
    """Solid POP3 with the users of its root. Its log isn't read."""

    name = "solid-pop3d"
    packages = ("solid-pop3d",)
    ports: ClassVar[dict[int, str]] = {110: "pop3"}
    six = False

    def configure(self) -> None:
        self.root.user("spop3d", 940)
        self.root.file("/etc/spop3d.conf", CONFIGURATION)
        self.root.file("/etc/pam.d/solid-pop3d", LOGIN)
        self.root.folder("/var/mail", 0, 8, 0o2775)
        shadow = self.root.path / "etc/shadow"
        mailbox = "".join(
            f"From ann@example.org Mon Nov  2 10:0{number}:00 2026\n{message.text}\n"
            for number, message in enumerate((PLAIN, RICH, BARE))
        )
        for account in ACCOUNTS:
            hashed = self.command("openssl", "passwd", "-6", account.password).strip()
            entry = f"{account.name}:{hashed}:20000:0:99999:7:::"
            lines = shadow.read_text().splitlines()
            kept = [line for line in lines if not line.startswith(f"{account.name}:")]
            shadow.write_text("\n".join([*kept, entry, ""]))
            owner = (self.root.path / "home" / account.name).stat().st_uid
            os.chown(self.root.file(f"/var/mail/{account.name}", mailbox, 0o600), owner, 8)

    def start(self) -> None:
        self.spawn_for_each_connection(110, "/usr/sbin/solid-pop3d")
