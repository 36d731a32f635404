"""The figures of TLS: STARTTLS by server, versions, certificates, findings."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from mailtap.correlation.engines import QueryEngine, Row
from mailtap.report.model import Counts
from mailtap.report.statistics import wilson
from mailtap.report.tls_model import Certificates, ServerStartTls, Tls
from mailtap.report.vanished import Offers, vanished
from mailtap.sessions.redaction import REDACTED, redacted_columns
from mailtap.sessions.vocabulary import FINDINGS

#: Servers that a report lists.
MAXIMUM_SERVERS = 1000

#: Seconds of the windows in which offers of STARTTLS may have vanished.
WINDOW = 3600

_MAIL = "service IS NOT NULL AND NOT coalesce(implicit_tls, false) AND starttls IS NOT NULL"

#: The server's side was seen to answer a hello or more, so that an offer would have shown.
_COULD_OFFER = (
    "direction IN ('s2c', 'bidirectional') AND stage NOT IN ('connect', 'greeting') AND "
    f"stage IS NOT NULL AND {_MAIL}"
)
_WITHOUT = "starttls IN ('none', 'refused')"
_CERTIFICATE = "cert_subject IS NOT NULL"


def tls_figures(engine: QueryEngine, redact: Collection[str]) -> Tls:
    """Counts the sessions of `whole_sessions`."""
    redacted = redacted_columns(redact)
    gone = _vanished(engine)
    servers = [
        replace(_server(row), vanished=n, ci95=wilson(n, base))
        if (n := gone.get((row["server_h"], row["server_p"]), (0, 0))[0])
        and (base := gone[row["server_h"], row["server_p"]][1])
        else _server(row)
        for row in engine.rows(
            "SELECT server_h, server_p, count(*) AS sessions, "
            "count(CASE WHEN starttls NOT IN ('none', 'refused') THEN 1 END) AS offered, "
            "count(CASE WHEN starttls IN ('accepted', 'tls') THEN 1 END) AS used, "
            "count(CASE WHEN starttls = 'refused' THEN 1 END) AS refused, "
            f"count(CASE WHEN starttls = 'none' AND {_COULD_OFFER} THEN 1 END) AS never "
            f"FROM whole_sessions WHERE {_MAIL} GROUP BY server_h, server_p "
            f"ORDER BY sessions DESC, server_h, server_p LIMIT {MAXIMUM_SERVERS}"
        )
    ]
    if "server_h" in redacted:
        servers = [replace(server, server=REDACTED) for server in servers]
    if "server_p" in redacted:
        servers = [replace(server, port=None) for server in servers]
    versions = engine.rows(
        "SELECT tls_version, count(*) AS n FROM whole_sessions WHERE tls_version IS NOT NULL "
        "GROUP BY tls_version ORDER BY n DESC, tls_version LIMIT 20"
    )
    return Tls(
        starttls=tuple(servers),
        versions={row["tls_version"]: row["n"] for row in versions},
        certificates=_certificates(engine),
    )


def finding_counts(engine: QueryEngine, tls: Tls) -> Counts:
    """Sessions by finding: the decoder's, and what takes a server's history."""
    columns = ", ".join(
        f"count(CASE WHEN finding_names LIKE '%{name}%' THEN 1 END) AS {name}" for name in FINDINGS
    )
    (row,) = engine.rows(f"SELECT {columns} FROM whole_sessions")
    return {
        **{name: row[name] for name in FINDINGS},
        "starttls_vanished": sum(server.vanished for server in tls.starttls),
        "certificate_expired": tls.certificates.expired,
        "certificate_changed": tls.certificates.changed,
    }


def _server(row: Row) -> ServerStartTls:
    return ServerStartTls(
        server=row["server_h"],
        port=row["server_p"],
        **{name: row[name] for name in ("sessions", "offered", "used", "refused", "never")},
    )


def _vanished(engine: QueryEngine) -> dict[tuple[str, int], tuple[int, int]]:
    """By server: sessions without an offer in windows where it vanished, and those windows'."""
    window = f"CAST(floor(ts / {WINDOW}) AS BIGINT)"
    counts = f"count(*) AS n, count(CASE WHEN {_WITHOUT} THEN 1 END) AS missing"
    known = f"FROM whole_sessions WHERE {_COULD_OFFER} AND ts IS NOT NULL"
    # A client that always sees an offer, or never does, says nothing about a change.
    rows = engine.rows(
        f"SELECT s.server_h, s.server_p, s.client_h, s.time_window, s.n, s.missing FROM (SELECT "
        f"server_h, server_p, client_h, {window} AS time_window, {counts} {known} "
        f"GROUP BY server_h, server_p, client_h, {window}) s JOIN (SELECT server_h, server_p, "
        f"client_h FROM (SELECT server_h, server_p, client_h, {counts} {known} "
        "GROUP BY server_h, server_p, client_h) WHERE missing > 0 AND missing < n) c "
        "ON s.server_h = c.server_h AND s.server_p = c.server_p AND s.client_h = c.client_h"
    )
    by_server: dict[tuple[str, int], list[Offers]] = {}
    for row in rows:
        offers = Offers(row["client_h"], row["time_window"], row["n"], row["missing"])
        by_server.setdefault((row["server_h"], row["server_p"]), []).append(offers)
    found = {server: vanished(offers) for server, offers in by_server.items()}
    return {
        server: (sum(one.without for one in windows), sum(one.sessions for one in windows))
        for server, windows in found.items()
        if windows
    }


def _certificates(engine: QueryEngine) -> Certificates:
    (row,) = engine.rows(
        f"SELECT count(CASE WHEN {_CERTIFICATE} THEN 1 END) AS seen, "
        "count(CASE WHEN cert_not_after < ts THEN 1 END) AS expired, "
        "count(CASE WHEN cert_self_signed THEN 1 END) AS self_signed FROM whole_sessions"
    )
    (others,) = engine.rows(
        "SELECT coalesce(CAST(sum(sessions - most) AS BIGINT), 0) AS n FROM ("
        "SELECT sum(n) AS sessions, max(n) AS most FROM (SELECT server_h, server_p, sni, "
        "cert_subject, cert_issuer, count(*) AS n FROM whole_sessions "
        f"WHERE {_CERTIFICATE} GROUP BY server_h, server_p, sni, cert_subject, cert_issuer) "
        "GROUP BY server_h, server_p, sni)"
    )
    return Certificates(
        seen=row["seen"],
        expired=row["expired"],
        self_signed=row["self_signed"],
        changed=others["n"],
    )
