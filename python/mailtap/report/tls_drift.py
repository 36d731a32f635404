"""What moved in TLS from one run to the next: shares, certificates, findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from mailtap.report.statistics import Part, difference, differing
from mailtap.report.tls_model import (
    MovedCertificate,
    MovedShare,
    ServerCertificate,
    ServerFindings,
    TlsDrift,
)
from mailtap.sessions.redaction import REDACTED

#: Figures of a server that are a share of its sessions, and of certificates seen.
_OF_SERVERS = ("offered", "used", "refused")
_OF_CERTIFICATES = ("expired", "self_signed", "changed")


class _Figure(NamedTuple):
    """Whose share it is: of a server, or of all sessions."""

    server: str | None
    port: int | None
    name: str


def tls_drift(before: Mapping[str, Any], after: Mapping[str, Any]) -> TlsDrift:
    """From one report's JSON document to another's. Raises KeyError, TypeError or AttributeError if
    one isn't of that form.
    """
    return TlsDrift(
        moved=_moved(dict(_shares(before)), dict(_shares(after))),
        certificates=_moved_certificates(before["tls"], after["tls"]),
        appeared=_appeared(before["tls"], after["tls"]),
    )


def _shares(document: Mapping[str, Any]) -> Iterator[tuple[_Figure, Part]]:
    tls = document["tls"]
    for one in _named(tls["starttls"]):
        for name in _OF_SERVERS:
            yield _Figure(one["server"], one["port"], name), _part(one[name], one["sessions"])
    seen = sum(tls["versions"].values())
    for name, n in tls["versions"].items():
        yield _Figure(None, None, name), _part(n, seen)
    certificates = tls["certificates"]
    for name in _OF_CERTIFICATES:
        yield _Figure(None, None, name), _part(certificates[name], certificates["seen"])
    for name, n in document["findings"].items():
        yield _Figure(None, None, name), _part(n, document["sessions"])


def _named(servers: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Those that a policy doesn't hide: hidden ones can't be told apart."""
    for one in servers:
        server, port = one["server"], one["port"]
        if not isinstance(server, str | None) or not isinstance(port, int | None):
            raise TypeError
        if server not in (None, REDACTED) and port is not None:
            yield one


def _part(n: object, base: object) -> Part:
    if type(n) is not int or type(base) is not int or n < 0 or base < 0:
        raise TypeError
    return Part(min(n, base), base)


def _moved(before: Mapping[_Figure, Part], after: Mapping[_Figure, Part]) -> tuple[MovedShare, ...]:
    """Of figures that both runs have. A version that one lacks is a share of 0 of that run's."""
    was, now = _with_versions(before, after), _with_versions(after, before)
    common = sorted(
        (figure for figure in was.keys() & now.keys() if was[figure].base and now[figure].base),
        key=str,
    )
    pairs = [(was[figure], now[figure]) for figure in common]
    return tuple(
        MovedShare(
            *figure,
            one.n / one.base,
            other.n / other.base,
            difference(one.n, one.base, other.n, other.base),
        )
        for figure, (one, other), differs in zip(common, pairs, differing(pairs), strict=True)
        if differs
    )


def _with_versions(
    own: Mapping[_Figure, Part], other: Mapping[_Figure, Part]
) -> Mapping[_Figure, Part]:
    seen = next((part.base for figure, part in own.items() if _is_version(figure)), 0.0)
    absent = {figure: Part(0, seen) for figure in other if _is_version(figure)}
    return {**absent, **own}


def _is_version(figure: _Figure) -> bool:
    return figure.name.startswith(("TLS", "SSL"))


def _moved_certificates(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[MovedCertificate, ...]:
    was, now = _certificates(before), _certificates(after)
    return tuple(
        MovedCertificate(was[name], one)
        for name, one in now.items()
        if name in was and (was[name].subject, was[name].issuer) != (one.subject, one.issuer)
    )


def _certificates(tls: Mapping[str, Any]) -> Mapping[tuple[object, ...], ServerCertificate]:
    """By server and name asked for. One that is hidden in a part can't be compared."""
    certificates: dict[tuple[object, ...], ServerCertificate] = {}
    for one in _named(tls["usual_certificates"]):
        texts = one["sni"], one["subject"], one["issuer"]
        if not all(isinstance(text, str | None) for text in texts):
            raise TypeError
        if REDACTED not in texts:
            certificates[one["server"], one["port"], one["sni"]] = ServerCertificate(**one)
    return certificates


def _appeared(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[ServerFindings, ...]:
    had = {(one["server"], one["port"]): one["findings"] for one in _named(before["findings"])}
    appeared = []
    for one in _named(after["findings"]):
        old = had.get((one["server"], one["port"]), {})
        new = {name: n for name, n in one["findings"].items() if name not in old}
        if new:
            appeared.append(ServerFindings(one["server"], one["port"], new, one["example"]))
    return tuple(appeared)
