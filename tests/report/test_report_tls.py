"""The report's section on TLS, from session lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mailtap import report

DAY = 1_700_006_400.0


def line(number: int, **fields: object) -> str:
    ends = {
        "orig_h": "192.0.2.1", "orig_p": 1024 + number, "resp_h": "198.51.100.25", "resp_p": 25,
    }  # fmt: skip
    record: dict[str, Any] = {
        "ts": DAY + 600 * number, "duration": 1.0, "uid": f"C{number}",
        **{f"id.{name}": value for name, value in ends.items()},
        "client_h": ends["orig_h"], "client_p": ends["orig_p"],
        "server_h": ends["resp_h"], "server_p": ends["resp_p"],
        "service": "smtp", "direction": "bidirectional", "starttls": "tls", "implicit_tls": False,
        "decode_as": "MAIL", "effective": True, "client_pkts": 9, "client_bytes": 99,
        "server_pkts": 9, "server_bytes": 99, "stage": "hello", "node": "n", "seq": number,
    }  # fmt: skip
    return json.dumps(record | fields)


def document(folder: Path, lines: list[str]) -> dict[str, Any]:
    source = folder / "sessions.jsonl"
    source.write_text("\n".join(lines) + "\n")
    for keep in False, True:
        with report(source, keep_sessions=keep) as made:
            found = made.to_dict()
            assert "TLS" in made.to_html()
    return found


def test_starttls_by_server(tmp_path: Path) -> None:
    steps = ["tls", "tls", "accepted", "offered", "refused", "none", "requested"]
    found = document(tmp_path, [line(n, starttls=step) for n, step in enumerate(steps)])
    assert list(found["tls"]["starttls"]) == [
        {
            "server": "198.51.100.25", "port": 25, "sessions": 7, "offered": 5, "used": 3,
            "refused": 1, "never": 1, "vanished": 0, "ci95": None,
        }
    ]  # fmt: skip


def test_an_hour_without_offers(tmp_path: Path) -> None:
    lines = [line(n, starttls="none" if 60 <= n < 66 else "tls") for n in range(144)]
    found = document(tmp_path, lines)
    (server,) = found["tls"]["starttls"]
    assert server["vanished"] == 6
    assert 0.5 < server["ci95"][0] < server["ci95"][1] == 1
    assert found["findings"]["starttls_vanished"] == 6


def test_offers_that_come_and_go(tmp_path: Path) -> None:
    lines = [line(n, starttls="none" if n % 5 == 0 else "tls") for n in range(144)]
    assert document(tmp_path, lines)["findings"]["starttls_vanished"] == 0


def test_certificates_and_versions(tmp_path: Path) -> None:
    usual = {"tls_version": "TLSv12", "cert_subject": "CN=mx", "cert_issuer": "CN=ca"}
    lines = [
        line(0, **usual, cert_not_after=DAY + 1e6),
        line(1, **usual, cert_not_after=DAY - 1),
        line(2, **usual, cert_not_after=DAY + 2e6),
        line(
            3, **{**usual, "cert_issuer": "CN=mx"}, cert_not_after=DAY + 1e6, cert_self_signed=True
        ),
        line(4, tls_version="TLSv13"),
    ]
    found = document(tmp_path, lines)
    assert found["tls"]["versions"] == {"TLSv12": 4, "TLSv13": 1}
    assert found["tls"]["certificates"] == {
        "seen": 4, "expired": 1, "self_signed": 1, "changed": 1,
    }  # fmt: skip
    assert found["findings"]["certificate_expired"] == 1
    assert found["findings"]["certificate_changed"] == 1


def test_findings_are_counted(tmp_path: Path) -> None:
    lines = [
        line(0, findings=["command_injected", "tls_failed"]),
        line(1, findings=["tls_failed"]),
        line(2),
    ]
    found = document(tmp_path, lines)["findings"]
    assert (found["tls_failed"], found["command_injected"], found["smuggled"]) == (2, 1, 0)
