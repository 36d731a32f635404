"""`--sessions` of a report: each session as a line, with all that the source has of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mailtap.cli.report import report

#: The whole record of docs/reference/session.md.
RECORD: dict[str, Any] = {
    "ts": 1700000000.25,
    "duration": 3.25,
    "uid": "C1",
    "id.orig_h": "192.0.2.10",
    "id.orig_p": 40001,
    "id.resp_h": "198.51.100.25",
    "id.resp_p": 25,
    "community_id": "1:abc=",
    "client_h": "192.0.2.10",
    "client_p": 40001,
    "server_h": "198.51.100.25",
    "server_p": 25,
    "service": "smtp",
    "direction": "c2s",
    "starttls": "offered",
    "implicit_tls": False,
    "tunnel": "socks",
    "decode_as": "MAIL",
    "effective": True,
    "client_pkts": 7,
    "client_bytes": 900,
    "server_pkts": 0,
    "server_bytes": 0,
    "gap_bytes": 0,
    "midstream": False,
    "helo": "mail.example.net",
    "mailfrom": ["a@example.net"],
    "rcptto": ["b@example.net", "c@example.net"],
    "from": ["Ann <a@example.net>"],
    "to": ["b@example.net", "Doe, J <c@example.net>"],
    "subject": "hello",
    "msg_id": "<1@example.net>",
    "user_agent": "Mail/1.0",
    "mailfrom_count": 1,
    "rcptto_count": 2,
    "auth": "PLAIN",
    "auth_result": "success",
    "user": "ann",
    "messages": 1,
    "commands": 6,
    "replies": 7,
    "last_command": "QUIT",
    "last_reply": "221 bye",
    "banner": "mail.example.com ESMTP",
    "stage": "logout",
    "node": "worker-1",
    "seq": 12,
}


def as_json(record: dict[str, Any]) -> str:
    return json.dumps(record) + "\n"


def as_zeek_log(record: dict[str, Any]) -> str:
    def text(value: Any) -> str:
        if isinstance(value, bool):
            return "T" if value else "F"
        if isinstance(value, list):
            return ",".join(part.replace(",", "\\x2c") for part in value) or "(empty)"
        return str(value)

    return (
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
        "#path\tmail_session\n"
        + "\t".join(["#fields", *record])
        + "\n"
        + "\t".join(map(text, record.values()))
        + "\n"
    )


def listed(folder: Path, content: str, *options: str, name: str = "mail_session.log") -> Any:
    source, listing = folder / name, folder / "listing.jsonl"
    source.write_text(content)
    ran = CliRunner().invoke(report, [str(source), "--sessions", str(listing), *options])
    assert ran.exit_code == 0, ran.output
    (line,) = listing.read_text().splitlines()
    return json.loads(line)


@pytest.mark.parametrize("write", [as_json, as_zeek_log])
def test_a_line_is_the_whole_record(write: Any, tmp_path: Path) -> None:
    found = listed(tmp_path, write(RECORD))
    assert found == RECORD
    assert list(found) == list(RECORD)


@pytest.mark.parametrize("write", [as_json, as_zeek_log])
def test_what_the_source_does_not_tell_is_not_in_the_line(write: Any, tmp_path: Path) -> None:
    left = {"subject", "helo", "to", "seq", "user", "banner"}
    record = {name: value for name, value in RECORD.items() if name not in left} | {"rcptto": []}
    expected = {name: value for name, value in record.items() if name != "rcptto"}
    assert listed(tmp_path, write(record)) == expected


def test_a_line_is_a_source_again_with_the_same_line(tmp_path: Path) -> None:
    first = listed(tmp_path, as_json(RECORD))
    assert listed(tmp_path, as_json(first), name="sessions.jsonl") == RECORD


def test_nothing_that_could_steer_a_terminal_is_in_a_line(tmp_path: Path) -> None:
    hostile = "\x1b[31mred\u202e"
    record = RECORD | {"user": hostile, "from": [hostile], "banner": hostile}
    found = listed(tmp_path, as_json(record))
    assert found["user"] == found["banner"] == "?[31mred?"
    assert found["from"] == ["?[31mred?"]


def redacted(folder: Path, *names: str) -> Any:
    policy, labels, page = (folder / name for name in ("site.yaml", "labels.csv", "page.html"))
    policy.write_text(f"redact: [{', '.join(names)}]\n")
    labels.write_text(
        "src_ip,src_port,dst_ip,dst_port,start,end,app,provenance\n"
        "192.0.2.10,40001,198.51.100.25,25,1700000000,1700000003,imap,payload\n"
    )
    options = ("--policy", policy, "--labels", labels, "--html", page)
    return listed(folder, as_json(RECORD), *map(str, options)), page.read_text()


def test_every_field_can_be_redacted(tmp_path: Path) -> None:
    names = {*RECORD, "app", "label_provenance"}
    line, _ = redacted(tmp_path, *names)
    assert {name for name, value in line.items() if value == "***"} == names
    assert line.keys() - names == {"verdict", "cause", "wrong", "evidence"}
    assert line["evidence"] == "one named the carrier and the other what it carries"


@pytest.mark.parametrize(
    ("name", "also"),
    [
        ("client_h", {"id.orig_h", "id.resp_h", "community_id", "last_reply"}),
        ("server_p", {"id.orig_p", "id.resp_p", "community_id"}),
        ("id.orig_h", {"client_h", "server_h", "community_id", "last_reply"}),
        ("id.resp_p", {"client_p", "server_p", "community_id"}),
        ("subject", set()),
    ],
)
def test_an_end_is_hidden_by_its_other_name_too(name: str, also: set[str], tmp_path: Path) -> None:
    line, _ = redacted(tmp_path, name)
    assert {field for field, value in line.items() if value == "***"} == {name} | also


def test_the_examples_of_the_page_hide_them_too(tmp_path: Path) -> None:
    def examples(*redact: str) -> str:
        page = redacted(tmp_path, *redact)[1]
        return page[page.index('id="examples"') :]

    shown = {
        "id.orig_h": "192.0.2.10",
        "id.resp_p": ":25<",
        "uid": ">C1<",
        "community_id": "1:abc=",
        "ts": "2023-11-14",
        "app": ">imap (",
        "label_provenance": "(payload)",
        "direction": ">c2s<",
        "decode_as": ">MAIL<",
    }
    before, after = examples("subject"), examples(*shown)
    assert [name for name, value in shown.items() if value not in before] == []
    assert [name for name, value in shown.items() if value in after] == []
