"""Session records of analyze, and a gateway's export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailtap.policy import load_policy
from mailtap.sessions import SourceError
from zeek_logs import as_json, session

Load = Callable[..., Any]

EXPORT = (
    "start_time,client_ip,client_port,server_ip,server_port,app,decode_as\n"
    "2023-11-14T22:13:20.25Z,192.0.2.10,40001,198.51.100.25,143,http.imap,HTTP\n"
    "1700000001.5,192.0.2.10,40002,::FFFF:198.51.100.25,995,pop3.ssl,ssl\n"
    "1700000002500,192.0.2.10,40003,198.51.100.25,25,smtp,MAIL\n"
)


def test_session_records_keep_their_fields(loaded: Load, tmp_path: Path) -> None:
    path = tmp_path / "sessions.jsonl"
    path.write_text(as_json(session("C1", user_agent="python-socks\x1b[2J", tunnel="http")))
    (row,), report = loaded(path)
    assert report.kinds == ("session records",)
    assert (row["ip_a"], row["port_a"], row["ip_b"], row["port_b"]) == (
        "192.0.2.10",
        40001,
        "198.51.100.25",
        25,
    )
    assert (row["tunnel"], row["stage"], row["user_agent"]) == (
        "http",
        "envelope",
        "python-socks?[2J",
    )


def test_a_damaged_record_does_not_stop_the_rest(loaded: Load, tmp_path: Path) -> None:
    path = tmp_path / "sessions.jsonl"
    path.write_text(as_json(session("C1"), session("C2") | {"id.orig_h": "x"}) + "{\n")
    rows, report = loaded(path)
    assert [row["uid"] for row in rows] == ["C1"]
    assert report.warnings[0].endswith("2 malformed lines, the first is line 2")


def test_a_gateways_export_carries_the_label(loaded: Load, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(EXPORT)
    rows, report = loaded(path)
    rows.sort(key=lambda row: row["ts"])
    assert report.kinds == ("gateway export",)
    assert [row["decode_as"] for row in rows] == ["HTTP", "SSL", "MAIL"]
    assert [row["app"] for row in rows] == ["http.imap", "pop3.ssl", "smtp"]
    assert [row["label_carrier"] for row in rows] == ["http", None, None]
    assert [row["label_encryption"] for row in rows] == ["none", "tls", "none"]
    assert {row["server_h"] for row in rows} == {"198.51.100.25"}
    assert [row["ts"] for row in rows] == [1700000000.25, 1700000001.5, 1700000002.5]
    # What the export does not tell is not made up.
    assert {row["direction"] for row in rows} == {None}
    assert {row["effective"] for row in rows} == {None}


def test_an_export_may_tell_more(loaded: Load, tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    path.write_text(
        '{"start_time":1700000000,"end_time":1700000003,"client_ip":"192.0.2.10","client_port":1,'
        '"server_ip":"192.0.2.25","server_port":25,"app":"smtp","decode_as":"MAIL",'
        '"client_packets":9,"client_bytes":100,"server_packets":0,"server_bytes":0,'
        '"session_id":"s1"}\n'
    )
    (row,), _ = loaded(path)
    assert (row["direction"], row["effective"], row["duration"]) == ("c2s", True, 3.0)
    assert row["uid"] == "s1"


def test_an_exports_columns_are_named_in_the_policy(loaded: Load, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("gateway: {decode_as: verdict, app: [dpi_path]}\n")
    path = tmp_path / "export.csv"
    path.write_text(EXPORT.replace("app,decode_as", "dpi_path,verdict"))
    with pytest.raises(SourceError, match="needs these columns too: app, decode_as"):
        loaded(path)
    rows, _ = loaded(path, policy=load_policy(site))
    assert len(rows) == 3


def test_several_sources_are_one_table(loaded: Load, tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text(EXPORT)
    (tmp_path / "sessions.jsonl").write_text(as_json(session("C1")))
    rows, report = loaded(tmp_path / "export.csv", tmp_path / "sessions.jsonl")
    assert report.sessions == 4
    assert len({row["session_id"] for row in rows}) == 4
