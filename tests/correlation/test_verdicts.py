"""Verdict and cause of a session that has a label, on one record and in SQL."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtap.correlation.verdicts import (
    Judge,
    Judgement,
    first_cause,
    first_cause_sql,
    judged_sql,
    named_causes,
)
from mailtap.policy import load_policy
from mailtap.sessions.vocabulary import DECODE_AS, DIRECTIONS, STAGES, STARTTLS_STEPS

JUDGE = Judge(load_policy())
TEST = JUDGE.test()

HAS = ("has_mailfrom", "has_rcptto", "has_from", "has_to")

#: A bidirectional session on port 25 that MailTap looked at and found no mail in, and a label that
#: read SMTP in its payload.
RECORD = {
    "server_p": 25,
    "service": None,
    "direction": "bidirectional",
    "starttls": "none",
    "implicit_tls": False,
    "tunnel": None,
    "decode_as": "BASE",
    "effective": True,
    "client_bytes": 100,
    "server_bytes": 100,
    "gap_bytes": 0,
    "midstream": False,
    "stage": "connect",
    "empty_cause": None,
    "decoder": None,
    **dict.fromkeys(HAS),
    "label_protocol": "smtp",
    "label_encryption": "none",
    "label_carrier": None,
    "label_provenance": "payload",
}

#: What a gateway's export tells of a session, and stock Zeek's conn.log.
GATEWAY = dict.fromkeys(RECORD) | {
    "server_p": 25,
    "decode_as": "BASE",
    "label_protocol": "smtp",
    "label_encryption": "none",
    "label_provenance": "unknown",
}
STOCK_ZEEK = RECORD | {"starttls": None, "implicit_tls": None, "stage": None}


def judged(record: dict[str, Any] = RECORD, **fields: Any) -> tuple[str, str | None]:
    one = record | fields
    judgement = TEST(one)
    causes = named_causes(judgement.causes)
    return judgement.verdict, first_cause(judgement.verdict, one["decode_as"], causes)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"decode_as": "MAIL", "service": "smtp"}, ("consistent", None)),
        (
            {"decode_as": "MAIL", "service": "imap", "label_protocol": "imap"}
            | {"label_encryption": "tls", "starttls": "tls"},
            ("compatible", "starttls"),
        ),
        (
            {"decode_as": "SSL", "implicit_tls": True, "label_encryption": "tls"},
            ("consistent", "implicit_tls"),
        ),
        ({"decode_as": "HTTP", "label_carrier": "http"}, ("consistent", "carrier")),
        (
            {"decode_as": "HTTP", "label_carrier": "http", "service": "imap", "tunnel": "http"}
            | {"label_protocol": "imap"},
            ("consistent", "carrier"),
        ),
        ({"label_protocol": None, "label_carrier": "vpn"}, ("consistent", "carrier")),
        ({"label_protocol": None}, ("consistent", None)),
    ],
)
def test_what_agrees(fields: dict[str, Any], expected: tuple[str, str | None]) -> None:
    assert judged(**fields) == expected


@pytest.mark.parametrize(
    ("record", "fields", "cause"),
    [
        (RECORD, {"label_provenance": "port", "client_bytes": 0}, "label_port_guess"),
        (RECORD, {"client_bytes": 0, "server_bytes": 0, "effective": False}, "no_payload"),
        (RECORD, {"effective": False}, "below_threshold"),
        (STOCK_ZEEK, {"direction": "c2s"}, "oneway"),
        (STOCK_ZEEK, {"direction": "bidirectional"}, "unexplained"),
        (RECORD, {"direction": "c2s", "server_bytes": 0}, "not_mail"),
        (RECORD, {"decode_as": "SSL", "implicit_tls": True}, "implicit_tls"),
        (STOCK_ZEEK, {"decode_as": "SSL", "server_p": 25}, "starttls"),
        (STOCK_ZEEK, {"decode_as": "SSL", "server_p": 465}, "implicit_tls"),
        (RECORD, {"decode_as": "MAIL", "service": "smtp", "label_carrier": "vpn"}, "carrier"),
        (RECORD, {"decode_as": "HTTP", "tunnel": "http", "service": "smtp"}, "carrier"),
        (RECORD, {"decode_as": "HTTP"}, "not_mail"),
        (RECORD, {}, "not_mail"),
        (RECORD, {"midstream": True}, "midstream"),
        (RECORD, {"gap_bytes": 5}, "gap"),
        (RECORD, {"service": "imap", "stage": "greeting"}, "greeting_only"),
        (GATEWAY, {"server_p": 80}, "nonstandard_port"),
        (GATEWAY, {}, "unexplained"),
        (RECORD, {"decode_as": "MAIL", "service": "smtp", "label_protocol": None}, "conflict"),
        (RECORD, {"decode_as": "MAIL", "service": "smtp", "label_protocol": "imap"}, "conflict"),
        (
            RECORD,
            {"decode_as": "MAIL", "service": "smtp", "label_protocol": None, "starttls": "tls"},
            "conflict",
        ),
    ],
)
def test_first_cause_of_what_disagrees(
    record: dict[str, Any], fields: dict[str, Any], cause: str
) -> None:
    assert judged(record, **fields) == ("inconsistent", cause)


def test_all_causes_that_hold_are_kept_in_order() -> None:
    judgement = TEST(RECORD | {"label_provenance": "port", "midstream": True})
    assert named_causes(judgement.causes) == ("label_port_guess", "midstream")


@pytest.mark.parametrize(
    ("server_port", "app_encryption", "form"),
    [(110, "tls", "starttls"), (995, "tls", "implicit_tls"), (8443, "tls", "implicit_tls")],
)
def test_a_gateway_s_ssl_is_starttls_on_a_port_where_mail_starts_in_the_clear(
    server_port: int, app_encryption: str, form: str
) -> None:
    fields = {"server_p": server_port, "decode_as": "SSL", "label_encryption": app_encryption}
    assert judged(GATEWAY, **fields) == ("consistent", form)


def test_sessions_without_anything_of_mail_are_out_of_scope() -> None:
    web = RECORD | {"server_p": 443, "label_protocol": None, "decode_as": "SSL"}
    assert not TEST(web).in_scope
    for mail in ({"server_p": 25}, {"label_protocol": "smtp"}, {"service": "pop3"}):
        assert TEST(web | mail).in_scope


def maybe(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([None, *values])


records = st.fixed_dictionaries(
    {
        "server_p": maybe(25, 110, 143, 465, 993, 80),
        "service": maybe("smtp", "pop3", "imap"),
        "direction": maybe(*DIRECTIONS),
        "starttls": maybe(*STARTTLS_STEPS),
        "implicit_tls": maybe(True, False),
        "tunnel": maybe("http", "socks"),
        "decode_as": st.sampled_from([*DECODE_AS, "OTHER"]),
        "effective": maybe(True, False),
        "client_bytes": maybe(0, 7),
        "server_bytes": maybe(0, 7),
        "gap_bytes": maybe(0, 7),
        "midstream": maybe(True, False),
        "stage": maybe(*STAGES),
        "empty_cause": maybe("greeting_only", "hello_only"),
        "decoder": maybe("mailtap", "zeek", "gateway"),
        **{name: maybe(True, False) for name in HAS},
        "label_protocol": maybe("smtp", "pop3", "imap"),
        "label_encryption": st.sampled_from(["none", "starttls", "tls", "unknown"]),
        "label_carrier": maybe("http", "socks", "vpn"),
        "label_provenance": st.sampled_from(["payload", "port", "ip", "cache", "unknown"]),
    }
)


@settings(max_examples=30, deadline=None)
@given(st.lists(records, min_size=1, max_size=30))
def test_sql_judges_as_python_does(rows: list[dict[str, Any]]) -> None:
    connection = duckdb.connect()
    kinds = {
        name: "BOOLEAN"
        if name in ("implicit_tls", "effective", "midstream", *HAS)
        else "BIGINT"
        if name in ("server_p", "client_bytes", "server_bytes", "gap_bytes")
        else "VARCHAR"
        for name in RECORD
    }
    columns = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
    connection.execute(f"CREATE TABLE pairs (number INTEGER, {columns})")
    places = ", ".join("?" * (len(kinds) + 1))
    connection.executemany(
        f"INSERT INTO pairs VALUES ({places})",
        [[number, *(row[name] for name in kinds)] for number, row in enumerate(rows)],
    )
    judged = connection.execute(
        f"SELECT {', '.join(Judgement._fields)}, {first_cause_sql()} FROM "
        f"(SELECT number, decode_as, {judged_sql()} FROM "
        f"(SELECT *, {JUDGE.sql()} AS judgement FROM pairs)) ORDER BY number"
    ).fetchall()
    tests = [(TEST(row), row["decode_as"]) for row in rows]
    assert judged == [
        (*one, first_cause(one.verdict, decode_as, named_causes(one.causes)))
        for one, decode_as in tests
    ]
