"""A capture's make-up: sessions by kind and by sides seen, and what goes wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cache
from random import Random

from .dialogue import View
from .dialogues import KINDS, build


@cache
def views_of(kind: str) -> frozenset[View]:
    """The views a session of `kind` can be seen by; they don't depend on what it says."""
    return build(kind, Random(0)).views


@dataclass(frozen=True, slots=True)
class Row:
    """Sessions of one kind, by what the tap saw of them.

    Raises ValueError when there is no such kind, or when it can't be seen so.
    """

    kind: str
    c2s: int = 0
    s2c: int = 0
    both: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind}: no such kind of session")
        for view, count in self.counts():
            if count and view not in views_of(self.kind):
                raise ValueError(
                    f"{self.kind}: a session of this kind can't be seen as {view.value}"
                )

    def counts(self) -> Iterator[tuple[View, int]]:
        yield View.C2S, self.c2s
        yield View.S2C, self.s2c
        yield View.BOTH, self.both


@dataclass(frozen=True, slots=True)
class Impairments:
    """The share of sessions, 0 to 1, that each impairment hits where the session allows it."""

    reordering: float = 0.0  # neighbouring segments change places
    retransmission: float = 0.0  # a segment comes twice
    overlap: float = 0.0  # a retransmission cut at other bounds than the originals
    loss: float = 0.0  # a segment inside a message body never comes
    midstream: float = (
        0.0  # the tap misses the handshake, and the first lines where the rest still tells
    )
    tiny_segments: float = 0.0  # a few bytes in each
    vlan: float = 0.0  # an 802.1Q tag
    odd_port: float = 0.0  # the server is on a port that is no mail port
    reused_tuple: float = 0.0  # the addresses and ports of an earlier, closed session


@dataclass(frozen=True, slots=True)
class Makeup:
    """Sessions and what happens to them.

    `ports` are those of sessions whose kind has none of its own, drawn evenly; `tls_bulk` is the
    number of full segments of TLS application data that follow in each upgraded session.
    """

    rows: tuple[Row, ...]
    impairments: Impairments = field(default_factory=Impairments)
    ports: tuple[int, ...] = (25, 110, 143)
    ipv6: float = 0.05
    tls_bulk: int = 0

    @property
    def sessions(self) -> int:
        return sum(count for row in self.rows for _, count in row.counts())


# The mixes that the columns are made of; the kinds of a mix take turns.
ENVELOPE_KINDS = ("smtp_envelope", "smtp_envelope", "smtp_envelope", "smtp_latin1")
MESSAGE_KINDS = (
    "smtp_message", "smtp_encoded", "smtp_pipelined", "smtp_bdat", "smtp_dot_stuffed",
    "smtp_null_sender", "smtp_utf8", "smtp_several_messages", "smtp_auth", "smtp_decoy",
    "smtp_unusual_paths",
)  # fmt: skip
SMTP_HELLO_KINDS = ("smtp_hello_only", "smtp_hello_only", "smtp_auth_failed", "smtp_hello_refused")
SMTP_REPLY_KINDS = (
    *MESSAGE_KINDS,
    *ENVELOPE_KINDS,
    "smtp_hello_only",
    "smtp_greeting_only",
    "smtp_greeting_refused",
)
SMTP_TLS_KINDS = ("smtp_starttls", "smtp_starttls", "smtp_starttls", "smtp_anonymous_tls")
SMTP_TLS_C2S_KINDS = (*SMTP_TLS_KINDS, "smtp_starttls_requested")
POP3_KINDS = (
    "pop3_login_only",
    "pop3_login_only",
    "pop3_login_failed",
    "pop3_apop",
    "pop3_auth",
    "pop3_list",
    "pop3_capa",
)
POP3_C2S_KINDS = (*POP3_KINDS, "pop3_retr", "pop3_top")
IMAP_KINDS = (
    "imap_login_only",
    "imap_login_failed",
    "imap_authenticate",
    "imap_capability",
    "imap_select",
    "imap_idle",
)
IMAP_C2S_KINDS = (*IMAP_KINDS, "imap_fetch_message", "imap_fetch_header")
IMAP_S2C_KINDS = (*IMAP_KINDS, "imap_greeting_only")
NOT_MAIL_KINDS = (
    "openvpn",
    "openvpn",
    "random_binary",
    "ssh",
    "http",
    "ftp",
    "redis",
    "rdp",
    "tls",
)
SILENT_KINDS = ("syn_scan", "syn_refused", "handshake_only", "few_bytes")
SILENT_C2S_KINDS = (*SILENT_KINDS, "syn_unanswered", "syn_unanswered", "smtp_cut_short")
SILENT_S2C_KINDS = (*SILENT_KINDS, "smtp_cut_short")


def _spread(kinds: tuple[str, ...], c2s: int = 0, s2c: int = 0, both: int = 0) -> list[Row]:
    """Rows for so many sessions, the kinds in turns."""

    def share(count: int, index: int) -> int:
        return count // len(kinds) + (index < count % len(kinds))

    return [
        Row(kind, share(c2s, index), share(s2c, index), share(both, index))
        for index, kind in enumerate(kinds)
    ]


def _column(*groups: list[Row], ports: tuple[int, ...]) -> Makeup:
    return Makeup(
        rows=tuple(row for rows in groups for row in rows),
        impairments=Impairments(reordering=0.02, retransmission=0.02),
        ports=ports,
    )


