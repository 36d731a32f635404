"""Zeek's logs, with and without MailTap's."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mailtap.policy import load_policy
from mailtap.sessions import SourceError
from zeek_logs import FIELDS, as_json, as_tsv, connection, session

Load = Callable[..., Any]


@pytest.mark.parametrize("write", [as_tsv, as_json])
def test_stock_zeek_s_service_gives_decode_as(
    loaded: Load, tmp_path: Path, write: Callable[..., str]
) -> None:
    (tmp_path / "conn.log").write_text(
        write(
            connection("C1"),
            connection("C2", service="smtp,ssl"),
            connection("C3", service="ssl", orig_pkts=0, resp_pkts=9, resp_bytes=400),
            connection("C4", service="http", resp_pkts=1),
            connection("C5", service="http,imap"),
            connection("C6", service=None, orig_bytes=5, history=None),
            connection("C7", service="dns", proto="udp"),
        )
    )
    rows, report = loaded(tmp_path)
    assert report.complete
    assert report.sessions == 6
    assert [row["decode_as"] for row in rows] == ["MAIL", "MAIL", "SSL", "HTTP", "HTTP", "BASE"]
    assert [row["service"] for row in rows] == ["smtp", "smtp", None, None, "imap", None]
    assert [row["starttls"] for row in rows] == [None, "tls", None, None, None, None]
    assert [row["implicit_tls"] for row in rows] == [False, False, True, False, False, False]
    assert [row["tunnel"] for row in rows] == [None, None, None, None, "http", None]
    assert [row["direction"] for row in rows] == [
        "c2s",
        "c2s",
        "s2c",
        "bidirectional",
        "c2s",
        "c2s",
    ]
    assert [row["effective"] for row in rows] == [True, True, True, True, True, False]
    assert [row["midstream"] for row in rows] == [False] * 5 + [None]


def test_a_flow_that_starts_at_the_mail_port_comes_from_the_server(
    loaded: Load, tmp_path: Path
) -> None:
    record = connection("C1", id__orig_p=25, id__resp_p=40001, history="d")
    (tmp_path / "conn.log").write_text(as_tsv(record))
    (row,), _ = loaded(tmp_path)
    assert (row["server_h"], row["server_p"]) == ("192.0.2.10", 25)
    assert (row["orig_h"], row["direction"]) == ("192.0.2.10", "s2c")
    assert (row["server_pkts"], row["client_pkts"]) == (7, 0)
    assert row["midstream"]


@pytest.mark.parametrize("write", [as_tsv, as_json])
def test_conn_and_mail_session_are_joined_by_uid(
    loaded: Load, tmp_path: Path, write: Callable[..., str]
) -> None:
    record = session("C1")
    fields = dict.fromkeys(record, "string")
    text = as_tsv(record, fields=fields) if write is as_tsv else as_json(record)
    (tmp_path / "mail_session.log").write_text(text)
    (tmp_path / "conn.log").write_text(
        write(connection("C1", service="-smtp", missed_bytes=9), connection("C2", service=None))
    )
    rows, report = loaded(tmp_path)
    assert report.complete
    assert set(report.kinds) == {"session records", "conn.log"}
    assert [(row["uid"], row["decode_as"], row["starttls"]) for row in rows] == [
        ("C1", "MAIL", "requested"),
        ("C2", "BASE", None),
    ]
    assert (rows[0]["has_mailfrom"], rows[0]["has_rcptto"]) == (True, True)
    assert (rows[0]["has_from"], rows[0]["sensor"]) == (False, "worker-1")
    assert (rows[0]["implicit_tls"], rows[0]["midstream"]) == (False, False)


def test_an_empty_set_holds_no_address(loaded: Load, tmp_path: Path) -> None:
    record = session("C1", mailfrom=[], rcptto=None)
    (tmp_path / "mail_session.log").write_text(
        as_tsv(record, fields=dict.fromkeys(record, "string"))
    )
    (row,), _ = loaded(tmp_path)
    assert (row["has_mailfrom"], row["has_rcptto"]) == (False, False)


def test_rotated_and_current_logs_count_a_session_once(loaded: Load, tmp_path: Path) -> None:
    (tmp_path / "current").mkdir()
    (tmp_path / "2023-11-14").mkdir()
    both = [connection("C1"), connection("C2")]
    (tmp_path / "current" / "conn.log").write_text(as_tsv(*both, connection("C3")))
    (tmp_path / "2023-11-14" / "conn.22:00:00-23:00:00.log.gz").write_bytes(
        gzip.compress(as_tsv(*both).encode())
    )
    (tmp_path / "conn-summary.log").write_text("not a log of Zeek's\n")
    (tmp_path / "conn_long.log").write_text(as_tsv(connection("C9")))
    rows, report = loaded(tmp_path)
    assert report.complete
    assert [row["uid"] for row in rows] == ["C1", "C2", "C3"]


def test_files_may_differ_in_their_fields(loaded: Load, tmp_path: Path) -> None:
    more = {"extra": "string"} | FIELDS | {"community_id": "string"}
    (tmp_path / "conn.1.log").write_text(as_tsv(connection("C1")))
    (tmp_path / "conn.2.log").write_text(
        as_tsv(connection("C2", extra="x", community_id="1:abc="), fields=more)
    )
    (tmp_path / "conn.3.log").write_text(as_json(connection("C3", orig_pkts=None)))
    rows, report = loaded(tmp_path)
    assert report.complete
    assert [(row["uid"], row["community_id"]) for row in rows] == [
        ("C1", None),
        ("C2", "1:abc="),
        ("C3", None),
    ]
    assert rows[2]["effective"] is None


def test_zstandard_whole_and_cut_off(
    loaded: Load, tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    plain = tmp_path / "plain"
    records = [
        {"ts": 1700000000 + n, "uid": f"C{n * 7919}", "id.orig_h": "192.0.2.1", "id.orig_p": n,
         "id.resp_h": "192.0.2.2", "id.resp_p": 25, "proto": "tcp"}
        for n in range(1, 20000)
    ]  # fmt: skip
    plain.write_text(as_json(*records))
    packed = tmp_path / "conn.log.zst"
    connection.execute(
        f"COPY (SELECT * FROM read_csv('{plain}', delim = E'\\x01', quote = '', header = false, "
        f"auto_detect = false, columns = {{'line': 'VARCHAR'}})) TO '{packed}' "
        "(FORMAT csv, DELIMITER E'\\x01', QUOTE '', ESCAPE '', HEADER false, COMPRESSION zstd)"
    )
    rows, report = loaded(packed)
    assert report.complete
    assert len(rows) == 19999
    cut = tmp_path / "cut.log.zst"
    cut.write_bytes(packed.read_bytes()[: packed.stat().st_size // 2])
    connection.execute("DROP TABLE sessions")
    _, report = loaded(cut)
    assert not report.complete
    assert "cut off" in report.warnings[0]
    assert report.sessions < 19999


def test_a_log_that_is_still_written_ends_in_half_a_line(loaded: Load, tmp_path: Path) -> None:
    whole = as_tsv(connection("C1"), connection("C2")).partition("#close")[0]
    (tmp_path / "conn.log").write_text(whole + "1700000009.1\tC3\t192.0")
    rows, report = loaded(tmp_path)
    assert [row["uid"] for row in rows] == ["C1", "C2"]
    assert not report.complete
    assert report.warnings[0].endswith("conn.log: 1 malformed line, it is line 10")


def test_a_gzip_log_that_is_cut_off(loaded: Load, tmp_path: Path) -> None:
    text = as_tsv(*(connection(f"C{n * 7919}", id__orig_p=n % 60000) for n in range(5000)))
    packed = gzip.compress(text.encode())
    (tmp_path / "conn.log.gz").write_bytes(packed[: len(packed) // 2])
    rows, report = loaded(tmp_path)
    assert 1000 < len(rows) < 5000
    assert "cut off" in report.warnings[0]


def test_a_log_that_was_appended_to_has_headers_in_the_middle(loaded: Load, tmp_path: Path) -> None:
    (tmp_path / "conn.log").write_text(as_tsv(connection("C1")) + as_tsv(connection("C2")))
    rows, report = loaded(tmp_path)
    assert [row["uid"] for row in rows] == ["C1", "C2"]
    assert report.complete
    other = as_tsv(connection("C3"), fields=FIELDS | {"extra": "string"})
    (tmp_path / "conn.log").write_text(as_tsv(connection("C1")) + other)
    _, report = loaded(tmp_path)
    assert not report.complete
    assert report.warnings[0].endswith("2 malformed lines, the first is line 15")


def test_another_separator(loaded: Load, tmp_path: Path) -> None:
    (tmp_path / "conn.log").write_text(as_tsv(connection("C1", service="smtp"), separator="|"))
    rows, report = loaded(tmp_path)
    assert (report.complete, rows[0]["decode_as"]) == (True, "MAIL")


def test_a_log_without_records_is_complete(loaded: Load, tmp_path: Path) -> None:
    (tmp_path / "conn.log").write_text(as_tsv())
    (tmp_path / "mail_session.log").write_text("")
    _, report = loaded(tmp_path)
    assert (report.complete, report.sessions) == (True, 0)


def test_thresholds_and_ports_are_the_policys(loaded: Load, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("effective: {packets: 7}\nmail_ports: {smtp: [40001]}\n")
    (tmp_path / "conn.log").write_text(as_tsv(connection("C1")))
    (row,), _ = loaded(tmp_path, policy=load_policy(site))
    assert (row["effective"], row["server_p"]) == (False, 40001)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("", "", "has neither a conn or mail_session log"),
        ("dns.log", as_tsv(fields={"ts": "time", "uid": "string"}), "none of conn.log"),
        ("some.txt", "hello\nworld\n", "neither a Zeek conn or mail_session log"),
        ("some.json", '{"a": 1}\n', "neither a Zeek conn or mail_session log"),
        ("wide.csv", "," * 9000 + "\n", "more than 4096 columns"),
    ],
)
def test_what_is_no_source(
    loaded: Load, tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    if name:
        path.write_text(content)
    with pytest.raises(SourceError, match=message) as raised:
        loaded(path)
    assert "\n" not in str(raised.value)


def test_a_source_that_is_not_there(loaded: Load, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file or directory"):
        loaded(tmp_path / "nothing")
