"""From YAML documents to a Policy, every value checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from mailtap.policy.document import Value, merge, read_document, read_file
from mailtap.policy.model import (
    ActionRule,
    EffectiveThresholds,
    Engine,
    Expectation,
    Expectations,
    Join,
    NameRule,
    Policy,
    Unsupported,
)
from mailtap.sessions.redaction import REDACTABLE
from mailtap.sessions.vocabulary import (
    CARRIERS,
    DIRECTIONS,
    ENCRYPTIONS,
    FUNNEL_STEPS,
    PROVENANCES,
)
from mailtap.sessions.vocabulary import SERVICES as PROTOCOLS

DECODERS = ("zeek", "gateway")
GENERIC_COLUMNS = (
    "name",
    "provenance",
    "src_ip",
    "src_port",
    "dst_ip",
    "dst_port",
    "l4",
    "community_id",
    "start",
    "end",
    "duration",
    "packets",
)
GATEWAY_COLUMNS = (
    "start",
    "client_ip",
    "client_port",
    "server_ip",
    "server_port",
    "app",
    "decode_as",
    "end",
    "duration",
    "uid",
    "sensor",
    "provenance",
    "community_id",
    "client_packets",
    "client_bytes",
    "server_packets",
    "server_bytes",
    "user_agent",
    "subject",
)

T = TypeVar("T")


def load_policy(path: Path | None = None) -> Policy:
    """The shipped policy, with the file at `path` laid over it. Raises PolicyError."""
    shipped = _shipped()
    engines = tuple(_mapping(_mapping(shipped)["engines"]))
    return _policy(shipped if path is None else merge(shipped, read_file(path)), engines)


@cache
def _shipped() -> Value:
    # Parsing takes 0.1 s, and a process that makes several reports loads a policy for each.
    text = files("mailtap.policy").joinpath("default.yaml").read_text(encoding="utf-8")
    return read_document(text, "default.yaml")


def _policy(document: Value, engine_names: Collection[str]) -> Policy:
    keys = ("effective", "mail_ports", "join", "redact", "names", "services", "engines", "expect")
    top = _section(document, (*keys, "generic", "gateway", "unsupported", "actions"))
    effective = _section(top["effective"], ("packets", "payload_bytes"))
    join = _section(top["join"], ("slack", "community_id_seed"))
    expect = _section(top["expect"], ("mail", "carrier", "other"))
    engines = _section(top["engines"], engine_names)
    return Policy(
        effective=EffectiveThresholds(
            packets=_integer(effective["packets"], 0, 1 << 31),
            payload_bytes=_integer(effective["payload_bytes"], 0, 1 << 31),
        ),
        mail_ports={
            protocol: _each(ports, lambda port: _integer(port, 1, 65535))
            for protocol, ports in _section(top["mail_ports"], PROTOCOLS).items()
        },
        join=Join(
            slack=_seconds(join["slack"]),
            community_id_seed=_integer(join["community_id_seed"], 0, 65535),
        ),
        redact=_each(top["redact"], lambda name: _choice(name, REDACTABLE)),
        names=_names(top["names"]),
        services={
            name.lower(): _each(domains, lambda domain: _text(domain).lower())
            for name, domains in _mapping(top["services"]).items()
        },
        engines={name: _engine(value) for name, value in engines.items()},
        expect=Expectations(
            mail=_expectations(expect["mail"], ENCRYPTIONS),
            carrier=_expectations(expect["carrier"], CARRIERS),
            other=_expectations(expect["other"], ENCRYPTIONS),
        ),
        generic=_columns(top["generic"], GENERIC_COLUMNS),
        gateway=_columns(top["gateway"], GATEWAY_COLUMNS),
        unsupported={
            decoder: _unsupported(value)
            for decoder, value in _section(top["unsupported"], DECODERS).items()
        },
        actions=tuple(_action(name, rule) for name, rule in _mapping(top["actions"]).items()),
    )


def _unsupported(value: Value) -> tuple[Unsupported, ...]:
    """The rules that hold for the decoder's version; all where that isn't known."""
    section = _section(value, ("version", "rules"))
    version = section["version"].content
    if not isinstance(version, str):
        raise section["version"].error("must be a text")
    rules = []
    for rule in _mapping(section["rules"]).values():
        keys = _mapping(rule)
        _known(keys, ("versions", "protocol", "directions", "midstream"))
        for key in ("versions", "protocol"):
            if key not in keys:
                raise rule.error(f"{key} is missing")
        versions = _each(keys["versions"], _text)
        if version and not any(_is_version(version, listed) for listed in versions):
            continue
        rules.append(
            Unsupported(
                protocol=_choice(keys["protocol"], PROTOCOLS),
                directions=_each(keys["directions"], lambda side: _choice(side, DIRECTIONS))
                if "directions" in keys
                else (),
                midstream="midstream" in keys and _boolean(keys["midstream"]),
            )
        )
    return tuple(rules)


def _is_version(version: str, listed: str) -> bool:
    """Whether a version is the listed one, or one of its releases: 9.0.2 is of 9.0."""
    return version == listed or version.startswith(f"{listed}.")


def _action(name: str, value: Value) -> ActionRule:
    section = _mapping(value)
    _known(section, ("causes", "step", "text"))
    for key in ("causes", "text"):
        if key not in section:
            raise value.error(f"{key} is missing")
    return ActionRule(
        action=name,
        causes=frozenset(_each(section["causes"], _text)),
        step=_choice(section["step"], FUNNEL_STEPS) if "step" in section else None,
        text=" ".join(_text(section["text"]).split()),
    )


def _engine(value: Value) -> Engine:
    section = _section(value, ("names", "mail_and_tls", "provenance", "otherwise", "absent"))
    return Engine(
        names=_names(section["names"]),
        mail_and_tls=_choice(section["mail_and_tls"], ENCRYPTIONS),
        provenance={
            evidence.lower(): _choice(provenance, PROVENANCES)
            for evidence, provenance in _mapping(section["provenance"]).items()
        },
        otherwise=_choice(section["otherwise"], PROVENANCES),
        absent=_choice(section["absent"], PROVENANCES),
    )


def _names(value: Value) -> dict[str, NameRule]:
    return {name.lower(): _name_rule(rule) for name, rule in _mapping(value).items()}


def _name_rule(value: Value) -> NameRule:
    section = _mapping(value)
    _known(section, ("protocol", "encryption", "carrier", "label"))

    def choice(key: str, choices: Collection[str]) -> str | None:
        return _choice(section[key], choices) if key in section else None

    return NameRule(
        protocol=choice("protocol", PROTOCOLS),
        encryption=choice("encryption", ENCRYPTIONS),
        carrier=choice("carrier", CARRIERS),
        label=_boolean(section["label"]) if "label" in section else True,
    )


def _expectations(value: Value, keys: Collection[str]) -> dict[str, Expectation]:
    expectations = {}
    for key, expectation in _section(value, keys).items():
        section = _section(expectation, ("consistent", "compatible"))
        expectations[key] = Expectation(
            consistent=_each(section["consistent"], _text),
            compatible=_each(section["compatible"], _text),
        )
    return expectations


def _columns(value: Value, keys: Collection[str]) -> dict[str, tuple[str, ...]]:
    return {
        key: _each(names, _text) if isinstance(names.content, tuple) else (_text(names),)
        for key, names in _section(value, keys).items()
    }


def _mapping(value: Value) -> Mapping[str, Value]:
    if not isinstance(value.content, Mapping):
        raise value.error("must be a mapping of keys to values")
    return value.content


def _known(section: Mapping[str, Value], keys: Collection[str]) -> None:
    for key, value in section.items():
        if key not in keys:
            raise value.error(f"unknown key, expected one of: {', '.join(keys)}")


def _section(value: Value, keys: Collection[str]) -> Mapping[str, Value]:
    """A mapping with exactly `keys`."""
    section = _mapping(value)
    _known(section, keys)
    for key in keys:
        if key not in section:
            raise value.error(f"{key} is missing")
    return section


def _each(value: Value, read: Callable[[Value], T]) -> tuple[T, ...]:
    if not isinstance(value.content, tuple):
        raise value.error("must be a list")
    return tuple(read(item) for item in value.content)


def _text(value: Value) -> str:
    if not isinstance(value.content, str) or not value.content:
        raise value.error("must be a text")
    return value.content


def _choice(value: Value, choices: Collection[str]) -> str:
    if value.content not in choices:
        raise value.error(f"must be one of: {', '.join(choices)}")
    return str(value.content)


def _boolean(value: Value) -> bool:
    if value.content not in ("true", "false"):
        raise value.error("must be true or false")
    return value.content == "true"


def _integer(value: Value, lowest: int, highest: int) -> int:
    text = value.content
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 10:
        number = int(text)
        if lowest <= number <= highest:
            return number
    raise value.error(f"must be a whole number from {lowest} to {highest}")


def _seconds(value: Value) -> float:
    try:
        number = float(value.content) if isinstance(value.content, str) else math.nan
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise value.error("must be a number of seconds, zero or more")
    return number
