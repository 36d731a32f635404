"""What a site decides: names, thresholds, ports, expectations, columns. See default.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class EffectiveThresholds:
    """A session counts as effective above both thresholds."""

    packets: int
    payload_bytes: int


@dataclass(frozen=True)
class Join:
    """How sessions and labels find each other."""

    slack: float
    community_id_seed: int


@dataclass(frozen=True)
class NormalLabel:
    """What a label says, whatever the engine calls it.

    `app` is the short name for reports: `smtp`, `imap.ssl`, `http.imap`, else the engine's name in
    lower case.
    """

    app: str
    protocol: str | None
    encryption: str
    carrier: str | None
    provenance: str
    is_label: bool


@dataclass(frozen=True)
class NameRule:
    """What one name, or one part of a dotted name, says. None: nothing about it."""

    protocol: str | None = None
    encryption: str | None = None
    carrier: str | None = None
    label: bool = True


@dataclass(frozen=True)
class Engine:
    """An engine's own names, and the provenance that follows from its evidence."""

    names: Mapping[str, NameRule]
    mail_and_tls: str
    provenance: Mapping[str, str]
    otherwise: str
    absent: str


@dataclass(frozen=True)
class Expectation:
    """The values of decode_as that agree with a label."""

    consistent: tuple[str, ...]
    compatible: tuple[str, ...]


@dataclass(frozen=True)
class Expectations:
    """Expectations by encryption for mail and other labels, by carrier for carried ones."""

    mail: Mapping[str, Expectation]
    carrier: Mapping[str, Expectation]
    other: Mapping[str, Expectation]


@dataclass(frozen=True)
class Unsupported:
    """Sessions that a decoder is known not to recognise, by what the label says they are."""

    protocol: str
    directions: tuple[str, ...]  # empty: any
    midstream: bool  # only those whose handshake was not seen


@dataclass(frozen=True)
class ActionRule:
    """What to do about losses of the funnel for one of the causes, at one step or (None) at any."""

    action: str
    causes: frozenset[str]
    step: str | None
    text: str

    def holds(self, step: str, cause: str) -> bool:
        """Whether the rule is for a loss."""
        return cause in self.causes and self.step in (None, step)


@dataclass(frozen=True)
class Policy:
    """A site's policy: the shipped one with the site's own file laid over it."""

    effective: EffectiveThresholds
    mail_ports: Mapping[str, tuple[int, ...]]
    join: Join
    redact: tuple[str, ...]
    names: Mapping[str, NameRule]
    services: Mapping[str, tuple[str, ...]]  # domains by service
    engines: Mapping[str, Engine]
    expect: Expectations
    generic: Mapping[str, tuple[str, ...]]
    gateway: Mapping[str, tuple[str, ...]]
    unsupported: Mapping[str, tuple[Unsupported, ...]]  # by decoder
    actions: tuple[ActionRule, ...]  # of several for a loss the last counts

    def normal_label(self, engine: str, name: str | None, evidence: str | None) -> NormalLabel:
        """What `engine`'s label `name` says, with the engine's `evidence` for it."""
        own = self.engines[engine]
        lower = (name or "").lower()
        rules = self._rules(own, lower)
        protocol = _last(rule.protocol for rule in rules)
        encryption = _last(rule.encryption for rule in rules) or "none"
        if len(rules) > 1 and protocol is not None and encryption == "tls":
            encryption = own.mail_and_tls
        carrier = _last(rule.carrier for rule in reversed(rules))
        return NormalLabel(
            app=_short_name(lower, protocol, encryption, carrier),
            protocol=protocol,
            encryption=encryption,
            carrier=carrier,
            provenance=_provenance(own, evidence),
            is_label=any(rule.label for rule in rules),
        )

    def service(self, name: str) -> str | None:
        """The service that a label names behind its protocol: `google` of `SMTPS.Google`."""
        parts = name.lower().split(".")
        if len(parts) == 1 or name.lower() in self.names:
            return None
        known = [self.names, *(engine.names for engine in self.engines.values())]
        unknown = [part for part in parts if part and not any(part in names for names in known)]
        return unknown[-1] if unknown and len(unknown) < len(parts) else None

    def is_of_service(self, service: str, host: str) -> bool:
        """Whether a host name, which may begin with `*.`, is one of the service's."""
        name = host.lower().removeprefix("*.").rstrip(".")
        if service in self.services:
            return any(f".{name}".endswith(f".{domain}") for domain in self.services[service])
        return service in name.split(".")

    def _rules(self, own: Engine, lower: str) -> list[NameRule]:
        whole = own.names.get(lower) or self.names.get(lower)
        if whole is not None:
            return [whole]
        return [
            own.names.get(part) or self.names.get(part) or NameRule() for part in lower.split(".")
        ]


def _last(values: Iterable[str | None]) -> str | None:
    known = [value for value in values if value is not None]
    return known[-1] if known else None


def _short_name(lower: str, protocol: str | None, encryption: str, carrier: str | None) -> str:
    if protocol is None:
        return lower
    inner = protocol if encryption == "none" else f"{protocol}.ssl"
    return inner if carrier is None else f"{carrier}.{inner}"


def _provenance(engine: Engine, evidence: str | None) -> str:
    if not evidence:
        return engine.absent
    return engine.provenance.get(evidence.lower(), engine.otherwise)
