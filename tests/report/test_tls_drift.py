"""What moved in TLS from one run to the next, from session lines."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import mailtap
from mailtap.report.text import render
from test_report_tls import line


def moved(folder: Path, before: list[str], after: list[str], **options: Any) -> mailtap.Report:
    """The second report, against the first."""
    for name, lines in (("before", before), ("after", after)):
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    with mailtap.report(folder / "before.jsonl", **options) as first:
        (folder / "before.json").write_text(json.dumps(first.to_dict()))
    return mailtap.report(folder / "after.jsonl", against=folder / "before.json", **options)


def drift(folder: Path, before: list[str], after: list[str], **options: Any) -> dict[str, Any]:
    with moved(folder, before, after, **options) as made:
        assert "Against the other run" in made.to_html()
        shown = StringIO()
        render(made.figures, Console(file=shown, width=200))
        assert "TLS against the other run" in shown.getvalue()
        found: dict[str, Any] = made.to_dict()["tls"]["drift"]
    return found


MANY = range(400)


def test_nothing_moved(tmp_path: Path) -> None:
    lines = [line(n, starttls="tls" if n % 3 else "offered", tls_version="TLSv13") for n in MANY]
    assert drift(tmp_path, lines, lines) == {"moved": [], "certificates": [], "appeared": []}


def test_a_server_whose_clients_use_tls_less(tmp_path: Path) -> None:
    before = [line(n, starttls="tls" if n % 10 else "offered") for n in MANY]
    after = [line(n, starttls="tls" if n % 2 else "offered") for n in MANY]
    (one,) = drift(tmp_path, before, after)["moved"]
    assert (one["server"], one["port"], one["figure"]) == ("198.51.100.25", 25, "used")
    assert (one["before"], one["after"]) == (0.9, 0.5)
    assert one["ci95"][0] < -0.4 < one["ci95"][1] < 0


def test_chance_moves_a_share_and_is_not_listed(tmp_path: Path) -> None:
    before = [line(n, starttls="tls" if n % 10 else "offered") for n in range(100)]
    after = [line(n, starttls="tls" if n % 9 else "offered") for n in range(100)]
    assert drift(tmp_path, before, after)["moved"] == []


def test_versions(tmp_path: Path) -> None:
    before = [line(n, tls_version="TLSv13") for n in MANY]
    after = [line(n, tls_version="TLSv13" if n % 2 else "TLSv10") for n in MANY]
    found = {one["figure"]: one for one in drift(tmp_path, before, after)["moved"]}
    assert set(found) == {"TLSv13", "TLSv10"}
    assert (found["TLSv10"]["before"], found["TLSv10"]["after"]) == (0.0, 0.5)


def test_another_certificate(tmp_path: Path) -> None:
    before = {"sni": "mx.example", "cert_subject": "CN=mx.example", "cert_issuer": "CN=ca"}
    after = {**before, "cert_issuer": "CN=other"}
    (one,) = drift(
        tmp_path, [line(n, **before) for n in range(9)], [line(n, **after) for n in range(9)]
    )["certificates"]
    assert (one["before"]["issuer"], one["after"]["issuer"]) == ("CN=ca", "CN=other")
    assert one["after"]["server"] == "198.51.100.25"


def test_findings_that_a_server_had_none_of(tmp_path: Path) -> None:
    before = [line(0, findings=["cleartext_login"])]
    after = [line(0, findings=["cleartext_login", "smuggled"])]
    (one,) = drift(tmp_path, before, after)["appeared"]
    assert one["findings"] == {"smuggled": 1}
    assert one["example"] == "C0"


def test_what_is_redacted_is_not_compared(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("redact: [server_h, cert_subject]\n")
    before = [line(n, cert_subject="CN=a", cert_issuer="CN=ca", starttls="tls") for n in MANY]
    after = [
        line(n, cert_subject="CN=b", cert_issuer="CN=ca", starttls="none", findings=["smuggled"])
        for n in MANY
    ]
    found = drift(tmp_path, before, after, policy=policy)
    assert not found["certificates"] and not found["appeared"]
    assert {one["server"] for one in found["moved"]} == {None}
    assert "198.51" not in json.dumps(found)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drift") / "lines.jsonl"
    path.write_text(line(0, findings=["smuggled"]) + "\n")
    return path


@pytest.fixture(scope="module")
def document(lines: Path) -> dict[str, Any]:
    with mailtap.report(lines) as made:
        return made.to_dict()


@pytest.mark.parametrize(
    "change",
    [
        {"starttls": [{"server": {}, "port": 25}]},
        {"versions": {"TLSv13": "x"}},
        {"usual_certificates": 3},
        {"findings": [{"server": "a", "port": 1}]},
    ],
)
def test_what_is_no_report_is_refused(
    change: dict[str, Any], lines: Path, document: dict[str, Any], tmp_path: Path
) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps(document | {"tls": document["tls"] | change}))
    with pytest.raises(mailtap.AgainstError, match="is no report"):
        mailtap.report(lines, against=other)
