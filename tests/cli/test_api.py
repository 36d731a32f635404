"""MailTap from Python."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

import mailtap
from mailtap.cli import main
from mailtap.doctor import EXTRAS
from mailtap.labels.label import Label
from mailtap.labels.table import COLUMNS
from mailtap.sessions.schema import FIELDS
from mailtap.sessions.session import Session

CHECKOUT = Path(__file__).parents[2]

SESSION: dict[str, Any] = {
    "ts": 1700000000.0,
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
    "decode_as": "MAIL",
    "effective": True,
    "rcptto": ["a@example.org", "b@example.org"],
    "stage": "envelope",
}


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "sessions.jsonl"
    path.write_text(
        "".join(
            json.dumps(SESSION | {"uid": f"C{n}", "id.orig_p": 40000 + n}) + "\n" for n in (1, 2)
        )
    )
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(
        "src_ip,src_port,dst_ip,dst_port,start,end,app\n"
        "198.51.100.7,40001,192.0.2.25,25,1700000000,1700000002,SMTP\n"
    )
    return path


def test_a_report_has_figures_a_document_a_page_and_sessions(lines: Path, labels: Path) -> None:
    with mailtap.report(lines, labels=[str(labels)]) as report:
        assert report.figures.mail.sessions == 2
        document = report.to_dict()
        assert json.loads(json.dumps(document))["consistency"]["matched"] == 1
        assert report.to_html().startswith("<!DOCTYPE html>")
        found = report.sessions()
        assert found.num_rows == 2
        assert sorted(found["verdict"].to_pylist(), key=str) == [None, "consistent"]
        assert found["rcptto"][0].as_py() == ["a@example.org", "b@example.org"]
        ((count,),) = duckdb.sql("SELECT count(*) FROM found WHERE service = 'smtp'").fetchall()
        assert count == 2


def test_figures_stay_when_the_sessions_are_dropped(lines: Path) -> None:
    report = mailtap.report([lines])
    report.close()
    report.close()
    assert report.figures.sessions == 2
    with pytest.raises(mailtap.MailTapError):
        report.sessions()


def test_sessions_come_one_after_the_other(lines: Path) -> None:
    first, second = mailtap.sessions(lines)
    assert isinstance(first, mailtap.Session)
    assert (first.uid, second.uid, first.orig_p) == ("C1", "C2", 40001)
    assert first.rcptto == ("a@example.org", "b@example.org")
    assert first.helo is None


def test_labels_come_in_normal_form(labels: Path) -> None:
    (label,) = mailtap.labels(labels)
    assert isinstance(label, mailtap.Label)
    assert (label.app, label.protocol, label.provenance, label.src_port) == (
        "smtp",
        "smtp",
        "unknown",
        40001,
    )


def test_labels_of_several_engines_are_counted_apart(lines: Path, labels: Path) -> None:
    other = labels.with_name("other.csv")
    other.write_text(labels.read_text().replace("SMTP", "HTTP"))
    with mailtap.report(lines, labels=[f"one={labels}", f"two={other}"]) as report:
        assert report.figures.consistency is not None
        assert [
            (one.engine, one.agreement.matched, one.agreement.consistent)
            for one in report.figures.consistency.by_engine
        ] == [("one", 1, 1), ("two", 1, 0)]
        assert report.figures.consistency.ambiguous == 1


def test_what_is_redacted_is_in_no_table(lines: Path, tmp_path: Path) -> None:
    policy = tmp_path / "site.yaml"
    policy.write_text("redact: [rcptto, client_h]\n")
    with mailtap.report(lines, policy=policy) as report:
        table = report.sessions()
    assert set(table["rcptto"].to_pylist()) == {"***"}
    assert "198.51.100.7" not in str(table.to_pylist())


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: mailtap.report("/nowhere"), mailtap.SourceError, "No such file"),
        (lambda: list(mailtap.sessions("/nowhere")), mailtap.SourceError, "No such file"),
        (lambda: list(mailtap.labels("/nowhere")), mailtap.LabelError, "No such file"),
        (lambda: mailtap.analyze("/nowhere"), mailtap.CaptureError, "no such file"),
        (lambda: mailtap.report("x", policy="/nowhere"), mailtap.PolicyError, "No such file"),
        (lambda: mailtap.report("x", against="/nowhere"), mailtap.AgainstError, "No such file"),
    ],
)
def test_what_can_t_be_done_is_one_line(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text) as raised:
        call()
    assert isinstance(raised.value, mailtap.MailTapError)
    assert "\n" not in str(raised.value)


def test_an_error_of_the_query_engine_is_one_line(
    lines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise duckdb.OutOfMemoryException("could not write\nno space left")

    monkeypatch.setattr("mailtap.api.build_report", full)
    with pytest.raises(mailtap.QueryError, match="could not write") as raised:
        mailtap.report(lines)
    assert "\n" not in str(raised.value)


def test_a_full_disk_is_one_line(lines: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mailtap.api.build_report", full)
    with pytest.raises(mailtap.WriteError, match="temporary files: No space left on device"):
        mailtap.report(lines)


def test_the_dataclasses_have_what_the_tables_have() -> None:
    types = {
        "VARCHAR": "str",
        "BIGINT": "int",
        "INTEGER": "int",
        "DOUBLE": "float",
        "BOOLEAN": "bool",
        "VARCHAR[]": "tuple[str, ...]",
    }
    sessions = {field.column: f"{types[field.type]} | None" for field in FIELDS if field.listed}
    assert {field.name: field.type for field in fields(Session)} == sessions
    of_labels = {name: f"{types[kind]} | None" for name, kind in COLUMNS.items()}
    del of_labels["label_id"]
    assert {field.name: field.type for field in fields(Label)} == of_labels


def test_the_examples_in_the_documentation_run(lines: Path, tmp_path: Path) -> None:
    """With files of these names."""
    (tmp_path / "mail_session.log").write_text(lines.read_text())
    (tmp_path / "eve.json").write_text(
        '{"app":"SMTP","src_ip":"198.51.100.7","src_port":40001,"dst_ip":"192.0.2.25",'
        '"dst_port":25,"start":1700000000}\n'
    )
    code = "\n".join(
        line.removeprefix("    ")
        for line in (mailtap.__doc__ or "").splitlines()
        if line.startswith("    ") or not line.strip()
    )
    code = code.replace('mailtap.analyze("tap.pcap"', 'mailtap.report("mail_session.log"')
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        "0 sessions use STARTTLS",
        "1.0",
        "C1 smtp none",
        "C2 smtp none",
        "smtp unknown",
    ]


def test_the_version_is_there() -> None:
    assert re.fullmatch(r"\d+\.\d+.*", mailtap.__version__)


def run(*arguments: str | Path, stdin: str = "") -> Any:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)


def test_a_dash_is_standard_input_and_output(lines: Path) -> None:
    listed = run("report", "-", "--sessions", "-", stdin=lines.read_text())
    assert [json.loads(line)["uid"] for line in listed.stdout.splitlines()] == ["C1", "C2"]
    page = run("report", lines, "--html", "-")
    assert page.stdout.startswith("<!DOCTYPE html>")
    labelled = run(
        "labels", "-:csv", stdin="name,src_ip,src_port,dst_ip,dst_port,start\nSMTP,::1,1,::2,25,1\n"
    )
    assert labelled.stdout.splitlines()[1].split("\t")[2] == "csv"


def test_a_dash_is_standard_input_for_a_policy_and_another_run_too(
    lines: Path, labels: Path
) -> None:
    refused = run("report", lines, "--policy", "-", stdin="nonsense: 1\n")
    assert refused.exit_code == 1
    assert "-:1: nonsense" in refused.stderr
    before = run("report", lines, "--labels", labels, "--json").stdout
    drift = run("report", lines, "--labels", labels, "--json", "--against", "-", stdin=before)
    assert json.loads(drift.stdout)["consistency"]["drift"]["difference"] == 0
    log = "Nov 28 10:00:00 mx postfix/smtpd[1]: connect from unknown[198.51.100.7]\n"
    assert json.loads(run("report", lines, "--truth", "-:postfix", "--json", stdin=log).stdout)


def test_standard_input_is_named_only_once(lines: Path) -> None:
    ran = run("report", "-", "--policy", "-", stdin=lines.read_text())
    assert (ran.exit_code, ran.stderr) == (
        1,
        "Error: standard input (-) is named 2 times: name it once\n",
    )


def test_only_one_thing_goes_to_standard_output(lines: Path) -> None:
    ran = run("report", lines, "--json", "--sessions", "-")
    assert ran.exit_code == 2


def test_labels_in_a_pipe_are_whole(labels: Path) -> None:
    ran = run("labels", labels)
    header, row = ran.stdout.splitlines()
    label = dict(zip(header.split("\t"), row.split("\t"), strict=True))
    assert (label["src_ip"], label["app"], label["start"]) == (
        "198.51.100.7",
        "smtp",
        "1700000000.0",
    )
    assert "csv, 1 labels" in ran.stderr


def test_tables_in_a_pipe_are_not_cut(lines: Path, labels: Path) -> None:
    labels.write_text(labels.read_text().replace("SMTP", "x" * 200))
    assert "x" * 200 in run("report", lines, "--labels", labels).stdout


def test_what_is_written_is_for_its_owner_only_and_follows_no_link(
    lines: Path, tmp_path: Path
) -> None:
    victim, page, listing = (tmp_path / name for name in ("victim", "page.html", "listing.jsonl"))
    victim.write_text("mine")
    page.symlink_to(victim)
    listing.write_text("old")
    listing.chmod(0o644)
    assert run("report", lines, "--html", page, "--sessions", listing).exit_code == 0
    assert victim.read_text() == "mine"
    assert not page.is_symlink()
    for path in (page, listing):
        assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_report_that_fails_leaves_the_old_page(tmp_path: Path, lines: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("old")
    lines.write_text("nonsense")
    assert run("report", lines, "--html", page).exit_code == 1
    assert page.read_text() == "old"


def test_an_unknown_label_format_is_named(labels: Path, lines: Path) -> None:
    ran = run("report", lines, "--labels", f"{labels}:csvv")
    assert ran.exit_code == 1
    assert "csvv is no label format; known are" in ran.stderr


def test_against_is_read_before_the_work(tmp_path: Path) -> None:
    """Nothing else is looked at if it can't be."""
    ran = run("report", "/nowhere", "--against", tmp_path / "none.json")
    assert "none.json: No such file" in ran.stderr


