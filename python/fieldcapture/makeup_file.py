"""Make-ups written as YAML.

rows:
  smtp_message: {c2s: 10, s2c: 2, both: 1}
impairments: {loss: 0.1, midstream: 0.05}
ports: [25, 143]
ipv6: 0.1
tls_bulk: 0
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from .dialogues import KINDS
from .makeup import Impairments, Makeup, Row


class MakeupError(Exception):
    """A make-up file that can't be used; the message is one line and names file and key."""


def read_makeup(path: Path) -> Makeup:
    """Raises MakeupError."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MakeupError(f"{path}: {' '.join(str(error).split())}") from error
    try:
        return _makeup(document)
    except ValueError as error:
        raise MakeupError(f"{path}: {error}") from error


def _makeup(document: Any) -> Makeup:
    top = _mapping(document, "the file", {item.name for item in fields(Makeup)})
    rows = _mapping(top.get("rows"), "rows", set(KINDS))
    rates = _mapping(
        top.get("impairments", {}), "impairments", {item.name for item in fields(Impairments)}
    )
    ports = top.get("ports", [25, 110, 143])
    if not isinstance(ports, list) or not ports:
        raise ValueError("ports: expected a list of port numbers")
    return Makeup(
        rows=tuple(_row(kind, counts) for kind, counts in rows.items()),
        impairments=Impairments(
            **{key: _share(value, f"impairments.{key}") for key, value in rates.items()}
        ),
        ports=tuple(_whole(port, "ports", 65535) for port in ports),
        ipv6=_share(top.get("ipv6", 0.05), "ipv6"),
        tls_bulk=_whole(top.get("tls_bulk", 0), "tls_bulk"),
    )


def _row(kind: str, counts: Any) -> Row:
    views = _mapping(counts, f"rows.{kind}", {"c2s", "s2c", "both"})
    return Row(
        kind, **{view: _whole(count, f"rows.{kind}.{view}") for view, count in views.items()}
    )


def _mapping(value: Any, where: str, keys: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where}: expected keys and values")
    unknown = [str(key) for key in value if key not in keys]
    if unknown:
        raise ValueError(
            f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(keys))}"
        )
    return value


def _whole(value: Any, where: str, most: int = 10_000_000) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(f"{where}: expected a whole number from 0 to {most}")
    return value


def _share(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"{where}: expected a share from 0 to 1")
    return float(value)
