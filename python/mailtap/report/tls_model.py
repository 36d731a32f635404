"""What a report says of TLS: plain values, names as in the JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ServerStartTls:
    """STARTTLS of the mail sessions with one server, without those in TLS from the first byte.

    `vanished` sessions lack an offer in windows of time in which more do than chance explains;
    `ci95` is the interval of their share of those windows' sessions. None: nothing vanished.
    """

    server: str | None
    port: int | None
    sessions: int
    offered: int  # used ones too
    used: int  # accepted, or TLS was seen
    refused: int
    never: int  # the server's side showed no offer
    vanished: int = 0
    ci95: tuple[float, float] | None = None


@dataclass(frozen=True)
class Certificates:
    """Sessions by what their server's certificate says, where it is in the clear."""

    seen: int
    expired: int  # at the session's start
    self_signed: int
    changed: int  # of another subject or issuer than most of the same server and name


@dataclass(frozen=True)
class ServerCertificate:
    """The certificate that most `sessions` with one server and name asked for (`sni`) have."""

    server: str | None
    port: int | None
    sni: str | None
    subject: str | None
    issuer: str | None
    sessions: int


@dataclass(frozen=True)
class ServerFindings:
    """Sessions with one server by finding, those that there are. `example` is the uid of a session
    that has one, unless only the server's history shows them.
    """

    server: str | None
    port: int | None
    findings: Mapping[str, int]
    example: str | None = None


@dataclass(frozen=True)
class LabelService:
    """A service that an engine's labels name behind TLS: of the `sessions` in TLS those in which a
    name was `seen` (the server name asked for, the certificate's), and those whose names all agree.
    `example` is the uid of a session whose names don't.
    """

    engine: str
    service: str
    sessions: int
    seen: int
    agree: int
    example: str | None


@dataclass(frozen=True)
class MovedShare:
    """A share of a server's mail sessions (`offered`, `used`, `refused`), or with no server of all
    sessions (a finding), of those whose version was seen (a version) or of those whose certificate
    was (`expired`, `self_signed`, `changed`). `ci95` is the interval of the difference.
    """

    server: str | None
    port: int | None
    figure: str
    before: float
    after: float
    ci95: tuple[float, float]


@dataclass(frozen=True)
class MovedCertificate:
    """A server and name whose usual certificate is of another subject or issuer than before."""

    before: ServerCertificate
    after: ServerCertificate


@dataclass(frozen=True)
class TlsDrift:
    """What another run said otherwise. Shares are held apart with a controlled rate of false
    discoveries (Benjamini and Hochberg 1995). `appeared` are findings that their servers had none
    of, with the number of sessions.
    """

    moved: tuple[MovedShare, ...]
    certificates: tuple[MovedCertificate, ...]
    appeared: tuple[ServerFindings, ...]


@dataclass(frozen=True)
class Tls:
    """Lists begin with the servers of most sessions, and end after the first thousand."""

    starttls: tuple[ServerStartTls, ...]
    versions: Mapping[str, int]  # sessions by version of TLS
    certificates: Certificates
    usual_certificates: tuple[ServerCertificate, ...] = ()
    findings: tuple[ServerFindings, ...] = ()
    services: tuple[LabelService, ...] = ()
    drift: TlsDrift | None = None  # against another run
