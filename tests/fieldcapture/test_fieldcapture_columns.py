"""The two columns of the field analysis, counted from the truth alone."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from fieldcapture import COLUMNS, SessionTruth, draw_capture

FIELD = {
    "port25": {
        "sessions": {"c2s": 11347, "s2c": 971, "bidirectional": 352},
        "effective": {"c2s": 4936, "s2c": 549, "bidirectional": 290},
        "mail": 5017,
        "starttls": 1298,
        "fields": {"mailfrom": 3410, "from": 248, "rcptto": 3328, "to": 246},
        "no_mail_field": 309,
    },
    "mixed": {
        "sessions": {"c2s": 16363, "s2c": 1221, "bidirectional": 379},
        "effective": {"c2s": 7315, "s2c": 684, "bidirectional": 344},
        "mail": 6714,
        "starttls": 2124,
        "fields": {"mailfrom": 3758, "from": 123, "rcptto": 3681, "to": 122},
        "no_mail_field": 832,
    },
}


@cache
def drawn(name: str, seed: int) -> list[SessionTruth]:
    return draw_capture(COLUMNS[name](), seed).sessions


def column_of(sessions: list[SessionTruth]) -> dict[str, object]:
    records = [session.record() for session in sessions]
    effective = [record for record in records if record["effective"]]
    mail = [record for record in effective if "service" in record]
    starttls = [record for record in mail if record["starttls"] in ("requested", "accepted", "tls")]
    fields = ("mailfrom", "from", "rcptto", "to")
    return {
        "sessions": Counter(record["direction"] for record in records),
        "effective": Counter(record["direction"] for record in effective),
        "mail": len(mail),
        "starttls": len(starttls),
        "fields": {field: sum(bool(record[field]) for record in mail) for field in fields},
        "no_mail_field": sum(
            record not in starttls and not any(record[field] for field in fields) for record in mail
        ),
    }


@pytest.mark.parametrize(("name", "seed"), [("port25", 1), ("port25", 20261124), ("mixed", 1)])
def test_a_column_is_the_fields_whatever_the_seed(name: str, seed: int) -> None:
    assert column_of(drawn(name, seed)) == FIELD[name]


def test_ports_are_those_of_the_field() -> None:
    assert {s.server.port for s in drawn("port25", 1)} == {25}
    assert {s.server.port for s in drawn("mixed", 1)} == {25, 110, 143}


def test_every_mail_session_without_addresses_has_a_cause() -> None:
    for session in drawn("mixed", 1):
        facts = session.facts
        addressed = facts.mailfrom or facts.rcptto or facts.from_ or facts.to
        assert (facts.empty_cause is None) == (facts.service is None or bool(addressed))
