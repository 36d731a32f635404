"""Labels that name the service behind TLS, against the server name and the certificate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import mailtap
from mailtap.policy import load_policy
from test_report_tls import DAY, line

GOOGLE = {"sni": "smtp.gmail.com", "cert_subject": "CN=*.google.com,O=Google LLC"}


def services(
    folder: Path,
    several: list[tuple[str, dict[str, Any]]],
    policy: str = "",
    *,
    details: bool = False,
) -> Any:
    """The document's services, of sessions with the name of each one's label and its fields."""
    lines = [line(n, **{"implicit_tls": True, **fields}) for n, (_, fields) in enumerate(several)]
    labels = [
        {
            "app": name, "src_ip": "192.0.2.1", "src_port": 1024 + n, "dst_ip": "198.51.100.25",
            "dst_port": 25, "proto": "tcp", "start": DAY + 600 * n, "end": DAY + 600 * n + 1,
        }
        for n, (name, _) in enumerate(several)
    ]  # fmt: skip
    (folder / "sessions.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "labels.jsonl").write_text("\n".join(map(json.dumps, labels)) + "\n")
    (folder / "policy.yaml").write_text(policy)
    with mailtap.report(
        folder / "sessions.jsonl",
        labels=[f"dpi={folder / 'labels.jsonl'}"],
        policy=folder / "policy.yaml",
        keep_sessions=details,
    ) as made:
        if found := made.to_dict()["tls"]["services"]:
            assert "Services that labels name" in made.to_html()
        return found


def test_agreement_by_service(tmp_path: Path) -> None:
    found = services(
        tmp_path,
        [
            ("SMTPS.Google", GOOGLE),
            ("SMTPS.Google", {"sni": "smtp.gmail.com", "cert_subject": "CN=evil.example"}),
            ("SMTPS.Google", {}),
            ("IMAPS.Fastmail", {"sni": "imap.fastmail.com"}),
            ("IMAPS", GOOGLE),
            ("http.imap", GOOGLE),
        ],
    )
    assert found == [
        {
            "engine": "dpi", "service": "google", "sessions": 3, "seen": 2, "agree": 1,
            "example": "C1",
        },
        {
            "engine": "dpi", "service": "fastmail", "sessions": 1, "seen": 1, "agree": 1,
            "example": None,
        },
    ]  # fmt: skip


def test_all_names_of_a_certificate_count_where_sessions_are_kept(tmp_path: Path) -> None:
    names = ["mx.example", "smtp.gmail.com"]
    other = {"cert_subject": "CN=smtp.gmail.com", "cert_names": ["mx.example"]}
    several = [
        ("SMTPS.Google", {"cert_subject": "CN=mx.example", "cert_names": names}),
        ("SMTPS.Google", {"cert_names": names}),
        ("SMTPS.Google", {"cert_names": names, "sni": "mx.example"}),
        ("SMTPS.Google", other),
    ]
    (found,) = services(tmp_path, several, details=True)
    assert (found["seen"], found["agree"], found["example"]) == (4, 2, "C2")
    (found,) = services(tmp_path, several)
    assert (found["seen"], found["agree"], found["example"]) == (3, 1, "C0")


def test_what_is_not_in_tls_shows_no_service(tmp_path: Path) -> None:
    plain = {"implicit_tls": False, "starttls": "none"}
    assert services(tmp_path, [("SMTP.Google", plain)]) == []


def test_a_sites_own_service_and_redaction(tmp_path: Path) -> None:
    several = [("SMTPS.Acme", {"sni": "mx.acme.example"})]
    (own,) = services(tmp_path, several, "services: {acme: [acme.example]}\n")
    assert (own["service"], own["agree"]) == ("acme", 1)
    assert services(tmp_path, several, "redact: [app]\n") == []
    (hidden,) = services(
        tmp_path, [("SMTPS.Google", {"sni": "mx.acme.example"})], "redact: [uid]\n"
    )
    assert hidden["example"] is None


@pytest.mark.parametrize(
    ("service", "host", "agrees"),
    [
        ("google", "mx.google.com", True),
        ("google", "GOOGLE.COM.", True),
        ("google", "*.google.com", True),
        ("google", "notgoogle.com", False),
        ("google", "google.com.evil.example", False),
        ("fastmail", "mx1.fastmail.com", True),
        ("fastmail", "mx1.notfastmail.com", False),
    ],
)
def test_names_of_a_service(service: str, host: str, agrees: bool) -> None:
    assert load_policy(None).is_of_service(service, host) == agrees
