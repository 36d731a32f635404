"""Services that labels name behind TLS, against the server name and the certificate."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from mailtap.correlation import sql
from mailtap.correlation.engines import QueryEngine
from mailtap.policy import Policy
from mailtap.report.tls_model import LabelService
from mailtap.sessions.redaction import redacted_columns

#: Names of labels that name a service, and combinations with what the session shows, at most.
MAXIMUM_NAMES = 10_000
MAXIMUM_COMBINATIONS = 100_000

#: Services that are listed.
MAXIMUM_SERVICES = 200

#: A label engine and a service.
_Key = tuple[str, str]

_COMMON_NAME = re.compile(r"(?:^|,)CN=((?:\\.|[^,+\\])*)", re.IGNORECASE)


def label_services(
    engine: QueryEngine, policy: Policy, *, details: bool = False
) -> tuple[LabelService, ...]:
    """Of the sessions of `verdicts` whose label of `labels` names a service, those in TLS.

    `details`: the sessions have their details, so that all names of a certificate are known.
    """
    names = engine.rows(
        f"SELECT DISTINCT name FROM labels WHERE name LIKE '%.%' LIMIT {MAXIMUM_NAMES}"
    )
    services = {
        row["name"]: service
        for row in names
        if (service := policy.service(row["name"])) is not None
    }
    if not services:
        return ()
    shown = "s.sni, s.cert_subject" + (", s.cert_names" if details else "")
    rows = engine.rows(
        f"SELECT l.name AS name, l.engine AS engine, {shown}, min(s.uid) AS uid, count(*) AS n "
        "FROM verdicts v JOIN labels l ON l.label_id = v.label_id "
        "JOIN whole_sessions s ON s.session_id = v.session_id "
        f"WHERE l.name IN {sql.literals(services)} "
        "AND (s.implicit_tls OR s.starttls = 'tls' OR s.tls_version IS NOT NULL) "
        f"GROUP BY l.name, l.engine, {shown} "
        f"ORDER BY n DESC, uid LIMIT {MAXIMUM_COMBINATIONS}"
    )
    sessions, seen, agree = Counter[_Key](), Counter[_Key](), Counter[_Key]()
    examples: dict[_Key, str] = {}
    for row in rows:
        key = row["engine"], services[row["name"]]
        hosts = _hosts(row["sni"], row["cert_subject"], row.get("cert_names"))
        sessions[key] += row["n"]
        if not hosts:
            continue
        seen[key] += row["n"]
        if all(any(policy.is_of_service(key[1], host) for host in names) for names in hosts):
            agree[key] += row["n"]
        else:
            examples.setdefault(key, row["uid"])
    found = [
        LabelService(*key, n, seen[key], agree[key], examples.get(key))
        for key, n in sorted(sessions.items(), key=lambda one: (-one[1], one[0]))
    ]
    return _redacted(found[:MAXIMUM_SERVICES], redacted_columns(policy.redact))


def _hosts(sni: str | None, subject: str | None, names: Sequence[str] | None) -> list[list[str]]:
    """What a session shows of its server: the name asked for, and those of the certificate.

    Where a certificate has alternative names, its common name counts no more (RFC 6125 6.4.4).
    """
    common = _COMMON_NAME.search(subject or "")
    certificate = list(names or ()) or ([common.group(1)] if common else [])
    return [shown for shown in ([sni] if sni else [], certificate) if any(shown)]


def _redacted(found: list[LabelService], hidden: Collection[str]) -> tuple[LabelService, ...]:
    if "app" in hidden:
        return ()
    if "uid" in hidden:
        return tuple(replace(one, example=None) for one in found)
    return tuple(found)
