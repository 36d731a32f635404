"""TLS on a terminal: STARTTLS and findings by server, and what moved."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from mailtap.report.model import Report
from mailtap.report.tables import UNKNOWN, counts_table, interval, table
from mailtap.report.tls_model import (
    MovedShare,
    ServerCertificate,
    ServerFindings,
    ServerStartTls,
    TlsDrift,
)


def render_tls(report: Report) -> Iterator[Table]:
    """The tables of TLS."""
    servers = [
        (
            _end(one),
            *(f"{n:,}" for n in (one.sessions, one.offered, one.used, one.refused, one.never)),
            f"{one.vanished:,}" + (f" ({interval(one.ci95)})" if one.ci95 else ""),
        )
        for one in report.tls.starttls
    ]
    if servers:
        headings = ("server", "sessions", "offered", "used", "refused", "never", "vanished")
        yield table("STARTTLS by server", headings, servers)
    found = {name: n for name, n in report.findings.items() if n}
    if found:
        yield counts_table("Findings", found, report.sessions, "of sessions")
    by_server = [
        (
            _end(one),
            ", ".join(f"{name} {n:,}" for name, n in one.findings.items()),
            one.example or UNKNOWN,
        )
        for one in report.tls.findings
    ]
    if by_server:
        yield table("Findings by server", ("server", "findings", "uid of one"), by_server, left=3)
    services = [
        (
            f"{one.service} by {one.engine}",
            *(f"{n:,}" for n in (one.sessions, one.seen, one.agree, one.seen - one.agree)),
            one.example or UNKNOWN,
        )
        for one in report.tls.services
    ]
    if services:
        yield table(
            "Services that labels name, against SNI and certificate",
            ("label's service", "in TLS", "name seen", "agrees", "differs", "uid of one"),
            services,
        )
    if report.tls.drift is not None:
        yield _drift(report.tls.drift)


def _drift(drift: TlsDrift) -> Table:
    rows = [
        (
            one.figure if one.server is None else f"{_end(one)} {one.figure}",
            f"{one.before:.2%} -> {one.after:.2%} ({one.ci95[0]:+.2%} to {one.ci95[1]:+.2%})",
        )
        for one in drift.moved
    ]
    rows += [
        (
            f"{_end(one.after)} certificate {one.after.sni or ''}",
            f"{_names(one.before)} -> {_names(one.after)}",
        )
        for one in drift.certificates
    ]
    rows += [
        (f"{_end(one)} new", ", ".join(f"{name} {n:,}" for name, n in one.findings.items()))
        for one in drift.appeared
    ]
    return table("TLS against the other run", ("", ""), rows or [("nothing moved", "")], left=2)


def _end(one: ServerStartTls | MovedShare | ServerCertificate | ServerFindings) -> str:
    return f"{one.server or UNKNOWN} {one.port or ''}"


def _names(certificate: ServerCertificate) -> str:
    return f"{certificate.subject or UNKNOWN} by {certificate.issuer or UNKNOWN}"