@cache
def port25() -> Makeup:
    """The field's capture of port 25: 12,670 sessions, 5,775 effective, 5,017 of these mail.

    | effective sessions | c2s | s2c | both | all |
    |---|---|---|---|---|
    | message with From and To | 230 | | 16 | 246 |
    | message whose To names nobody | 2 | | | 2 |
    | envelope only | 2,980 | | 100 | 3,080 |
    | sender only, no recipient | 78 | | 4 | 82 |
    | STARTTLS requested, accepted or TLS | 990 | 230 | 78 | 1,298 |
    | hello only, login failed, refused | 60 | | 12 | 72 |
    | server's replies only | | 237 | | 237 |
    | not mail | 596 | 82 | 80 | 758 |
    | **effective** | 4,936 | 549 | 290 | 5,775 |
    | not effective: scans, refusals, silence | 6,411 | 422 | 62 | 6,895 |
    """
    return _column(
        _spread(MESSAGE_KINDS, c2s=230, both=16),
        [Row("smtp_without_to", c2s=2)],
        _spread(ENVELOPE_KINDS, c2s=2980, both=100),
        [Row("smtp_sender_only", c2s=78, both=4)],
        _spread(SMTP_TLS_C2S_KINDS, c2s=990, both=78),
        _spread(SMTP_TLS_KINDS, s2c=230),
        _spread(SMTP_HELLO_KINDS, c2s=60, both=12),
        _spread(SMTP_REPLY_KINDS, s2c=237),
        _spread(NOT_MAIL_KINDS, c2s=596, s2c=82, both=80),
        _spread(SILENT_C2S_KINDS, c2s=6411),
        _spread(SILENT_S2C_KINDS, s2c=422),
        _spread(SILENT_KINDS, both=62),
        ports=(25,),
    )


@cache
def mixed() -> Makeup:
    """The field's capture of ports 25, 110 and 143: 17,963 sessions, 8,343 effective, 6,714 mail.

    | effective sessions | c2s | s2c | both | all |
    |---|---|---|---|---|
    | SMTP message with From and To | 113 | | 9 | 122 |
    | SMTP message whose To names nobody | 1 | | | 1 |
    | SMTP envelope only | 3,483 | | 75 | 3,558 |
    | SMTP sender only, no recipient | 74 | | 3 | 77 |
    | SMTP hello only, login failed, refused | 100 | | 20 | 120 |
    | SMTP server's replies only | | 160 | | 160 |
    | SMTP STARTTLS | 1,400 | 150 | 90 | 1,640 |
    | POP3 login | 230 | 60 | 30 | 320 |
    | POP3 STLS | 180 | 40 | 20 | 240 |
    | IMAP login | 150 | 60 | 22 | 232 |
    | IMAP STARTTLS | 200 | 30 | 14 | 244 |
    | not mail | 1,384 | 184 | 61 | 1,629 |
    | **effective** | 7,315 | 684 | 344 | 8,343 |
    | not effective: scans, refusals, silence | 9,048 | 537 | 35 | 9,620 |
    """
    return _column(
        _spread(MESSAGE_KINDS, c2s=113, both=9),
        [Row("smtp_without_to", c2s=1)],
        _spread(ENVELOPE_KINDS, c2s=3483, both=75),
        [Row("smtp_sender_only", c2s=74, both=3)],
        _spread(SMTP_HELLO_KINDS, c2s=100, both=20),
        _spread(SMTP_REPLY_KINDS, s2c=160),
        _spread(SMTP_TLS_C2S_KINDS, c2s=1400, both=90),
        _spread(SMTP_TLS_KINDS, s2c=150),
        _spread(POP3_C2S_KINDS, c2s=230),
        _spread(POP3_KINDS, s2c=60, both=30),
        [Row("pop3_stls", c2s=180, s2c=40, both=20)],
        _spread(IMAP_C2S_KINDS, c2s=150),
        _spread(IMAP_S2C_KINDS, s2c=60),
        _spread(IMAP_KINDS, both=22),
        [Row("imap_starttls", c2s=200, s2c=30, both=14)],
        _spread(NOT_MAIL_KINDS, c2s=1384, s2c=184, both=61),
        _spread(SILENT_C2S_KINDS, c2s=9048),
        _spread(SILENT_S2C_KINDS, s2c=537),
        _spread(SILENT_KINDS, both=35),
        ports=(25, 110, 143),
    )


def with_bulk(makeup: Makeup) -> Makeup:
    """The same sessions with so much TLS that `port25` comes to 214 MB in 256,000 packets."""
    return replace(makeup, tls_bulk=163)


COLUMNS = {"port25": port25, "mixed": mixed}


def random_makeup(seed: int, sessions: int = 40) -> Makeup:
    """Any make-up: kinds, sides and impairments drawn from `seed`."""
    rng = Random(seed)
    rows = []
    for _ in range(sessions):
        kind = rng.choice(tuple(KINDS))
        views = views_of(kind)
        seen = rng.choice(sorted(views))
        rows.append(Row(kind, int(seen is View.C2S), int(seen is View.S2C), int(seen is View.BOTH)))
    rates = {item.name: rng.choice((0.0, 0.0, rng.random(), 1.0)) for item in fields(Impairments)}
    return Makeup(
        tuple(rows), Impairments(**rates), ipv6=rng.random(), tls_bulk=rng.choice((0, 0, 3))
    )
