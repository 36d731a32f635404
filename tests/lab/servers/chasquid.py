"""chasquid: SMTP, written in Go, with users of its own."""

from __future__ import annotations

from typing import ClassVar

from lab.accounts import ACCOUNTS, DOMAIN
from lab.servers.base import Server

CONFIGURATION = """
hostname: "chasquid.{domain}"
smtp_address: "0.0.0.0:25"
smtp_address: "0.0.0.0:2525"
submission_address: ""
submission_over_tls_address: ""
monitoring_address: ""
mail_delivery_agent_bin: "/bin/true"
data_dir: "/var/lib/chasquid"
mail_log_path: "<syslog>"
"""


class Chasquid(Server):
    """chasquid with two users, whose mail is thrown away. Its log isn't read."""

    name = "chasquid"
    packages = ("chasquid",)
    ports: ClassVar[dict[int, str]] = {25: "smtp", 2525: "smtp-odd"}
    six = False
    features = frozenset(["STARTTLS", "TLS", "8BITMIME", "SMTPUTF8"])

    def configure(self) -> None:
        place = "/etc/chasquid"
        self.root.file(f"{place}/chasquid.conf", CONFIGURATION.format(domain=DOMAIN))
        for name, made in (("fullchain.pem", "server.pem"), ("privkey.pem", "server.key")):
            text = (self.root.path / "etc/lab" / made).read_text()
            self.root.file(f"{place}/certs/{self.host}/{name}", text)
        aliases = "".join(f"{account.name}: |/bin/true\n" for account in ACCOUNTS)
        for domain in (DOMAIN, self.host, f"plain.{self.host}"):  # relays write to the last two
            self.root.file(f"{place}/domains/{domain}/aliases", aliases)
        self.root.folder("/var/lib/chasquid")

    def start(self) -> None:
        self.spawn("chasquid")
