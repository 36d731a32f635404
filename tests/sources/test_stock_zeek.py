"""Logs of a Zeek without MailTap: what they don't say is no zero."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mailtap.cli.report import report
from mailtap.records.record_file import _unpacked

CONN: dict[str, Any] = {
    "ts": 1700000000.0,
    "uid": "C1",
    "id.orig_h": "198.51.100.7",
    "id.orig_p": 40000,
    "id.resp_h": "192.0.2.25",
    "id.resp_p": 25,
    "proto": "tcp",
    "service": "smtp",
    "duration": 2.0,
    "orig_bytes": 100,
    "resp_bytes": 100,
    "orig_pkts": 5,
    "resp_pkts": 5,
    "history": "ShADadFf",
}
SMTP: dict[str, Any] = {
    "ts": 1700000000.5,
    "uid": "C1",
    "id.orig_h": "198.51.100.7",
    "id.orig_p": 40000,
    "id.resp_h": "192.0.2.25",
    "id.resp_p": 25,
    "trans_depth": 1,
    "helo": "client.example",
    "mailfrom": "a@example.org",
    "rcptto": ["b@example.org", "c@example.org"],
    "from": "A <a@example.org>",
    "to": ["b@example.org"],
    "subject": "hello",
    "tls": False,
}


def write(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def mail(folder: Path) -> tuple[dict[str, Any], str]:
    ran = CliRunner().invoke(report, [str(folder), "--json"])
    assert ran.exit_code == 0, ran.output
    found: dict[str, Any] = json.loads(ran.stdout)["mail"]
    return found, ran.stderr


def test_conn_log_alone_says_nothing_of_starttls_and_addresses(tmp_path: Path) -> None:
    write(tmp_path / "conn.log", CONN)
    found, warnings = mail(tmp_path)
    assert found["sessions"] == 1
    for name in (
        *("starttls", "mail_from_cmd", "mail_from", "mail_to_cmd", "mail_to"),
        "no_mail_field",
    ):
        assert found[name] is None
    assert warnings.count("\n") == 1
    assert "1 of 1 mail sessions" in warnings
    shown = CliRunner().invoke(report, [str(tmp_path)])
    assert "n/a / n/a" in shown.stdout


def test_smtp_log_has_addresses_and_tls(tmp_path: Path) -> None:
    second = CONN | {"uid": "C2", "id.orig_p": 40001}
    third = CONN | {"uid": "C3", "id.orig_p": 40002}
    write(tmp_path / "conn.log", CONN, second, third)
    write(
        tmp_path / "smtp.log",
        SMTP,
        SMTP | {"trans_depth": 2, "mailfrom": "z@example.org", "rcptto": ["c@example.org"]},
        {**{name: SMTP[name] for name in SMTP if name.startswith("id.")}}
        | {"ts": 1.0, "uid": "C2", "trans_depth": 1, "tls": True},
    )
    found, _ = mail(tmp_path)
    assert (found["starttls"], found["mail_from_cmd"], found["mail_to_cmd"]) == (1, 1, 1)
    assert (found["mail_from"], found["mail_to"]) == (1, 1)


def test_the_addresses_are_listed(tmp_path: Path) -> None:
    write(tmp_path / "conn.log", CONN)
    write(tmp_path / "smtp.log", SMTP, SMTP | {"mailfrom": "z@example.org", "trans_depth": 2})
    listing = tmp_path / "listing.jsonl"
    ran = CliRunner().invoke(report, [str(tmp_path), "--sessions", str(listing)])
    assert ran.exit_code == 0, ran.output
    line = json.loads(listing.read_text())
    assert sorted(line["mailfrom"]) == ["a@example.org", "z@example.org"]
    assert sorted(line["rcptto"]) == ["b@example.org", "c@example.org"]
    assert line["subject"] == "hello"


def test_smtp_log_in_zeek_s_own_format(tmp_path: Path) -> None:
    write(tmp_path / "conn.log", CONN)
    names = ["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "trans_depth"]
    names += ["mailfrom", "rcptto", "from", "to", "tls"]
    values = ["1700000000.5", "C1", "198.51.100.7", "40000", "192.0.2.25", "25", "1"]
    values += ["a@example.org", "b@example.org,c@example.org", "-", "(empty)", "F"]
    (tmp_path / "smtp.log").write_text(
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
        "#path\tsmtp\n#fields\t" + "\t".join(names) + "\n" + "\t".join(values) + "\n"
    )
    found, _ = mail(tmp_path)
    assert (found["mail_from_cmd"], found["mail_to_cmd"]) == (1, 1)
    assert (found["mail_from"], found["mail_to"]) == (0, 0)


def test_a_session_record_counts_before_smtp_log(tmp_path: Path) -> None:
    write(tmp_path / "conn.log", CONN)
    write(tmp_path / "smtp.log", SMTP)
    record = {name: CONN[name] for name in CONN if name.startswith("id.")}
    record |= {"ts": CONN["ts"], "uid": "C1", "service": "smtp", "direction": "c2s"}
    record |= {"decode_as": "MAIL", "effective": True, "starttls": "requested", "stage": "hello"}
    write(tmp_path / "mail_session.log", record)
    found, warnings = mail(tmp_path)
    assert (found["starttls"], found["mail_from_cmd"], warnings) == (1, 0, "")


def test_smtp_log_alone_is_no_source(tmp_path: Path) -> None:
    ran = CliRunner().invoke(report, [str(write(tmp_path / "smtp.log", SMTP))])
    assert ran.exit_code == 1
    assert "smtp.log alone has no sessions" in ran.stderr


def test_a_gzip_file_whose_first_member_is_empty_is_read(tmp_path: Path) -> None:
    lines = (json.dumps(CONN) + "\n").encode()
    (tmp_path / "conn.log.gz").write_bytes(gzip.compress(b"") + gzip.compress(lines))
    assert mail(tmp_path)[0]["sessions"] == 1


def test_a_damaged_gzip_file_is_unpacked_in_small_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much is packed into it, and no more than a bound."""
    path = tmp_path / "conn.log.gz"
    packed = gzip.compress((json.dumps(CONN) + "\n").encode() + b"\n" * 20_000_000)
    path.write_bytes(packed[:-20])
    assert max(map(len, _unpacked(path, 1 << 16))) <= 1 << 16
    monkeypatch.setattr("mailtap.records.record_file.MAX_UNPACKED_BYTES", 1_000_000)
    found, warnings = mail(tmp_path)
    assert found["sessions"] == 1
    assert "read as far as 1000000 unpacked bytes" in warnings


def test_sensors_of_one_name_in_two_folders_are_two(tmp_path: Path) -> None:
    """Each saw one side."""
    for folder, sizes in (
        ("north", {"orig_pkts": 5, "resp_pkts": 0, "resp_bytes": 0}),
        ("south", {"orig_pkts": 0, "resp_pkts": 5, "orig_bytes": 0}),
    ):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "conn.log", CONN | {"uid": f"C{folder}", **sizes})
    ran = CliRunner().invoke(report, [str(tmp_path / "north"), str(tmp_path / "south"), "--json"])
    found = json.loads(ran.stdout)
    assert (found["sessions"], found["stitched"]) == (1, 1)


def test_the_page_says_what_is_not_known(tmp_path: Path) -> None:
    write(tmp_path / "conn.log", CONN)
    page = tmp_path / "page.html"
    ran = CliRunner().invoke(report, [str(tmp_path), "--html", str(page)])
    assert ran.exit_code == 0, ran.output
    assert "n/a" in page.read_text()
