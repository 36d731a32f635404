"""The one table of a session's fields: how each is read, merged, listed, redacted and explained.

Everything that handles fields of a session takes them from here: the loaders, the stitching of two
sensors' halves, the listing with --sessions, the policy's `redact`, the store of live mode, and
the table of fields in docs/reference/session.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mailtap.records.fields import (
    ADDRESS,
    BOOLEAN,
    COUNT,
    DURATION,
    HAS_MEMBERS,
    PORT_NUMBER,
    TEXT,
    TIME,
    Field,
    Transform,
    sanitised,
    usually,
)
from mailtap.sessions import merging
from mailtap.sessions.vocabulary import (
    DECODE_AS,
    DIRECTIONS,
    EMPTY_CAUSES,
    SERVICES,
    STAGES,
    STARTTLS_STEPS,
)

#: A text of the record in full: the decoder keeps no longer one.
LONG_TEXT = sanitised(2048)

#: A set in Zeek's notation or in JSON's, as one text: `session_records.lists_of_sets` divides it.
SET = Transform(lambda text: text, lambda text: text)

#: What addresses and ports a Community ID can be searched for.
_ENDPOINTS = tuple(
    f"{end}_{part}" for end in ("client", "server", "id.orig", "id.resp") for part in ("h", "p")
)

#: What a server may quote in a reply.
_IN_REPLIES = (
    "client_h",
    "id.orig_h",
    "id.resp_h",
    "server_h",
    "helo",
    "user",
    "mailfrom",
    "rcptto",
)


@dataclass(frozen=True)
class SessionField:
    """A field of the session record, and its column in table `sessions`.

    Several columns may be made of one field: whether a set has members is all that counts need,
    its members are wanted by a listing only.

    - `name`: in the record; None for a column that no record has.
    - `column`, `type`: in table `sessions`, in SQL.
    - `transform`: from a record's text to the column's value.
    - `merge`: SQL of the value for two halves, the client's `a` and the server's `b`.
    - `listed`: whether --sessions lists it.
    - `detail`: the column is only there when sessions are to be listed.
    - `live`: live mode has the column though it is a detail, for its page and its store.
    - `redacted_by`: names in the policy's `redact` that hide it, beside its own.
    - `kind`, `meaning`: what docs/reference/session.md says about it.
    """

    name: str | None
    column: str
    type: str
    transform: Transform = TEXT
    merge: str = ""
    listed: bool = True
    detail: bool = False
    live: bool = False
    redacted_by: tuple[str, ...] = ()
    kind: str = "string"
    meaning: str = ""

    def merged(self) -> str:
        """SQL of the value for two halves: `merge`, or that of the half which has one."""
        return self.merge or merging.either_has(self.column)

    def is_redacted(self, redact: Collection[str]) -> bool:
        """Whether the policy's `redact` hides it."""
        return not {self.name, self.column, *self.redacted_by}.isdisjoint(redact)


def _text(name: str, kind: str, meaning: str, **more: object) -> SessionField:
    return SessionField(name, name, "VARCHAR", kind=kind, meaning=meaning, **more)  # type: ignore[arg-type]


def _choice(
    name: str, names: Collection[str], meaning: str, *, kind: str = "", merge: str = ""
) -> SessionField:
    """A text that is one of `names`; `kind` says so in other words."""
    listed = kind or " ".join(f"`{one}`" for one in names)
    return _text(name, listed, meaning, transform=usually(names), merge=merge)


def _count(name: str, meaning: str, merge: str) -> SessionField:
    return SessionField(name, name, "BIGINT", COUNT, merge, kind="count", meaning=meaning)


def _endpoint(
    name: str, column: str, redacted_by: tuple[str, str], meaning: str
) -> tuple[SessionField, SessionField]:
    """An end's address and port. It is hidden under its other names, too: a mail role and a TCP
    role are two names of one end.
    """
    address, port = (
        SessionField(
            f"{name}_{part}",
            f"{column}_{part}",
            type_,
            transform,
            redacted_by=tuple(f"{other}_{part}" for other in redacted_by),
            kind=kind,
            meaning=f"{kind} of the {meaning}",
        )
        for part, type_, transform, kind in (
            ("h", "VARCHAR", ADDRESS, "address"),
            ("p", "INTEGER", PORT_NUMBER, "port"),
        )
    )
    return address, port


def _detail(
    name: str,
    kind: str,
    meaning: str,
    *,
    column: str | None = None,
    type_: str = "VARCHAR",
    transform: Transform = LONG_TEXT,
    merge: str = "",
) -> SessionField:
    return SessionField(
        name, column or name, type_, transform, merge, detail=True, kind=kind, meaning=meaning
    )


def _set(name: str, meaning: str, *, column: str | None = None) -> SessionField:
    return _detail(name, "list of string", meaning, column=column, type_="VARCHAR[]", transform=SET)


