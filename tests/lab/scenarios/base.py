"""A scenario: what a client does with a server, and the values that must come out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.clients import Clients
from lab.servers.base import Server
from lab.talk import Talk


def b64(text: str | bytes) -> str:
    """Base64."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


@dataclass(frozen=True)
class Stage:
    """Where a scenario runs."""

    server: Server
    port: int
    address: str
    clients: Clients
    servers: Mapping[str, Server]
    """All that run, by name: some are clients, too."""

    @property
    def home(self) -> str:
        """The folder of this server's clients: several servers are played at once."""
        return f"/home/{self.server.name}"

    def run(self, *command: str, text: str | bytes = "", status: tuple[int, ...] = (0,)) -> None:
        """Run a client program."""
        self.clients.run(self.home, *command, text=text, status=status)

    def file(self, name: str, text: str) -> str:
        """Write a file for the clients, and give its whole name."""
        self.clients.own_folder(self.home)
        self.clients.file(f"{self.home}/{name}", text)
        return f"{self.home}/{name}"

    def talk(self, service: str) -> Talk:
        """Connect with raw sockets."""
        return Talk(self.address, self.port, service)


@dataclass(frozen=True)
class Scenario:
    """One thing to do. `wants` are fields of the session record with their values."""

    name: str
    serves: str
    """The service that the port must offer: smtp, lmtp, pop3, imap, or those with an s behind."""
    client: str
    act: Callable[[Stage], None]
    wants: Mapping[str, Any]
    needs: frozenset[str] = frozenset()
    """Features of the server; `from-NAME`: that server runs, too, and is the client."""
    but: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Other values of some servers."""
    sessions: int = 1
    """How many connections it makes."""
    six: bool = False
    """Over IPv6."""
    speaks: str | None = None
    """What is spoken: smtp, lmtp, pop3, imap, tls from the first byte, ftp, or none of them."""

    def wants_of(self, server: str) -> dict[str, Any]:
        """The fields' values with this server."""
        return {**self.wants, **self.but.get(server, {})}


class Catalogue:
    """Collects the scenarios of a module."""

    def __init__(self, serves: str, client: str = "raw sockets") -> None:
        self.scenarios: list[Scenario] = []
        self._serves = serves
        self._client = client

    def add(
        self,
        name: str,
        *,
        needs: str = "",
        but: Mapping[str, Mapping[str, Any]] | None = None,
        serves: str | None = None,
        client: str | None = None,
        sessions: int = 1,
        speaks: str | None = "",
        **wants: Any,
    ) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
        """A decorator: the function is what is done, `wants` what the record must say."""

        def keep(act: Callable[[Stage], None]) -> Callable[[Stage], None]:
            self.scenarios.append(
                Scenario(
                    name,
                    serves or self._serves,
                    client or self._client,
                    act,
                    wants,
                    frozenset(needs.split()),
                    but or {},
                    sessions,
                    speaks=_spoken(serves or self._serves) if speaks == "" else speaks,
                )
            )
            return act

        return keep


def _spoken(serves: str) -> str:
    return "tls" if serves.endswith("s") else serves
