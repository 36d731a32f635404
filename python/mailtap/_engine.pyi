"""The mail decoder, and the engine that feeds it from captured packets."""

import enum
from collections.abc import Sequence
from typing import TypedDict

MAX_SESSION_BYTES: int
"""What a session's decoder may hold, whatever the input."""

MAX_TLS_READER_BYTES: int
"""What a TLS reader may hold, whatever the input."""

class Side(enum.Enum):
    """A TCP direction."""

    ORIG = 0
    RESP = 1

# "from" is no name in Python: hence this form.
Facts = TypedDict(
    "Facts",
    {
        "service": str,
        "client": Side,
        "roles_by_content": bool,
        "starttls": str,
        "implicit_tls": bool,
        "http": bool,
        "tunnel": str,
        "decode_as": str,
        "helo": bytes,
        "mailfrom": list[bytes],
        "rcptto": list[bytes],
        "from": list[bytes],
        "to": list[bytes],
        "subject": bytes,
        "msg_id": bytes,
        "user_agent": bytes,
        "mailfrom_count": int,
        "rcptto_count": int,
        "auth": bytes,
        "auth_result": str,
        "user": bytes,
        "messages": int,
        "commands": int,
        "replies": int,
        "last_command": bytes,
        "last_reply": bytes,
        "banner": bytes,
        "stage": str,
        "findings": list[bytes],
        "tls_version": bytes,
        "tls_cipher": bytes,
        "sni": bytes,
        "alpn": bytes,
        "ja4": bytes,
        "cert_subject": bytes,
        "cert_issuer": bytes,
        "cert_names": list[bytes],
        "cert_not_before": int | None,
        "cert_not_after": int | None,
        "cert_self_signed": bool | None,
        "empty_cause": str,
    },
)

class Statistics(TypedDict):
    packets: int
    not_ip: int
    not_tcp: int
    malformed: int
    fragments: int
    bad_checksum: int
    sessions: int
    open_sessions: int
    peak_decoder_memory: int

class Decoder:
    """The decoder of one TCP session."""

    def __init__(self, orig_port: int, resp_port: int, midstream: bool = False) -> None: ...
    def data(self, side: Side, data: bytes) -> None:
        """Feed bytes of a side, in stream order."""

    def gap(self, side: Side, length: int) -> None:
        """Note that bytes of a side will never come; 0 when their number isn't known."""

    def facts(self, orig_seen: bool = True, resp_seen: bool = True) -> Facts:
        """The facts so far, under the session record's names.

        Unset ones are empty; strings are the wire's bytes.
        """

    @property
    def done(self) -> bool:
        """Whether more bytes can't change the facts."""

    @property
    def memory(self) -> int:
        """Bytes held now."""

    @property
    def certain(self) -> str:
        """The service as far as it is certain by now, else empty."""

    @property
    def tls_started(self) -> bool:
        """Whether TLS was seen to start after an upgrade."""

class Certificate(TypedDict):
    subject: str
    issuer: str
    names: list[str]
    not_before: int | None
    not_after: int | None
    self_signed: bool

class TlsFacts(TypedDict):
    sender: str
    version: str
    cipher: str
    hello_retry: bool
    sni: str
    alpn: list[str]
    ja4: str
    certificate: Certificate | None
    alert: str
    alert_level: int
    alert_description: int
    change_cipher_spec: bool
    finished: bool
    application_data: bool
    ending: str

class TlsReader:
    """Reads the TLS records of one side of a connection."""

    def __init__(self) -> None: ...
    def data(self, data: bytes) -> None:
        """Feed bytes in stream order, from the first record's first byte on."""

    def gap(self, length: int) -> None:
        """Note that bytes will never come; 0 when their number isn't known."""

    def facts(self) -> TlsFacts:
        """The facts so far. Unset ones are empty or None."""

    @property
    def done(self) -> bool:
        """Whether more bytes can't change the facts."""

    @property
    def memory(self) -> int:
        """Bytes held now."""

class Engine:
    """Captured packets in, session lines out."""

    def __init__(
        self,
        *,
        effective_packets: int = 3,
        effective_bytes: int = 5,
        community_id_seed: int = 0,
        verify_checksums: bool = False,
        node: str = "embedded",
        smtp_ports: Sequence[int] | None = None,
        pop3_ports: Sequence[int] | None = None,
        imap_ports: Sequence[int] | None = None,
    ) -> None: ...
    def set_link_type(self, link_type: int) -> None:
        """Say what kind of packets come next. ValueError when the link type isn't known."""

    def packet(self, seconds: float, data: bytes, wire_length: int) -> None:
        """Take one packet: seconds since the epoch, bytes captured, length on the wire."""

    def finish(self) -> None:
        """End all sessions."""

    def take(self) -> bytes:
        """The lines of the sessions that have ended since the last call."""

    def statistics(self) -> Statistics:
        """Counts so far, by name."""
