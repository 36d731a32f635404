"""What the report counts when there are no labels."""

from __future__ import annotations

import io
import json
from typing import Any

import duckdb
import pytest
from rich.console import Console

from mailtap.correlation.engines import DuckDBEngine
from mailtap.policy import load_policy
from mailtap.report import text
from mailtap.report.build import build_report
from mailtap.report.json import document, to_json
from mailtap.report.model import Report
from mailtap.sessions.table import create_table

MAIL = {"effective": True, "service": "smtp", "decode_as": "MAIL", "direction": "c2s"}


def report_of(*sessions: dict[str, Any]) -> Report:
    connection = duckdb.connect()
    create_table(connection)
    unset = {"starttls": "none"} | dict.fromkeys(
        ("has_mailfrom", "has_rcptto", "has_from", "has_to"), False
    )
    for session in sessions:
        values = unset | session
        names, places = ", ".join(values), ", ".join("?" * len(values))
        connection.execute(f"INSERT INTO sessions ({names}) VALUES ({places})", [*values.values()])
    return build_report(DuckDBEngine(connection), load_policy(), engine_name="embedded")


def shown(report: Report) -> str:
    output = io.StringIO()
    text.render(report, Console(file=output, width=100))
    return output.getvalue()


def test_no_session_is_a_report_too() -> None:
    found = document(report_of())
    assert found["sessions"] == 0
    assert found["decode_as"] == {"MAIL": 0, "BASE": 0, "SSL": 0, "HTTP": 0}
    assert found["consistency"] is None
    assert "TCP sessions" in shown(report_of())


def test_sides_are_counted_for_all_and_for_effective_sessions() -> None:
    report = report_of(
        {"direction": "c2s", "effective": False, "decode_as": "BASE"},
        {"direction": "c2s", "effective": True, "decode_as": "BASE"},
        {"direction": "s2c", "effective": True, "decode_as": "MAIL"},
        {"direction": "bidirectional", "effective": True, "decode_as": "HTTP"},
    )
    found = document(report)
    assert found["direction"] == {"c2s": 2, "s2c": 1, "bidirectional": 1}
    assert found["effective"] == {
        "sessions": 3,
        "direction": {"c2s": 1, "s2c": 1, "bidirectional": 1},
    }
    assert found["decode_as"] == {"MAIL": 1, "BASE": 2, "SSL": 0, "HTTP": 1}
    assert "4: 2 / 1 / 1" in shown(report)


def test_mail_is_an_effective_session_with_a_service() -> None:
    report = report_of(
        MAIL,
        MAIL | {"service": "imap"},
        MAIL | {"effective": False},
        MAIL | {"service": None},
    )
    assert report.mail.sessions == 2
    assert report.mail.service == {"smtp": 1, "pop3": 0, "imap": 1}
    assert "2 (66.7% of effective)" in shown(report)


@pytest.mark.parametrize(
    ("step", "counted"),
    [("none", 0), ("offered", 0), ("requested", 1), ("refused", 0), ("accepted", 1), ("tls", 1)],
)
def test_starttls_counts_the_steps_after_which_the_rest_is_meant_to_be_encrypted(
    step: str, counted: int
) -> None:
    report = report_of(MAIL | {"starttls": step})
    assert report.mail.starttls == counted
    assert report.mail.no_mail_field == 1 - counted


@pytest.mark.parametrize(
    ("field", "figure"),
    [
        ("has_mailfrom", "mail_from_cmd"),
        ("has_from", "mail_from"),
        ("has_rcptto", "mail_to_cmd"),
        ("has_to", "mail_to"),
    ],
)
def test_each_address_field_has_its_figure(field: str, figure: str) -> None:
    mail = document(report_of(MAIL | {field: True}, MAIL))["mail"]
    figures = ("mail_from_cmd", "mail_from", "mail_to_cmd", "mail_to")
    assert {name: mail[name] for name in figures} == dict.fromkeys(figures, 0) | {figure: 1}
    assert mail["no_mail_field"] == 1


def test_causes_of_empty_fields_are_shares_of_the_sessions_without_addresses() -> None:
    report = report_of(
        MAIL | {"empty_cause": "starttls"},
        MAIL | {"empty_cause": "hello_only"},
        MAIL | {"empty_cause": "hello_only", "effective": False},
        MAIL | {"has_from": True},
    )
    assert report.mail.empty_cause["starttls"] == 1
    assert report.mail.empty_cause["hello_only"] == 1
    assert report.mail.empty_cause["no_message"] == 0
    assert "Why 2 mail sessions have no address" in shown(report)
    assert "50.0%" in shown(report)


def test_a_site_s_own_decode_as_is_counted_after_the_known_ones() -> None:
    report = report_of({"decode_as": "VOIP"}, {"decode_as": "BASE"})
    assert [*report.decode_as.items()][-1] == ("VOIP", 1)


def test_escapes_and_markup_from_a_log_are_shown_and_not_obeyed() -> None:
    report = report_of({"decode_as": "\x1b[31m[red]\u202eX[/red]\n"})
    assert r"\x1b[31m[red]\u202eX[/red]\n" in shown(report)
    assert "\x1b" not in to_json(report)
    assert json.loads(to_json(report))["decode_as"]["\x1b[31m[red]\u202eX[/red]\n"] == 1
