"""What clients do while the proxy tampers. They may fail: it is what passes by that counts."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from itertools import cycle, islice

from lab.accounts import ALICE, CLIENT_NAME
from lab.isolation import CLIENT_ADDRESS
from lab.messages import PLAIN
from lab.scenarios import ALL
from lab.scenarios.base import Scenario, Stage
from lab.scenarios.senders import swaks
from lab.scenarios.smtp.dialogue import SENDER, TO_ALICE
from lab.tampering.proxy import READ, SECONDS

AT_ONCE = 3
"""How many clients an attack is tried with."""
Act = Callable[[Stage], None]


def acts(kind: str, service: str, number: int, fits: Callable[[Scenario], bool]) -> list[Act]:
    """Clients of a kind; of many, other ones for each number."""
    if kind == "TLS":
        wanted = [s for s in ALL if s.wants.get("starttls") == "tls"]
    elif kind == "in the clear":
        wanted = [s for s in ALL if s.name in ("swaks", "msmtp")]
    else:
        return [lambda stage: OTHERS[kind](stage, service)]
    found = [s.act for s in wanted if s.serves == service and not s.six and fits(s)]
    return list(islice(cycle(found), number, number + min(AT_ONCE, len(found))))


IGNORING = {
    "smtp": (f"EHLO {CLIENT_NAME}", "STARTTLS", f"EHLO {CLIENT_NAME}", "QUIT"),
    "pop3": ("STLS", "CAPA", "QUIT"),
    "imap": ("a1 STARTTLS", "a2 CAPABILITY", "a3 LOGOUT"),
}


def opportunistic(stage: Stage, service: str) -> None:
    """Logs in without TLS where that isn't offered."""
    if service == "smtp":
        login = ("--auth", "PLAIN", "--auth-user", ALICE.name, "--auth-password", ALICE.password)
        swaks(stage, "--tls-optional", *(login if "AUTH" in stage.server.features else ()))
    else:
        _curl(stage, service, "--ssl", "--insecure")


def ignores_tls(stage: Stage, service: str) -> None:
    """Asks for TLS, and goes on in the clear when the server accepts."""
    with stage.talk(service) as talk:
        talk.answer()
        for command in IGNORING[service]:
            talk.ask(command, "", lines=command == "CAPA")


def distrusts(stage: Stage, service: str) -> None:
    """Wants a certificate of an authority that it knows."""
    _curl(stage, service, "--ssl-reqd")


def tls_1_2(stage: Stage, service: str) -> None:
    """Whose server says in the clear why the handshake fails."""
    _curl(stage, service, "--ssl-reqd", "--insecure", "--tls-max", "1.2")


def _curl(stage: Stage, service: str, *options: str) -> None:
    if service == "smtp":
        message = stage.file("message", PLAIN.text)
        options += ("--mail-from", SENDER, "--mail-rcpt", TO_ALICE, "--upload-file", message)
    else:
        options += ("--user", f"{ALICE.name}:{ALICE.password}")
    path = {"smtp": CLIENT_NAME, "pop3": "1", "imap": "INBOX;MAILINDEX=1"}[service]
    stage.run("curl", "--silent", *options, f"{service}://{stage.address}:{stage.port}/{path}")


OTHERS: dict[str, Callable[[Stage, str], None]] = {
    "opportunistic": opportunistic,
    "ignores TLS": ignores_tls,
    "distrusts": distrusts,
    "TLS 1.2": tls_1_2,
}


def replay(address: tuple[str, int], chunks: list[bytes]) -> int:
    """Sends what a client once sent, each part when the server has answered the one before.

    The port from which it does.
    """
    with socket.create_connection(address, SECONDS, (CLIENT_ADDRESS, 0)) as server:
        port: int = server.getsockname()[1]
        with contextlib.suppress(OSError):  # the server may have enough of it
            for chunk in chunks:
                if not server.recv(READ):
                    break
                server.sendall(chunk)
            while server.recv(READ):
                pass
    return port
