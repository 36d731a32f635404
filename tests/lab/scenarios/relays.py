"""Postfix and Exim as clients of other servers."""

from __future__ import annotations

from lab.messages import LONG, PLAIN, Message
from lab.scenarios.base import Catalogue, Stage
from lab.scenarios.smtp.dialogue import SENDER

catalogue = Catalogue("smtp")


def _relay(name: str, message: Message) -> None:
    @catalogue.add(
        f"{name} relays",
        client=f"{name} as a relay",
        needs=f"from-{name}",
        helo=f"{name}.lab.test",
        mailfrom=[SENDER],
        rcptto_count=1,
        messages=1,
        **message.wants,
    )
    def plain(stage: Stage) -> None:
        relay = stage.servers[name]
        relay.relay(SENDER, f"alice@plain.{stage.server.host}", message.text)

    @catalogue.add(
        f"{name} relays, TLS",
        client=f"{name} as a relay",
        needs=f"from-{name} STARTTLS TLS",
        starttls="tls",
        mailfrom=[],
        empty_cause="starttls",
    )
    def encrypted(stage: Stage) -> None:
        stage.servers[name].relay(SENDER, f"alice@{stage.server.host}", message.text)


_relay("postfix", PLAIN)
_relay("exim", LONG)
