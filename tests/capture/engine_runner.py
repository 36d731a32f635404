"""Runs the embedded engine on packets held in memory."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mailtap._engine import Engine
from packets import ETHERNET, Packet

if TYPE_CHECKING:
    from mailtap._engine import Statistics

Line = dict[str, Any]


def run(packets: Iterable[Packet], link_type: int = ETHERNET, **options: Any) -> list[Line]:
    """The session lines of some packets, in the order of their start."""
    return run_counted(packets, link_type, **options)[0]


def run_counted(
    packets: Iterable[Packet], link_type: int = ETHERNET, **options: Any
) -> tuple[list[Line], Statistics]:
    """The session lines, and the engine's counts."""
    engine = Engine(**options)
    engine.set_link_type(link_type)
    for packet in packets:
        wire = len(packet.data) if packet.wire_length is None else packet.wire_length
        engine.packet(packet.time, packet.data, wire)
    engine.finish()
    lines = [json.loads(line) for line in engine.take().splitlines()]
    return sorted(lines, key=lambda line: (line["ts"], line["seq"])), engine.statistics()


def facts(line: Line) -> Line:
    """What a session line says of the content, without times and numbers of packets."""
    left_out = ("ts", "duration", "uid", "seq", "client_pkts", "server_pkts")
    return {key: value for key, value in line.items() if key not in left_out}
