"""Captures with exactly one trouble each: the report names it and says what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import mailtap
from fieldcapture import Impairments, Makeup, Row
from fieldcapture.capture import write_capture
from mailtap.policy import load_policy
from truth_labels import write_labels

SESSIONS = 4
SHIPPED = load_policy()


@dataclass(frozen=True)
class Trouble:
    """Sessions of a kind, what the engine calls them, and what must come of it.

    `late`: seconds by which the engine's clock is behind.
    """

    kind: str
    side: str
    cause: str
    action: str
    app: str = "smtp"
    provenance: str = "payload"
    impairments: Impairments = Impairments()  # noqa: RUF009  # frozen
    late: tuple[float, ...] = (0.0,)


TROUBLES = {
    "encrypted after STARTTLS": Trouble(
        "smtp_starttls", "both", "starttls", "nothing_encrypted"
    ),
    "encrypted from the first byte": Trouble(
        "implicit_tls", "both", "implicit_tls", "nothing_encrypted", app="smtps"
    ),
    "a scan without payload": Trouble(
        "handshake_only", "c2s", "no_payload", "look_for_missing_payload"
    ),
    "a few bytes": Trouble("few_bytes", "c2s", "below_threshold", "nothing_too_short"),
    "a VPN on a mail port": Trouble(
        "openvpn", "both", "not_mail", "ask_engine_about_not_mail"
    ),
    "a proxy": Trouble("http", "both", "carrier", "nothing_carried", app="http.imap"),
    "seen from the middle on": Trouble(
        "openvpn", "both", "midstream", "start_before_sessions",
        impairments=Impairments(midstream=1.0),
    ),
    "only the servers' side of SMTP": Trouble(
        "smtp_message", "s2c", "server_side_only", "mirror_client_side"
    ),
    "only the clients' side of IMAP": Trouble(
        "imap_fetch_message", "c2s", "client_side_only", "mirror_server_side", app="imap"
    ),
    "no more than a hello": Trouble(
        "smtp_hello_only", "both", "hello_only", "nothing_without_message"
    ),
    "a login without a message": Trouble(
        "pop3_login_only", "both", "login_only", "nothing_without_message", app="pop3"
    ),
    "labels of flows that the tap did not see": Trouble(
        "smtp_message", "both", "unmatched", "find_labelled_sessions", late=(-100_000.0,)
    ),
}  # fmt: skip


def report_of(trouble: Trouble, folder: Path) -> dict[str, Any]:
    sides = {trouble.side: SESSIONS}
    makeup = Makeup((Row(trouble.kind, **sides),), trouble.impairments, ports=(25,), ipv6=0.0)
    capture, truth, labels = folder / "c.pcap", folder / "truth.jsonl", folder / "labels.csv"
    write_capture(makeup, 1, capture, truth)
    write_labels(truth, labels, lambda _: trouble.app, trouble.provenance, trouble.late)
    with mailtap.analyze(capture, labels=[labels], policy=SHIPPED, keep_sessions=False) as found:
        return found.to_dict()


@pytest.mark.parametrize("name", TROUBLES)
def test_a_capture_with_one_trouble_has_its_action_alone(name: str, tmp_path: Path) -> None:
    trouble = TROUBLES[name]
    document = report_of(trouble, tmp_path)
    assert [(one["cause"], one["action"], one["n"]) for one in document["actions"]] == [
        (trouble.cause, trouble.action, SESSIONS)
    ]


def test_what_the_engine_guessed_is_advised_about_beside_what_the_sessions_are(
    tmp_path: Path,
) -> None:
    trouble = Trouble("openvpn", "both", "not_mail", "", provenance="port")
    actions = {one["cause"]: one for one in report_of(trouble, tmp_path)["actions"]}
    assert actions["not_mail"]["action"] == "ask_engine_about_not_mail"
    assert actions["label_port_guess"]["action"] == "set_engine_to_payload"
    assert actions["label_port_guess"]["n"] == SESSIONS


def test_sessions_of_another_protocol_than_the_label_says_are_to_be_compared(
    tmp_path: Path,
) -> None:
    trouble = Trouble("smtp_message", "both", "", "", app="imap")
    actions = report_of(trouble, tmp_path)["actions"]
    assert [(one["cause"], one["action"], one["n"]) for one in actions] == [
        ("conflict", "compare_decoders", SESSIONS)
    ]
    assert len(actions[0]["examples"]) == 2


def test_mail_with_addresses_needs_no_action(tmp_path: Path) -> None:
    assert report_of(Trouble("smtp_message", "both", "", ""), tmp_path)["actions"] == []
