"""A session as Python has it: the fields of docs/reference/session.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Session:
    """One mail session, or TCP session on a mail port. A field that its source lacks is None.

    Names are those of the record, but for those that Python doesn't allow: `id.orig_h` and the like
    are `orig_h`, `from`, `to` and `user` are `header_from`, `header_to` and `user_name`. Times are
    epoch seconds. docs/reference/session.md says what each field means.
    """

    ts: float | None = None
    duration: float | None = None
    uid: str | None = None
    orig_h: str | None = None
    orig_p: int | None = None
    resp_h: str | None = None
    resp_p: int | None = None
    community_id: str | None = None
    client_h: str | None = None
    client_p: int | None = None
    server_h: str | None = None
    server_p: int | None = None
    service: str | None = None
    direction: str | None = None
    starttls: str | None = None
    implicit_tls: bool | None = None
    tunnel: str | None = None
    decode_as: str | None = None
    effective: bool | None = None
    client_pkts: int | None = None
    client_bytes: int | None = None
    server_pkts: int | None = None
    server_bytes: int | None = None
    gap_bytes: int | None = None
    midstream: bool | None = None
    helo: str | None = None
    mailfrom: tuple[str, ...] | None = None
    rcptto: tuple[str, ...] | None = None
    header_from: tuple[str, ...] | None = None
    header_to: tuple[str, ...] | None = None
    subject: str | None = None
    msg_id: str | None = None
    user_agent: str | None = None
    mailfrom_count: int | None = None
    rcptto_count: int | None = None
    auth: str | None = None
    auth_result: str | None = None
    user_name: str | None = None
    messages: int | None = None
    commands: int | None = None
    replies: int | None = None
    last_command: str | None = None
    last_reply: str | None = None
    banner: str | None = None
    stage: str | None = None
    findings: tuple[str, ...] | None = None
    tls_version: str | None = None
    tls_cipher: str | None = None
    sni: str | None = None
    alpn: str | None = None
    ja4: str | None = None
    cert_subject: str | None = None
    cert_issuer: str | None = None
    cert_names: tuple[str, ...] | None = None
    cert_not_before: float | None = None
    cert_not_after: float | None = None
    cert_self_signed: bool | None = None
    empty_cause: str | None = None
    node: str | None = None
    seq: int | None = None