def test_a_clock_that_is_corrected_is_a_warning(tmp_path: Path) -> None:
    sessions, labels = tmp_path / "s.jsonl", tmp_path / "l.csv"
    ports = range(40000, 40010)
    sessions.write_text(
        "".join(
            json.dumps(SESSION | {"uid": f"C{p}", "id.orig_p": p, "client_p": p}) + "\n"
            for p in ports
        )
    )
    labels.write_text(
        "src_ip,src_port,dst_ip,dst_port,start,end,app\n"
        + "".join(f"198.51.100.7,{p},192.0.2.25,25,1700003600,1700003602,SMTP\n" for p in ports)
    )
    ran = run("report", sessions, "--labels", labels)
    assert (
        "Warning: clock offset between the sensor and l.csv: -3,600.000 s (corrected)" in ran.stderr
    )


def test_doctor_says_what_is_there_and_how_to_mend_what_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    ran = run("doctor", "--json")
    assert ran.exit_code == 0
    findings = {one["name"]: one for one in json.loads(ran.stdout)["findings"]}
    assert findings["embedded engine"]["ok"] is True
    assert findings["Java"]["ok"] is False
    assert "default-jre" in findings["Java"]["remedy"]
    assert all(one["remedy"] for one in findings.values() if one["ok"] is False)
    assert "embedded engine" in run("doctor").stdout


def test_doctor_looks_for_the_packages_of_every_extra() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {
        extra: {re.split("[<>=;]", one)[0].replace("-", "_") for one in requirements}
        for extra, requirements in project["optional-dependencies"].items()
        if extra != "all"
    }
    assert {extra: set(modules) for extra, (modules, _) in EXTRAS.items()} == extras
    assert project["optional-dependencies"]["all"][0].startswith("mailtap[")
    assert set(re.findall(r"\w+", project["optional-dependencies"]["all"][0])) == {
        "mailtap",
        *(extra for extra in extras if extra != "arrow"),  # live has its package
    }


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(shell: str) -> None:
    ran = run("completion", shell)
    assert ran.exit_code == 0
    assert "_MAILTAP_COMPLETE" in ran.stdout


def test_help_needs_no_package_of_an_extra() -> None:
    code = (
        "import sys\n"
        "for name in ('pyarrow', 'orjson', 'websockets', 'starlette', 'nfstream', 'pyspark'):\n"
        "    sys.modules[name] = None\n"
        "from mailtap.cli import main\n"
        "main(['live', '--help'])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "--sensor" in ran.stdout
