"""Who is wrong about a session, by its causes."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtap.correlation.judgement import (
    CLIENT_SENT,
    QUOTED,
    SERVER_SENT,
    WRONG,
    evidence_of,
    evidence_sql,
    wrong_by_truth_sql,
    wrong_of,
    wrong_sql,
)
from mailtap.correlation.verdicts import CAUSES, INCONSISTENT, mask_of


@pytest.mark.parametrize(
    ("causes", "wrong"),
    [
        (("not_mail",), "label"),
        (("label_port_guess", "not_mail"), "label"),
        (("label_port_guess", "no_payload"), "undecided"),
        (("label_port_guess", "oneway"), "decoder"),
        (("unsupported",), "decoder"),
        (("conflict",), "label"),
        (("starttls",), "neither"),
        (("nonstandard_port",), "undecided"),
        ((), "undecided"),
    ],
)
def test_who_is_wrong(causes: tuple[str, ...], wrong: str) -> None:
    assert wrong_of(INCONSISTENT, causes) == wrong


def test_nobody_is_wrong_where_they_agree() -> None:
    assert wrong_of("consistent", ("starttls",)) is None


@given(st.sets(st.sampled_from(CAUSES)), st.sampled_from(["consistent", INCONSISTENT]))
def test_sql_says_the_same(causes: set[str], verdict: str) -> None:
    row = f"SELECT '{verdict}' AS verdict, {mask_of(causes)} AS causes"
    (found,) = duckdb.sql(f"SELECT {wrong_sql()} FROM ({row})").fetchall()
    assert found == (wrong_of(verdict, causes),)
    assert found[0] is None or found[0] in WRONG


SENT = tuple(column for _, column in (*SERVER_SENT, *CLIENT_SENT))


def test_evidence_is_the_rule_and_what_the_label_rests_on_and_the_first_line_of_each_side() -> None:
    row = {"label_provenance": "payload", "banner": "POP3 ready", "last_command": "QUIT"}
    assert evidence_of(row | {"last_reply": "+OK bye"}, ("conflict",), ()) == (
        "the decoder read commands or replies of another protocol; the label rests on: payload; "
        "the server's greeting: POP3 ready; the client's last command: QUIT"
    )


def test_evidence_without_a_rule_still_has_what_was_seen() -> None:
    assert evidence_of({"helo": "mx.example"}, ("nonstandard_port",), ()) == (
        "the client's hello: mx.example"
    )


@pytest.mark.parametrize("hidden", sorted(QUOTED))
def test_evidence_has_no_lines_in_which_something_redacted_may_be(hidden: str) -> None:
    row = dict.fromkeys(SENT, "secret") | {"label_provenance": "port"}
    assert "secret" not in evidence_of(row, ("conflict",), {hidden})
    assert "port" not in evidence_of(row, (), {"label_provenance"})


@given(
    st.fixed_dictionaries(
        dict.fromkeys(
            (*SENT, "label_provenance", "truth"), st.none() | st.sampled_from(["a; b", "it's"])
        )
    ),
    st.sets(st.sampled_from(CAUSES)),
    st.sets(st.sampled_from(["client_h", "label_provenance"])),
)
def test_sql_gives_the_same_evidence(
    row: dict[str, str | None], causes: set[str], redacted: set[str]
) -> None:
    columns = {name: name for name in (*row, "verdict", "causes")}
    texts = ", ".join(
        "NULL::VARCHAR AS " + name if text is None else f"$text_{name} AS {name}"
        for name, text in row.items()
    )
    (found,) = duckdb.execute(
        f"SELECT {evidence_sql(redacted, columns)} FROM "
        f"(SELECT '{INCONSISTENT}' AS verdict, {mask_of(causes)} AS causes, {texts})",
        {f"text_{name}": text for name, text in row.items() if text is not None},
    ).fetchall()
    assert found == (evidence_of(row, causes, redacted),)


@pytest.mark.parametrize(
    ("truth", "service", "label", "causes", "wrong"),
    [
        ("smtp", "smtp", "imap", ("conflict",), "label"),
        ("imap", "smtp", "imap", ("conflict",), "decoder"),
        ("pop3", "smtp", "imap", ("conflict",), "both"),
        ("other", None, "smtp", ("not_mail",), "label"),
        ("smtp", None, "smtp", ("not_mail",), "decoder"),
        ("smtp", None, "smtp", ("label_port_guess", "oneway"), "decoder"),
        ("smtp", "smtp", "smtp", (), "neither"),
        ("smtp", None, "smtp", ("implicit_tls",), "neither"),  # each named a part
        (None, "smtp", "imap", ("conflict",), "label"),  # by the rule
        (None, None, "imap", (), "undecided"),
    ],
)
def test_the_servers_log_decides_who_is_wrong(
    truth: str | None, service: str | None, label: str, causes: tuple[str, ...], wrong: str
) -> None:
    (found,) = duckdb.execute(
        f"SELECT {wrong_by_truth_sql('truth')} FROM (SELECT '{INCONSISTENT}' AS verdict, "
        f"{mask_of(causes)} AS causes, $truth AS truth, $service AS service, "
        "CASE WHEN $service IS NULL THEN 'BASE' ELSE 'MAIL' END AS decode_as, "
        "$label AS label_protocol)",
        {"truth": truth, "service": service, "label": label},
    ).fetchall()
    assert found == (wrong,)
