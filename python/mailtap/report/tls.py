"""The figures of TLS: STARTTLS by server, versions, certificates, findings.

They are made of the table `encryption`: sessions that are the same as far as these figures go, with
their number `n` and the `uid` of one. A report makes a row of each session; live mode sums up what
comes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from mailtap.correlation.engines import QueryEngine
from mailtap.report.model import Counts
from mailtap.report.statistics import wilson
from mailtap.report.tls_model import (
    Certificates,
    ServerCertificate,
    ServerFindings,
    ServerStartTls,
    Tls,
)
from mailtap.report.vanished import FALSE_ALARMS, Offers, vanished
from mailtap.sessions.redaction import REDACTED, redacted_columns
from mailtap.sessions.vocabulary import FINDINGS

#: Servers that are listed.
MAXIMUM_SERVERS = 1000

#: Seconds of the windows in which offers of STARTTLS may have vanished.
WINDOW = 3600

_MAIL = "service IS NOT NULL AND NOT coalesce(implicit_tls, false) AND starttls IS NOT NULL"

#: The server's side was seen to answer a hello or more, so that an offer would have shown.
_COULD_OFFER = (
    "direction IN ('s2c', 'bidirectional') AND stage NOT IN ('connect', 'greeting') AND "
    f"stage IS NOT NULL AND {_MAIL}"
)

_FINDINGS = " + ".join(
    f"CASE WHEN finding_names LIKE '%{name}%' THEN {1 << bit} ELSE 0 END"
    for bit, name in enumerate(FINDINGS)
)

#: The columns of `encryption` but `n` and `uid`, by the columns of a session. `starttls` is that of
#: mail sessions that didn't begin with TLS, `findings` a mask by the place in FINDINGS.
ENCRYPTION = ", ".join(
    [
        *("server_h", "server_p", "client_h"),
        f"CAST(floor(ts / {WINDOW}) AS BIGINT) AS time_window",
        f"CASE WHEN {_MAIL} THEN starttls END AS starttls",
        f"coalesce({_COULD_OFFER}, false) AS could_offer",
        f"CASE WHEN finding_names IS NULL THEN 0 ELSE {_FINDINGS} END AS findings",
        *("tls_version", "sni", "cert_subject", "cert_issuer"),
        "coalesce(cert_self_signed, false) AS cert_self_signed",
        "coalesce(cert_not_after < ts, false) AS cert_expired",
    ]
)


def _sum(condition: str) -> str:
    """SQL: the number of sessions for which the condition holds."""
    return f"CAST(coalesce(sum(CASE WHEN {condition} THEN n END), 0) AS BIGINT)"


def _has(finding: str) -> str:
    return _sum(f"(findings & {1 << FINDINGS.index(finding)}) <> 0")


_WITHOUT = _sum("starttls IN ('none', 'refused')")
_ALL = "CAST(sum(n) AS BIGINT)"
_FINDING_COLUMNS = ", ".join(f"{_has(name)} AS {name}" for name in FINDINGS)
_STARTTLS_COLUMNS = ", ".join(
    f"{_sum(condition)} AS {name}"
    for name, condition in {
        "offered": "starttls NOT IN ('none', 'refused')",
        "used": "starttls IN ('accepted', 'tls')",
        "refused": "starttls = 'refused'",
        "never": "starttls = 'none' AND could_offer",
    }.items()
)

#: Sessions by server, name asked for and certificate.
_CERTIFICATES = (
    f"(SELECT server_h, server_p, sni, cert_subject, cert_issuer, {_ALL} AS sessions "
    "FROM encryption WHERE cert_subject IS NOT NULL "
    "GROUP BY server_h, server_p, sni, cert_subject, cert_issuer)"
)

#: Sessions by server whose certificate isn't that of most with the same name asked for.
_CHANGED = (
    "(SELECT server_h, server_p, CAST(sum(others) AS BIGINT) AS certificate_changed FROM "
    "(SELECT server_h, server_p, sum(sessions) - max(sessions) AS others "
    f"FROM {_CERTIFICATES} GROUP BY server_h, server_p, sni) "
    "WHERE others > 0 GROUP BY server_h, server_p)"
)

#: A server's address and port.
_Server = tuple[str | None, int | None]


def report_tls(engine: QueryEngine, redact: Collection[str]) -> Tls:
    """The figures over the sessions of `whole_sessions`."""
    engine.view("encryption", f"SELECT {ENCRYPTION}, uid, 1 AS n FROM whole_sessions")
    return tls_figures(engine, redact)


def tls_figures(
    engine: QueryEngine, redact: Collection[str], false_alarms: float = FALSE_ALARMS
) -> Tls:
    """The figures over the sessions of `encryption`. `false_alarms`: the chance that a server's
    offers are taken for vanished though they come and go by chance.
    """
    gone = _vanished(engine, false_alarms)
    versions = engine.rows(
        f"SELECT tls_version, {_ALL} AS n FROM encryption WHERE tls_version IS NOT NULL "
        "GROUP BY tls_version ORDER BY n DESC, tls_version LIMIT 20"
    )
    figures = Tls(
        starttls=_by_server(engine, gone),
        versions={row["tls_version"]: row["n"] for row in versions},
        certificates=_certificates(engine),
        usual_certificates=_usual_certificates(engine),
        findings=_findings_by_server(engine, gone),
    )
    return _redacted(figures, redacted_columns(redact))


def finding_counts(engine: QueryEngine, tls: Tls) -> Counts:
    """Sessions by finding: the decoder's, and what takes a server's history."""
    (row,) = engine.rows(f"SELECT {_FINDING_COLUMNS} FROM encryption")
    return {
        **row,
        "starttls_vanished": sum(server.vanished for server in tls.starttls),
        "certificate_expired": tls.certificates.expired,
        "certificate_changed": tls.certificates.changed,
    }


def _by_server(
    engine: QueryEngine, gone: dict[_Server, tuple[int, int]]
) -> tuple[ServerStartTls, ...]:
    rows = engine.rows(
        f"SELECT server_h AS server, server_p AS port, {_ALL} AS sessions, {_STARTTLS_COLUMNS} "
        "FROM encryption WHERE starttls IS NOT NULL GROUP BY server_h, server_p "
        f"ORDER BY sessions DESC, server_h, server_p LIMIT {MAXIMUM_SERVERS}"
    )
    servers = []
    for row in rows:
        without, sessions = gone.get((row["server"], row["port"]), (0, 0))
        interval = wilson(without, sessions) if without else None
        servers.append(ServerStartTls(**row, vanished=without, ci95=interval))
    return tuple(servers)


def _vanished(engine: QueryEngine, false_alarms: float) -> dict[_Server, tuple[int, int]]:
    """By server: sessions without an offer in windows where it vanished, and those windows'."""
    client = "server_h, server_p, client_h"
    counts = f"{_ALL} AS n, {_WITHOUT} AS missing"
    known = "WHERE could_offer AND time_window IS NOT NULL AND client_h IS NOT NULL"
    # A client that always sees an offer, or never does, says nothing about a change. Few are left,
    # so they are found before their windows are counted.
    engine.table(
        "changing_clients",
        f"SELECT {client} FROM (SELECT {client}, {counts} FROM encryption {known} "
        f"GROUP BY {client}) WHERE missing > 0 AND missing < n",
    )
    rows = engine.rows(
        f"SELECT {client}, time_window, {counts} FROM encryption "
        f"SEMI JOIN changing_clients USING ({client}) {known} GROUP BY {client}, time_window"
    )
    by_server: dict[_Server, list[Offers]] = {}
    for row in rows:
        offers = Offers(row["client_h"], row["time_window"], row["n"], row["missing"])
        by_server.setdefault((row["server_h"], row["server_p"]), []).append(offers)
    found = {server: vanished(offers, false_alarms) for server, offers in by_server.items()}
    return {
        server: (sum(one.without for one in windows), sum(one.sessions for one in windows))
        for server, windows in found.items()
        if windows
    }


