"""Sources in Parquet files give the sessions that their lines give; what is wrong is one line."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

import mailtap
from mailtap.sessions import SourceError
from zeek_logs import as_json, connection, session

Load = Callable[..., Any]

LINES = as_json(
    session("C1", rcptto=["a@example.org", "b,c@example.org"], subject="Grüße"),
    session("C2", service=None, decode_as="BASE", mailfrom=None) | {"id.resp_h": "2001:DB8::1"},
    session("C3", starttls="tls", findings=["preauth"], seq=7, cert_not_after=1.7e9),
)


def parquet(path: Path, query: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def records(path: Path, **changed: str) -> Path:
    """The session records with some columns of other expressions in SQL; '' is no such column."""
    lines = path.with_suffix(".lines")
    lines.write_text(LINES)
    without = ", ".join(f'"{name}"' for name, value in changed.items() if not value)
    exclude = f"EXCLUDE ({without})" if without else ""
    replaced = ", ".join(f'{value} AS "{name}"' for name, value in changed.items() if value)
    replace = f"REPLACE ({replaced})" if replaced else ""
    return parquet(path, f"SELECT * {exclude} {replace} FROM read_json('{lines}')")


def test_written_sessions_are_read_again_as_they_were(tmp_path: Path) -> None:
    lines, written = tmp_path / "sessions.jsonl", tmp_path / "sessions.parquet"
    lines.write_text(LINES)
    mailtap.write_sessions(lines, written)
    assert list(mailtap.sessions(written)) == list(mailtap.sessions(lines))
    assert len(list(mailtap.sessions(written))) == 3


def test_columns_have_the_types_of_the_session_record(tmp_path: Path) -> None:
    lines, written = tmp_path / "sessions.jsonl", tmp_path / "sessions.parquet"
    lines.write_text(LINES)
    mailtap.write_sessions(lines, written)
    described = duckdb.sql(f"DESCRIBE FROM '{written}'").fetchall()
    types = {str(name): str(kind) for name, kind, *_ in described}
    assert types["ts"] == "DOUBLE"
    assert types["id.orig_p"] == "INTEGER"
    assert types["client_bytes"] == "BIGINT"
    assert types["effective"] == "BOOLEAN"
    assert types["rcptto"] == "VARCHAR[]"


def test_what_the_policy_redacts_is_not_written(tmp_path: Path) -> None:
    lines, written = tmp_path / "sessions.jsonl", tmp_path / "sessions.parquet"
    site = tmp_path / "site.yaml"
    lines.write_text(LINES)
    site.write_text("redact: [subject]\n")
    mailtap.write_sessions(lines, written, policy=site)
    assert duckdb.sql(
        f"SELECT DISTINCT subject FROM '{written}' WHERE subject <> ''"
    ).fetchall() == [("***",)]


def test_a_report_writes_its_sessions_as_parquet_when_named_so(tmp_path: Path) -> None:
    lines, written = tmp_path / "sessions.jsonl", tmp_path / "out.parquet"
    lines.write_text(LINES)
    with mailtap.report(lines) as report:
        report.write_sessions(written)
    assert duckdb.sql(f"SELECT uid FROM '{written}' ORDER BY 1").fetchall() == [
        ("C1",),
        ("C2",),
        ("C3",),
    ]
    with mailtap.report(lines) as one, mailtap.report(written) as other:
        assert one.to_dict() == other.to_dict()


def test_a_folder_of_days_is_one_source(loaded: Load, tmp_path: Path) -> None:
    for day in ("2026-11-23", "2026-11-24"):
        path = tmp_path / "days" / f"date={day}" / "part.parquet"
        parquet(
            path,
            f"SELECT 'C{day}' AS uid, 1700000000.0 AS ts, 'MAIL' AS decode_as, 'c2s' AS direction, "
            '\'192.0.2.1\' AS "id.orig_h", 40000 AS "id.orig_p", \'192.0.2.2\' AS "id.resp_h", '
            '25 AS "id.resp_p"',
        )
    rows, report = loaded(tmp_path / "days")
    assert [row["uid"] for row in rows] == ["C2026-11-23", "C2026-11-24"]
    assert report.complete
    assert {row["sensor"] for row in rows} == {None}


def test_more_columns_than_the_record_has_are_passed_over(loaded: Load, tmp_path: Path) -> None:
    path = records(tmp_path / "more.parquet")
    parquet(tmp_path / "x.parquet", f"SELECT *, [1] AS x, 'a'::BLOB AS y, 3 AS bad FROM '{path}'")
    rows, report = loaded(tmp_path / "x.parquet")
    assert len(rows) == 3
    assert report.complete


def test_fewer_columns_are_unset_fields(loaded: Load, tmp_path: Path) -> None:
    rows, _ = loaded(records(tmp_path / "fewer.parquet", starttls=""))
    assert [row["starttls"] for row in rows] == [None] * 3


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[mailtap.Session]:
    """The sessions of `records` in the types in which MailTap writes them."""
    return list(mailtap.sessions(records(tmp_path_factory.mktemp("written") / "plain.parquet")))


@pytest.mark.parametrize(
    ("column", "expression"),
    [
        ("id.orig_p", '"id.orig_p"::VARCHAR'),
        ("id.orig_p", '"id.orig_p"::DOUBLE'),
        ("id.orig_p", '"id.orig_p"::USMALLINT'),
        ("ts", "make_timestamp((ts * 1000000)::BIGINT)"),
        ("ts", "make_timestamp((ts * 1000000)::BIGINT)::TIMESTAMPTZ"),
        ("ts", "ts::DECIMAL(18, 6)"),
        ("ts", "(ts * 1000000)::BIGINT"),
        ("effective", "effective::VARCHAR"),
        ("effective", "effective::INTEGER"),
        ("decode_as", "decode_as::ENUM ('MAIL', 'BASE')"),
        ("rcptto", "to_json(rcptto)"),
        ("rcptto", "array_to_string(rcptto, ',')"),
    ],
)
def test_a_value_counts_in_whatever_type_it_is_written(
    tmp_path: Path, written: list[mailtap.Session], column: str, expression: str
) -> None:
    other = records(tmp_path / "other.parquet", **{column: expression})
    expected, found = written, list(mailtap.sessions(other))
    if column == "rcptto" and "array" in expression:  # a comma within an address divides it
        expected, found = expected[1:], found[1:]
    assert found == expected


def test_fields_in_structs_are_those_with_dots(tmp_path: Path) -> None:
    flat = records(tmp_path / "flat.parquet")
    nested = parquet(
        tmp_path / "nested.parquet",
        'SELECT * EXCLUDE ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"), '
        "{'orig_h': \"id.orig_h\", 'orig_p': \"id.orig_p\", 'resp_h': \"id.resp_h\", "
        f"'resp_p': \"id.resp_p\"}} AS id FROM '{flat}'",
    )
    assert list(mailtap.sessions(nested)) == list(mailtap.sessions(flat))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"id.resp_h": ""}, "needs these columns too: id.resp_h"),
        ({"ts": "[ts]"}, 'column "ts" has type'),
        ({"ts": "uid::BLOB"}, "where a text or a number is needed"),
        ({"id.orig_p": "make_timestamp(0)"}, "has type TIMESTAMP, where a number is needed"),
        (
            {"service": "uid::BLOB"},
            'column "service" has type BLOB, where a text or a number is needed',
        ),
        ({"uid": "", "direction": "", "decode_as": ""}, "neither a Zeek conn or mail_session log"),
    ],
)
def test_columns_that_are_missing_or_have_wrong_types_are_named(
    loaded: Load, tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    with pytest.raises(SourceError, match=said) as raised:
        loaded(records(tmp_path / "wrong.parquet", **changed))
    assert "\n" not in str(raised.value)


def test_records_without_a_needed_value_are_counted(loaded: Load, tmp_path: Path) -> None:
    path = records(tmp_path / "some.parquet", ts="CASE WHEN uid <> 'C2' THEN ts END")
    rows, report = loaded(path)
    assert [row["uid"] for row in rows] == ["C1", "C3"]
    assert report.warnings == (f"{path}: 1 malformed record, it is record 2",)


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda _: b"uid,ts\nC1,1\n",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-1],
        lambda whole: whole[:-9] + b"\xff" * 5 + whole[-4:],
        lambda whole: whole[:4] + b"\xff" * (len(whole) - 12) + whole[-8:],
        gzip.compress,
    ],
    ids=["empty", "csv", "half", "cut off", "footer's length", "pages and footer", "gzip"],
)
def test_a_damaged_file_is_one_line(
    loaded: Load, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = records(tmp_path / "damaged.parquet")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SourceError) as raised:
        loaded(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "Parquet file" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_damaged_pages_are_one_line_or_other_values_and_never_a_crash(
    loaded: Load, tmp_path: Path
) -> None:
    whole = records(tmp_path / "whole.parquet").read_bytes()
    generator = random.Random(11)
    path = tmp_path / "damaged.parquet"
    refused = 0
    for _ in range(12):
        bytes_ = bytearray(whole)
        for _ in range(4):
            bytes_[generator.randrange(4, len(bytes_) - 8)] = generator.randrange(256)
        path.write_bytes(bytes_)
        try:
            loaded(path)
        except SourceError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused


def test_conn_log_as_parquet(loaded: Load, tmp_path: Path) -> None:
    lines = tmp_path / "conn.log"
    lines.write_text(as_json(connection("C1"), connection("C2") | {"proto": "udp"}))
    path = parquet(tmp_path / "conn.parquet", f"FROM read_json('{lines}')")
    rows, report = loaded(path)
    assert report.kinds == ("conn.log",)
    assert [row["uid"] for row in rows] == ["C1"]


def test_a_gateways_export_as_parquet(loaded: Load, tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "export.parquet",
        "SELECT make_timestamp(1700000000250000) AS start_time, '192.0.2.10' AS client_ip, "
        "40001::UINTEGER AS client_port, '198.51.100.25' AS server_ip, 143 AS server_port, "
        "'http.imap' AS app, 'HTTP' AS decode_as",
    )
    (row,), report = loaded(path)
    assert report.kinds == ("gateway export",)
    assert (row["ts"], row["client_p"], row["app"]) == (1700000000.25, 40001, "http.imap")
