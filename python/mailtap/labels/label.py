"""A third-party label in normal form."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """What a DPI engine says about one flow. A field that the file doesn't have is None.

    `name` is the engine's own; `protocol`, `encryption`, `carrier` and `provenance` are what the
    policy reads it as, and `app` the short form of these. `is_label` is false where the engine
    makes no statement. `ip_a` to `port_b` are the flow's ends in canonical order, `src_ip` to
    `dst_port` as the engine has them, and `nat_ip_a` to `nat_port_b` those after address
    translation. `start` and `end` are epoch seconds.
    """

    source: str | None = None
    engine: str | None = None
    name: str | None = None
    app: str | None = None
    protocol: str | None = None
    encryption: str | None = None
    carrier: str | None = None
    provenance: str | None = None
    is_label: bool | None = None
    ip_a: str | None = None
    port_a: int | None = None
    ip_b: str | None = None
    port_b: int | None = None
    src_ip: str | None = None
    src_port: int | None = None
    dst_ip: str | None = None
    dst_port: int | None = None
    l4: str | None = None
    community_id: str | None = None
    start: float | None = None
    end: float | None = None
    packets: int | None = None
    nat_ip_a: str | None = None
    nat_port_a: int | None = None
    nat_ip_b: str | None = None
    nat_port_b: int | None = None
