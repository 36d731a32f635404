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
class Tls:
    starttls: tuple[ServerStartTls, ...]  # most sessions first
    versions: Mapping[str, int]  # sessions by version of TLS
    certificates: Certificates
