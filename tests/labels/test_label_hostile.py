"""Label files are hostile input: what can't be read is counted, the rest comes in harmless."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import label_samples as samples
from mailtap.cli.labels import labels as labels_command
from mailtap.labels import LabelError, LabelFile

Import = Callable[..., Any]
GOOD = samples.suricata() + "\n"


def test_malformed_lines_are_counted_with_the_first_ones_number(imported: Import) -> None:
    content = GOOD + "\n" + GOOD + "{broken\n" + GOOD + "[1, 2]\n" + GOOD
    rows, loaded = imported(content)
    assert len(rows) == 4
    assert loaded.files[0].malformed == 2
    assert not loaded.complete
    assert loaded.warnings[0].endswith("2 malformed lines, the first is line 4")


def test_lines_the_scan_rejects_are_counted_too(imported: Import) -> None:
    content = (GOOD + "x" * 2_000_000 + "\n" + GOOD).encode() + b'{"a":"\xff"}\n{broken\n'
    rows, loaded = imported(content)
    assert len(rows) == 2
    assert loaded.files[0].malformed == 3
    assert loaded.warnings[0].endswith("the first is line 2")


def test_the_first_bad_line_is_found_among_records_and_rejected_lines(imported: Import) -> None:
    header, *rest = samples.NFSTREAM.splitlines()
    bad = rest[1].replace("2001:db8::2", "nonsense")
    content = "\n".join([header, rest[0], "a,b", bad, rest[2]])
    rows, loaded = imported(content)
    assert len(rows) == 2
    assert loaded.warnings[0].endswith("2 malformed lines, the first is line 3")


@pytest.mark.parametrize(
    "value", ["a\x1b[31mred", "[bold]x[/bold]", "=HYPERLINK(1)", "a\u202eb", "a\x00b", "x" * 5000]
)
def test_a_name_has_no_life_of_its_own(imported: Import, tmp_path: Path, value: str) -> None:
    (row,), _ = imported(samples.suricata(app_proto=value, app_proto_orig=None) + "\n")
    assert row["name"].isprintable()
    assert len(row["name"]) <= 256
    output = CliRunner().invoke(labels_command, [str(tmp_path / "labels")])
    assert output.exit_code == 0
    assert not set("\x1b\u202e\x00") & set(output.output)


def test_a_gzip_file_that_is_cut_off_gives_what_is_there(imported: Import) -> None:
    lines = "".join(
        samples.suricata(src_port=1 + n % 60000, noise=os.urandom(8).hex()) + "\n"
        for n in range(3000)
    )
    packed = gzip.compress(lines.encode())
    rows, loaded = imported(packed[: len(packed) // 2])
    assert 1000 < len(rows) < 3000
    assert not loaded.complete
    assert "cut off" in loaded.warnings[0]


def test_more_columns_than_any_format_has(imported: Import) -> None:
    with pytest.raises(LabelError, match="more than 4096 columns"):
        imported(",".join(f"c{n}" for n in range(9000)) + "\n1,2\n")


def test_a_column_that_is_no_label(imported: Import) -> None:
    lines = "".join(f"{n},192.0.2.1,1,192.0.2.2,25,{n}\n" for n in range(70000))
    with pytest.raises(LabelError, match="more than 65536 different label names"):
        imported("app,src_ip,src_port,dst_ip,dst_port,start\n" + lines)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no lines"),
        (b"\x00\x01\x02" * 1000, "no known label format"),
        (b"hello world\n", "no known label format"),
        (b"\x1f\x8bnonsense", "not valid gzip"),
        (b"\x28\xb5\x2f\xfdnonsense", "not valid Zstandard"),
    ],
)
def test_what_is_no_label_file(imported: Import, content: bytes, message: str) -> None:
    with pytest.raises(LabelError, match=message) as raised:
        imported(content)
    assert "\n" not in str(raised.value)


def test_the_command_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    for argument, message in [
        (tmp_path / "nothing", "No such file or directory"),
        (tmp_path, "has no files"),
    ]:
        result = CliRunner().invoke(labels_command, [str(argument)])
        assert result.exit_code == 1
        assert message in result.output
        assert result.output.count("\n") == 1


@pytest.mark.parametrize("start", ["1e118", "-1e18", "9" * 400])
def test_a_start_that_no_calendar_has_is_malformed(start: str, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(
        "app,src_ip,src_port,dst_ip,dst_port,start\n"
        "smtp,192.0.2.10,40001,198.51.100.25,25,1700000000\n"
        f"smtp,192.0.2.11,40001,198.51.100.25,25,{start}\n"
    )
    result = CliRunner().invoke(labels_command, [str(file)])
    assert result.exit_code == 0, result.output
    assert "1 malformed line" in result.output


def test_a_file_may_have_a_colon_in_its_name(tmp_path: Path) -> None:
    plain = tmp_path / "12:00:suricata"
    plain.write_text(GOOD)
    assert LabelFile.parse(str(plain)) == LabelFile(plain)
    assert LabelFile.parse(f"{plain}:suricata") == LabelFile(plain, "suricata")
    assert LabelFile.parse("x.log:panos") == LabelFile(Path("x.log"), "panos")
    assert LabelFile.parse("x.log:else") == LabelFile(Path("x.log:else"))


def test_a_name_of_a_file_is_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(GOOD + GOOD)
    odd = tmp_path / "*'.json"
    odd.write_text(GOOD)
    result = CliRunner().invoke(labels_command, [str(odd), "--json"])
    assert result.exit_code == 0
    document = json.loads(result.output)
    assert document["complete"]
    assert len(document["labels"]) == 1


def test_mixed_line_ends_are_read(imported: Import) -> None:
    header, *rest = samples.NFSTREAM.splitlines()
    rows, loaded = imported("\n".join([header, rest[0] + "\r", rest[1], rest[2]]) + "\n")
    assert len(rows) == 3
    assert loaded.complete


def test_a_line_with_more_values_than_names_is_malformed(imported: Import) -> None:
    rows, loaded = imported(samples.NFSTREAM + "0,192.0.2.10," * 30 + "\n")
    assert len(rows) == 3
    assert loaded.files[0].malformed == 1