def _certificates(engine: QueryEngine) -> Certificates:
    (row,) = engine.rows(
        f"SELECT {_sum('cert_subject IS NOT NULL')} AS seen, {_sum('cert_expired')} AS expired, "
        f"{_sum('cert_self_signed')} AS self_signed FROM encryption"
    )
    (changed,) = engine.rows(
        f"SELECT CAST(coalesce(sum(certificate_changed), 0) AS BIGINT) AS changed FROM {_CHANGED}"
    )
    return Certificates(**row, **changed)


def _usual_certificates(engine: QueryEngine) -> tuple[ServerCertificate, ...]:
    rows = engine.rows(
        "SELECT server_h AS server, server_p AS port, sni, cert_subject AS subject, "
        "cert_issuer AS issuer, sessions FROM (SELECT *, row_number() OVER (PARTITION BY "
        "server_h, server_p, sni ORDER BY sessions DESC, cert_subject, cert_issuer) AS place "
        f"FROM {_CERTIFICATES}) WHERE place = 1 "
        f"ORDER BY sessions DESC, server, port, sni LIMIT {MAXIMUM_SERVERS}"
    )
    return tuple(ServerCertificate(**row) for row in rows)


def _findings_by_server(
    engine: QueryEngine, gone: dict[_Server, tuple[int, int]]
) -> tuple[ServerFindings, ...]:
    counted = engine.rows(
        f"SELECT server_h, server_p, min(uid) AS example, {_FINDING_COLUMNS}, "
        f"{_sum('cert_expired')} AS certificate_expired "
        "FROM encryption WHERE findings <> 0 OR cert_expired "
        f"GROUP BY server_h, server_p ORDER BY {_ALL} DESC LIMIT {MAXIMUM_SERVERS}"
    )
    changed = engine.rows(
        f"SELECT server_h, server_p, certificate_changed FROM {_CHANGED} "
        f"ORDER BY certificate_changed DESC LIMIT {MAXIMUM_SERVERS}"
    )
    by_server: dict[_Server, dict[str, int]] = {}
    examples: dict[_Server, str] = {}
    for row in (*counted, *changed):
        server = row.pop("server_h"), row.pop("server_p")
        if "example" in row:
            examples[server] = row.pop("example")
        by_server.setdefault(server, {}).update({name: n for name, n in row.items() if n})
    for server, (without, _) in gone.items():
        by_server.setdefault(server, {})["starttls_vanished"] = without
    most = sorted(by_server.items(), key=lambda one: (-sum(one[1].values()), str(one[0])))
    return tuple(
        ServerFindings(*server, found, examples.get(server))
        for server, found in most[:MAXIMUM_SERVERS]
    )


def _redacted(tls: Tls, hidden: Collection[str]) -> Tls:
    """The figures without what a policy hides, by columns of a session."""
    server = {"server": REDACTED} if "server_h" in hidden else {}
    port = {"port": None} if "server_p" in hidden else {}
    ends: dict[str, Any] = {**server, **port}
    texts = {"sni": "sni", "subject": "cert_subject", "issuer": "cert_issuer"}
    certificate: dict[str, Any] = {
        name: REDACTED for name, column in texts.items() if column in hidden
    }
    example: dict[str, Any] = {"example": None} if "uid" in hidden else {}
    return replace(
        tls,
        starttls=tuple(replace(one, **ends) for one in tls.starttls),
        usual_certificates=tuple(
            replace(one, **ends, **certificate) for one in tls.usual_certificates
        ),
        findings=tuple(replace(one, **ends, **example) for one in tls.findings),
    )
