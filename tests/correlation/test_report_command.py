"""`mailtap report`, from files to figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fieldcapture.gateway import write_gateway_export
from mailtap.cli.report import report


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(report, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def figures(*arguments: str | Path) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gateway") / "export.csv"
    write_gateway_export(path)
    return path


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """Two session lines as `analyze` writes them: mail, and something else on a mail port."""
    session = {
        "ts": 1000.0,
        "duration": 2.0,
        "uid": "C1",
        "id.orig_h": "198.51.100.7",
        "id.orig_p": 40000,
        "id.resp_h": "192.0.2.25",
        "id.resp_p": 25,
        "client_h": "198.51.100.7",
        "client_p": 40000,
        "server_h": "192.0.2.25",
        "server_p": 25,
        "service": "smtp",
        "direction": "c2s",
        "starttls": "none",
        "implicit_tls": False,
        "decode_as": "MAIL",
        "effective": True,
        "client_pkts": 6,
        "client_bytes": 100,
        "server_pkts": 0,
        "server_bytes": 0,
        "gap_bytes": 0,
        "midstream": False,
        "mailfrom": ["a@example.com"],
        "stage": "envelope",
        "community_id": "1:one=",
    }
    other = session | {"uid": "C2", "id.orig_p": 40001, "client_p": 40001, "decode_as": "BASE"}
    del other["service"], other["mailfrom"]
    path = tmp_path / "sessions.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in (session, other)))
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(
        "src_ip,src_port,dst_ip,dst_port,start,end,app,provenance\n"
        "198.51.100.7,40000,192.0.2.25,25,1000,1002,SMTP,payload\n"
        "198.51.100.7,40001,192.0.2.25,25,1000,1002,SMTP,port\n"
    )
    return path


def test_the_field_s_export_gives_the_field_s_figures(gateway: Path) -> None:
    document = figures(gateway)
    assert document["complete"]
    assert document["sessions"] == 100_000
    assert document["decode_as"] == {"MAIL": 58_298, "BASE": 41_687, "SSL": 12, "HTTP": 3}
    consistency = document["consistency"]
    assert consistency["labelled"] == consistency["matched"] == 100_000
    assert consistency["unmatched"] == consistency["ambiguous"] == 0
    base = {
        cell["port"]: cell["n"] for cell in consistency["by_port"] if cell["decode_as"] == "BASE"
    }
    assert base == {25: 36_020, 110: 2_956, 143: 2_709, 587: 1, 80: 1}
    by_app = {
        (cell["app"], cell["decode_as"]): cell["n"]
        for cell in consistency["matrix"]
        if cell["decode_as"] in ("HTTP", "SSL")
    }
    assert {name for name, _ in by_app} == {"http.imap", "http.pop3", "pop3.ssl", "imap.ssl"}
    assert sum(by_app.values()) == 15


def test_causes_are_those_that_an_export_allows(gateway: Path) -> None:
    consistency = figures(gateway)["consistency"]
    assert consistency["consistent"]["n"] == 58_298 + 3 + 12
    assert consistency["inconsistent"]["n"] == 41_687
    causes = {cause: n for cause, n in consistency["causes"].items() if n}
    assert causes == {"nonstandard_port": 1, "unexplained": 41_686}
    assert consistency["causes_of_agreeing"] == {"starttls": 12, "carrier": 3}
    low, high = consistency["consistent"]["ci95"]
    assert low < consistency["consistent"]["share"] < high


def test_the_terminal_shows_the_same(gateway: Path) -> None:
    shown = run(gateway).stdout
    for figure in ("58,298", "41,687", "36,020", "2,956", "2,709", "http.imap", "pop3.ssl"):
        assert figure in shown


def test_session_lines_and_labels_meet(lines: Path, labels: Path) -> None:
    consistency = figures(lines, "--labels", labels)["consistency"]
    assert (consistency["matched"], consistency["unmatched"]) == (2, 0)
    assert consistency["consistent"] == {
        "n": 1,
        "share": 0.5,
        "ci95": pytest.approx([0.09453, 0.90547], abs=1e-5),
    }
    assert consistency["causes"]["label_port_guess"] == 1
    assert consistency["unexplained"]["n"] == 0
    both = consistency["both_decoded"]
    assert both["matched"] == both["port_guesses"] == 1
    assert consistency["by_direction"] == [
        {"direction": "c2s", "decode_as": "BASE", "n": 1},
        {"direction": "c2s", "decode_as": "MAIL", "n": 1},
    ]


def test_without_labels_there_is_no_consistency(lines: Path) -> None:
    document = figures(lines)
    assert document["consistency"] is None
    assert document["engine"] == "duckdb"
    assert document["mail"]["mail_from_cmd"] == 1


def test_sessions_are_listed_with_verdict_and_cause(
    lines: Path, labels: Path, tmp_path: Path
) -> None:
    listing = tmp_path / "it's listed.jsonl"
    run(lines, "--labels", labels, "--sessions", listing)
    listed = {row["uid"]: row for row in map(json.loads, listing.read_text().splitlines())}
    assert (listed["C1"]["verdict"], listed["C1"].get("cause")) == ("consistent", None)
    assert (listed["C2"]["verdict"], listed["C2"]["cause"]) == ("inconsistent", "label_port_guess")
    assert listed["C2"]["client_h"] == "198.51.100.7"


def test_fields_that_the_policy_redacts_are_in_no_output(
    lines: Path, labels: Path, tmp_path: Path
) -> None:
    policy, listing, page = (tmp_path / name for name in ("policy.yaml", "out.jsonl", "page.html"))
    policy.write_text("redact: [client_h, id.orig_h]\n")
    run(lines, "--labels", labels, "--policy", policy, "--sessions", listing, "--html", page)
    assert "198.51.100.7" not in listing.read_text()
    assert "198.51.100.7" not in page.read_text()
    assert "***" in page.read_text()


def test_fail_under_decides_the_exit_status(lines: Path, labels: Path) -> None:
    assert run(lines, "--labels", labels, "--fail-under", "0.5").exit_code == 0
    failed = run(lines, "--labels", labels, "--fail-under", "0.51")
    assert failed.exit_code == 1
    assert failed.stderr == "Error: 50.00% of the sessions are consistent, below 51.00%\n"
    assert run(lines, "--fail-under", "0.5").exit_code == 1


def test_drift_against_another_run(lines: Path, labels: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(run(lines, "--labels", labels, "--json").stdout)
    drift = figures(lines, "--labels", labels, "--against", other)["consistency"]["drift"]
    assert drift["difference"] == 0
    assert "Against the other run" in run(lines, "--labels", labels, "--against", other).stdout


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"consistency": null}', '{"consistency": {"mix": [{"port": 1}]}}']
)
def test_what_is_no_report_can_not_be_compared_with(
    content: str, lines: Path, labels: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.json"
    other.write_text(content)
    failed = run(lines, "--labels", labels, "--against", other)
    assert failed.exit_code == 1
    assert failed.stderr.count("\n") == 1
    assert str(other) in failed.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("missing.jsonl",),
        ("{lines}", "--labels", "missing.csv"),
        ("{lines}", "--policy", "missing.yaml"),
        ("{lines}", "--against", "missing.json"),
        ("{lines}", "--html", "/nowhere/page.html"),
        ("{lines}", "--sessions", "/nowhere/sessions.jsonl"),
    ],
)
def test_what_can_not_be_read_or_written_is_one_line_and_status_1(
    arguments: tuple[str, ...], lines: Path
) -> None:
    failed = run(*(argument.format(lines=lines) for argument in arguments))
    assert failed.exit_code == 1
    assert failed.stderr.startswith("Error: ")
    assert failed.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [(), ("x", "--engine", "flink"), ("x", "--fail-under", "2"), ("x", "--engine", "spark:")],
)
def test_wrong_usage_is_status_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_a_damaged_source_is_reported_as_far_as_it_goes(lines: Path) -> None:
    lines.write_text(lines.read_text() + '{"ts": 10')
    result = run(lines, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert not document["complete"]
    assert document["sessions"] == 2
    assert str(lines) in result.stderr


def test_escapes_and_markup_in_labels_never_come_alive(
    lines: Path, labels: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    evil = "\x1b[31m[red]<script>alert(1)</script>"
    labels.write_text(labels.read_text().replace("SMTP,port", f"{evil},port"))
    result = run(lines, "--labels", labels, "--html", page)
    assert "\x1b" not in result.stdout + page.read_text()
    assert "<script>alert" not in page.read_text()
    assert "[red]" in result.stdout
