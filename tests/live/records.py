"""Session records and labels as sensors and engines write them."""

from __future__ import annotations

from typing import Any

SERVER = "192.0.2.25"


def client(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def session(number: int, **fields: Any) -> dict[str, Any]:
    """The record of an SMTP session of node `zeek`, numbered so."""
    record = {
        "ts": 1_700_000_000.0 + number,
        "duration": 1.5,
        "uid": f"C{number}",
        "id.orig_h": client(number),
        "id.orig_p": 40_000,
        "id.resp_h": SERVER,
        "id.resp_p": 25,
        "client_h": client(number),
        "client_p": 40_000,
        "server_h": SERVER,
        "server_p": 25,
        "service": "smtp",
        "direction": "bidirectional",
        "starttls": "none",
        "implicit_tls": False,
        "decode_as": "MAIL",
        "effective": True,
        "client_pkts": 9,
        "client_bytes": 700,
        "server_pkts": 9,
        "server_bytes": 800,
        "gap_bytes": 0,
        "midstream": False,
        "mailfrom": ["a@example.org"],
        "stage": "delivered",
        "node": "zeek",
        "seq": number,
    }
    return {name: value for name, value in (record | fields).items() if value is not None}


def label(number: int, **fields: Any) -> dict[str, Any]:
    """The engine's label for that session, read in its payload."""
    return {
        "app": "smtp",
        "provenance": "payload",
        "src_ip": client(number),
        "src_port": 40_000,
        "dst_ip": SERVER,
        "dst_port": 25,
        "proto": "tcp",
        "start": 1_700_000_000.0 + number,
        "end": 1_700_000_001.5 + number,
    } | fields