def _detail_count(name: str, meaning: str) -> SessionField:
    return _detail(
        name,
        "count",
        meaning,
        type_="BIGINT",
        transform=COUNT,
        merge=merging.most(name),
    )


def _detail_time(name: str, meaning: str) -> SessionField:
    return _detail(name, "seconds", meaning, type_="DOUBLE", transform=TIME)


def _has(name: str) -> SessionField:
    """Whether the record has any address of this kind."""
    column = f"has_{name}"
    return SessionField(
        name, column, "BOOLEAN", HAS_MEMBERS, merging.either_is(column), listed=False
    )


def _unlisted(column: str, type_: str, merge: str = "") -> SessionField:
    """A column that no record has: a key, or what a source says about the third-party label."""
    return SessionField(None, column, type_, merge=merge, listed=False)


#: In the order of docs/reference/session.md.
FIELDS: tuple[SessionField, ...] = (
    _unlisted("session_id", "BIGINT", merging.FIRST_ID),
    # Which sensor saw it: its source (folder, file or URL) where there are several, and its node.
    _unlisted("sensor", "VARCHAR", merging.both("sensor", " + ")),
    SessionField(
        "ts", "ts", "DOUBLE", TIME, merging.START, kind="seconds", meaning="first packet (epoch)"
    ),
    SessionField(
        "duration",
        "duration",
        "DOUBLE",
        DURATION,
        merging.DURATION,
        kind="seconds",
        meaning="from the first packet to the last",
    ),
    _text(
        "uid",
        "string",
        "Zeek's, or the embedded engine's own (`C` and a hash of the tuple and start)",
        merge=merging.both("uid", " "),
    ),
    *_endpoint("id.orig", "orig", ("client", "server"), "TCP originator, as in conn.log"),
    *_endpoint("id.resp", "resp", ("client", "server"), "TCP responder, as in conn.log"),
    _text(
        "community_id",
        "string",
        "Community ID v1; hidden with any of the addresses and ports it is made of",
        redacted_by=_ENDPOINTS,
    ),
    *_endpoint(
        "client",
        "client",
        ("id.orig", "id.resp"),
        "mail client: by content, else by handshake, else by port",
    ),
    *_endpoint("server", "server", ("id.orig", "id.resp"), "mail server"),
    _unlisted("ip_a", "VARCHAR"),
    _unlisted("port_a", "INTEGER"),
    _unlisted("ip_b", "VARCHAR"),
    _unlisted("port_b", "INTEGER"),
    _choice("service", SERVICES, "unset: no mail recognised"),
    _choice(
        "direction",
        DIRECTIONS,
        "whose packets the tap saw, by mail role",
        merge="'bidirectional'",
    ),
    _choice("starttls", STARTTLS_STEPS, "furthest step", merge=merging.STARTTLS),
    SessionField(
        "implicit_tls",
        "implicit_tls",
        "BOOLEAN",
        BOOLEAN,
        merging.either_is("implicit_tls"),
        kind="bool",
        meaning="TLS from the first byte",
    ),
    _choice("tunnel", ("http", "socks"), "mail carried in a proxy's tunnel"),
    _choice(
        "decode_as",
        DECODE_AS,
        "`HTTP` when the session is HTTP, also as a tunnel for mail; `SSL` when TLS from the first "
        "byte; else `MAIL` when `service` is set; else `BASE`. A site's own rule can replace it",
        merge=merging.DECODE_AS,
    ),
    SessionField(
        "effective",
        "effective",
        "BOOLEAN",
        BOOLEAN,
        merging.EFFECTIVE,
        kind="bool",
        meaning="more than 3 packets and more than 5 payload bytes (both are options)",
    ),
    _count("client_pkts", "packets of the client", merging.total("client_pkts")),
    _count(
        "client_bytes",
        "the client's TCP payload bytes on the wire, without retransmissions",
        merging.total("client_bytes"),
    ),
    _count("server_pkts", "packets of the server", merging.total("server_pkts")),
    _count("server_bytes", "the server's TCP payload bytes", merging.total("server_bytes")),
    _count("gap_bytes", "payload bytes known to be missing", merging.total("gap_bytes")),
    SessionField(
        "midstream",
        "midstream",
        "BOOLEAN",
        BOOLEAN,
        merging.both_are("midstream"),
        kind="bool",
        meaning="the handshake was not seen",
    ),
    _detail("helo", "string", "argument of the last EHLO, HELO or LHLO that has one"),
    _has("mailfrom"),
    _has("rcptto"),
    _has("from"),
    _has("to"),
    _set("mailfrom", "envelope senders as they came, each once, capped; the null sender is `<>`"),
    _set("rcptto", "envelope recipients, likewise"),
    _set(
        "from",
        "header senders, likewise: of SMTP's messages, and of what POP3 RETR and TOP and IMAP "
        "FETCH deliver",
        column="header_from",
    ),
    _set("to", "header recipients, likewise", column="header_to"),
    _text("subject", "string", "of the last message"),
    _detail("msg_id", "string", "of the last message"),
    _text("user_agent", "string", "of the last message, or of the tunnel's HTTP request"),
    _detail_count("mailfrom_count", "MAIL commands seen, refused ones too"),
    _detail_count("rcptto_count", "RCPT commands seen, refused ones too"),
    _detail(
        "auth",
        "string",
        "mechanism in capitals: `PLAIN`, `LOGIN`, `USER` (POP3 USER/PASS), `APOP`, …",
    ),
    _detail("auth_result", "`success` `failure`", "unset when not seen"),
    _detail("user", "string", "user name; never a secret", column="user_name"),
    _detail_count(
        "messages",
        "messages delivered (SMTP: DATA ended, last BDAT chunk) or retrieved (POP3, IMAP)",
    ),
    _detail_count("commands", "commands of the client"),
    _detail_count("replies", "replies of the server"),
    _detail("last_command", "string", "verb of the last command"),
    SessionField(
        "last_reply",
        "last_reply",
        "VARCHAR",
        LONG_TEXT,
        detail=True,
        live=True,
        redacted_by=_IN_REPLIES,
        kind="string",
        meaning="the last reply's whole line (its last one); hidden with what servers quote in "
        "replies: the client's name and address, the user and the envelope's addresses",
    ),
    _detail("banner", "string", "text of the greeting"),
    _choice(
        "stage",
        STAGES,
        "furthest",
        kind="see below",
        merge=merging.furthest("stage", STAGES),
    ),
    _detail(
        "findings",
        "list of string",
        "names of what is wrong with the session's encryption",
        type_="VARCHAR[]",
        transform=SET,
        merge=merging.union("findings"),
    ),
    SessionField(
        "findings",
        "finding_names",
        "VARCHAR",
        SET,
        merging.both("finding_names", " "),
        listed=False,
    ),
    _text("tls_version", "string", "of TLS after an upgrade or from the first byte"),
    _detail("tls_cipher", "string", "the cipher suite that the server chose"),
    _text("sni", "string", "the server name that the client asked for"),
    _detail("alpn", "string", "the application protocol agreed on"),
    _detail("ja4", "string", "JA4 fingerprint of the client"),
    _text("cert_subject", "string", "of the server's certificate, in the clear up to TLS 1.2"),
    _text("cert_issuer", "string", "likewise"),
    _set("cert_names", "names that the certificate is for"),
    _detail_time("cert_not_before", "start of the certificate's validity (epoch)"),
    SessionField(
        "cert_not_after",
        "cert_not_after",
        "DOUBLE",
        TIME,
        kind="seconds",
        meaning="its end (epoch)",
    ),
    SessionField(
        "cert_self_signed",
        "cert_self_signed",
        "BOOLEAN",
        BOOLEAN,
        kind="bool",
        meaning="subject and issuer are the same",
    ),
    _choice(
        "empty_cause",
        EMPTY_CAUSES,
        "only for a mail session without `mailfrom`, `rcptto`, `from` and `to`",
        kind="see below",
        merge=merging.EMPTY_CAUSE,
    ),
    _text(
        "node",
        "string",
        "sensor node",
        merge=merging.both("node", " + "),
        redacted_by=("sensor",),
    ),
    _count("seq", "the node's running number of the record", merging.NO_NUMBER),
    # Whose decoding it is: `mailtap`, `zeek` (stock Zeek) or `gateway`.
    _unlisted("decoder", "VARCHAR"),
    # Of the third-party label, where the source of sessions carries it; as in table `labels`.
    _unlisted("app", "VARCHAR"),
    _unlisted("label_name", "VARCHAR"),
    _unlisted("label_protocol", "VARCHAR"),
    _unlisted("label_encryption", "VARCHAR"),
    _unlisted("label_carrier", "VARCHAR"),
    _unlisted("label_provenance", "VARCHAR"),
    _unlisted("label_is_label", "BOOLEAN"),
)

#: Where the records of different writers have the node's name.
_NODE_PLACES = ("node", "_system_name", "_node_name")


def columns(*, details: bool) -> dict[str, str]:
    """The columns of table `sessions` with their types, those for a listing only with `details`."""
    return {field.column: field.type for field in FIELDS if details or not field.detail}


def live_columns() -> dict[str, str]:
    """The columns of a session in live mode, with their types."""
    return {field.column: field.type for field in FIELDS if field.live or not field.detail}


def record_fields(*, details: bool, live: bool = False) -> Mapping[str, Field]:
    """How each column is read from a session record; `live`: also those of live mode only."""
    return {
        field.column: Field(
            _NODE_PLACES if field.name == "node" else (field.name,), field.transform
        )
        for field in FIELDS
        if field.name is not None and (details or not field.detail or (live and field.live))
    }


def markdown() -> str:
    """The table of fields in docs/reference/session.md."""
    rows = [
        f"| `{field.name}` | {field.kind} | {field.meaning} |" for field in FIELDS if field.listed
    ]
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *rows]) + "\n"
