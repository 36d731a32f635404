"""Zeek logs as Zeek writes them."""

from __future__ import annotations

import json

FIELDS = {
    "ts": "time",
    "uid": "string",
    "id.orig_h": "addr",
    "id.orig_p": "port",
    "id.resp_h": "addr",
    "id.resp_p": "port",
    "proto": "enum",
    "service": "string",
    "duration": "interval",
    "orig_bytes": "count",
    "resp_bytes": "count",
    "missed_bytes": "count",
    "history": "string",
    "orig_pkts": "count",
    "resp_pkts": "count",
}


def connection(uid: str, **changes: object) -> dict[str, object]:
    """A record of conn.log; a value of None is unset."""
    record: dict[str, object] = {
        "ts": 1700000000.25,
        "uid": uid,
        "id.orig_h": "192.0.2.10",
        "id.orig_p": 40001,
        "id.resp_h": "198.51.100.25",
        "id.resp_p": 25,
        "proto": "tcp",
        "service": "smtp",
        "duration": 3.25,
        "orig_bytes": 900,
        "resp_bytes": 0,
        "missed_bytes": 0,
        "history": "SAD",
        "orig_pkts": 7,
        "resp_pkts": 0,
    }
    return record | {name.replace("__", "."): value for name, value in changes.items()}


def session(uid: str, **changes: object) -> dict[str, object]:
    """A record of mail_session.log, and of `mailtap analyze --sessions`."""
    record: dict[str, object] = {
        "ts": 1700000000.25,
        "duration": 3.25,
        "uid": uid,
        "id.orig_h": "192.0.2.10",
        "id.orig_p": 40001,
        "id.resp_h": "198.51.100.25",
        "id.resp_p": 25,
        "community_id": "1:abc=",
        "client_h": "192.0.2.10",
        "client_p": 40001,
        "server_h": "198.51.100.25",
        "server_p": 25,
        "service": "smtp",
        "direction": "c2s",
        "starttls": "requested",
        "implicit_tls": False,
        "decode_as": "MAIL",
        "effective": True,
        "client_pkts": 7,
        "client_bytes": 900,
        "server_pkts": 0,
        "server_bytes": 0,
        "gap_bytes": 0,
        "midstream": False,
        "mailfrom": ["a@example.net"],
        "rcptto": ["b@example.net", "c@example.net"],
        "stage": "envelope",
        "node": "worker-1",
    }
    return record | changes


def as_json(*records: dict[str, object]) -> str:
    return "".join(
        json.dumps({key: value for key, value in record.items() if value is not None}) + "\n"
        for record in records
    )


def as_tsv(
    *records: dict[str, object], fields: dict[str, str] | None = None, separator: str = "\t"
) -> str:
    names = fields or FIELDS
    escaped = "".join(f"\\x{ord(character):02x}" for character in separator)

    def text(value: object) -> str:
        if value is None:
            return "-"
        if isinstance(value, bool):
            return "T" if value else "F"
        if isinstance(value, list):
            return ",".join(value) or "(empty)"
        return str(value)

    head = [
        f"#separator {escaped}",
        f"#set_separator{separator},",
        f"#empty_field{separator}(empty)",
        f"#unset_field{separator}-",
        f"#path{separator}conn",
        separator.join(["#fields", *names]),
        separator.join(["#types", *names.values()]),
    ]
    rows = [separator.join(text(record.get(name)) for name in names) for record in records]
    return "\n".join([*head, *rows, f"#close{separator}2023-11-14-23-00-00"]) + "\n"
