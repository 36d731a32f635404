"""Label files in Parquet: the normal form, and any format with named values."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

import label_samples as samples
import mailtap
from mailtap.cli import main
from mailtap.labels import LabelError, LabelFile, load
from mailtap.labels.label import Label
from mailtap.policy import Policy

KINDS = {
    "ndpireader": samples.NDPIREADER,
    "ndpireader-json": samples.ndpireader_json() + "\n",
    "nfstream": samples.NFSTREAM,
    "suricata": samples.suricata() + "\n",
    "arkime": samples.arkime() + "\n",
    "panos-csv": samples.PANOS_CSV,
    "ndpid": "".join(samples.ndpid("detected", n, "SMTP").lstrip("0123456789") for n in (1, 2)),
}


def parquet(path: Path, query: str) -> Path:
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def labels(path: Path) -> list[Label]:
    return list(mailtap.labels(path))


def as_parquet(path: Path, content: str) -> Path:
    """The file as somebody's own conversion has it, with the types that DuckDB finds."""
    text = path.with_suffix(".txt")
    text.write_text(content)
    reader = "read_json" if content.startswith("{") else "read_csv"
    return parquet(path, f"FROM {reader}('{text}')")


@pytest.mark.parametrize("kind", KINDS)
def test_a_format_in_parquet_gives_the_labels_of_its_text(tmp_path: Path, kind: str) -> None:
    path = as_parquet(tmp_path / "labels.parquet", KINDS[kind])
    text = tmp_path / "labels.text"
    text.write_text(KINDS[kind])
    expected = [label.__dict__ | {"source": None} for label in labels(text)]
    assert [label.__dict__ | {"source": None} for label in labels(path)] == expected
    assert expected


@pytest.mark.parametrize("kind", KINDS)
def test_the_normal_form_is_read_again_as_it_was(tmp_path: Path, kind: str) -> None:
    text, written = tmp_path / "labels.text", tmp_path / "labels.parquet"
    text.write_text(KINDS[kind])
    mailtap.write_labels(text, written)
    assert labels(written) == labels(text)


def test_a_name_given_to_the_normal_form_counts(tmp_path: Path) -> None:
    text, written = tmp_path / "labels.text", tmp_path / "labels.parquet"
    text.write_text(samples.NFSTREAM)
    mailtap.write_labels(text, written)
    named = mailtap.labels(LabelFile(written, engine="lab"))
    assert {label.engine for label in named} == {"lab"}


def test_what_the_normal_form_does_not_know_is_unknown(tmp_path: Path) -> None:
    text, written = tmp_path / "labels.text", tmp_path / "labels.parquet"
    text.write_text(samples.NFSTREAM)
    mailtap.write_labels(text, written)
    changed = parquet(
        tmp_path / "changed.parquet",
        "SELECT * REPLACE ('x''y' AS protocol, 'rot13' AS encryption, NULL AS provenance, "
        f"E'a\\x1b' AS app) FROM '{written}'",
    )
    label = labels(changed)[0]
    assert (label.protocol, label.encryption, label.provenance) == (None, "unknown", "unknown")
    assert label.app == "a?"


def test_columns_of_other_names_are_read_by_the_policy(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "own.parquet",
        "SELECT 1700000000.25 AS ts, '192.0.2.10' AS src_ip, 40001 AS src_port, "
        "'198.51.100.25' AS dst_ip, 25 AS dst_port, 'smtp' AS app",
    )
    (label,) = labels(path)
    assert (label.protocol, label.engine, label.start) == ("smtp", "parquet", 1700000000.25)


def test_a_folder_of_days_is_one_engines_file(
    connection: duckdb.DuckDBPyConnection, policy: Policy, tmp_path: Path
) -> None:
    days = tmp_path / "days"
    days.mkdir()
    as_parquet(days / "1.parquet", samples.NFSTREAM)
    (days / "1.txt").unlink()
    (days / "2.csv").write_text(samples.NFSTREAM)
    (days / "_SUCCESS").write_text("")
    loaded = load(connection, [LabelFile(days)], policy)
    assert [file.form for file in loaded.files] == ["nfstream", "nfstream"]
    assert connection.execute("SELECT DISTINCT source FROM labels").fetchall() == [(str(days),)]


def test_an_empty_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="has no files"):
        labels(tmp_path)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("src_port", 'column "src_port" has type BLOB, where a number is needed'),
        (
            "application_name",
            'column "application_name" has type BLOB, where a text or a number is needed',
        ),
    ],
)
def test_a_wrong_type_is_one_line(tmp_path: Path, column: str, said: str) -> None:
    path = as_parquet(tmp_path / "labels.parquet", samples.NFSTREAM)
    wrong = parquet(
        tmp_path / "wrong.parquet", f"SELECT * REPLACE ('x'::BLOB AS {column}) FROM '{path}'"
    )
    with pytest.raises(LabelError, match=said):
        labels(wrong)


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    path = as_parquet(tmp_path / "labels.parquet", samples.NFSTREAM)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(LabelError, match="not a valid Parquet file"):
        labels(path)


def test_the_command_writes_what_it_reads(tmp_path: Path) -> None:
    text, written = tmp_path / "labels.text", tmp_path / "labels.parquet"
    text.write_text(samples.NFSTREAM)
    run: Callable[..., Any] = CliRunner().invoke
    result = run(main, ["labels", str(text), "--parquet", str(written)])
    assert result.exit_code == 0, result.output
    again = run(main, ["labels", str(written), "--json"])
    assert again.exit_code == 0, again.output
    document = json.loads(again.stdout)
    assert document["files"][0]["format"] == "normal"
    assert [label["app"] for label in document["labels"]] == ["smtp", "imap", "unknown"]
