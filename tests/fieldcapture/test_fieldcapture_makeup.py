"""Make-ups, and the command that takes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from fieldcapture import Impairments, Makeup, Row, port25, with_bulk
from fieldcapture.__main__ import main
from fieldcapture.makeup_file import MakeupError, read_makeup

YAML = """
rows:
  smtp_message: {c2s: 2, both: 1}
  pop3_stls: {s2c: 1}
impairments: {loss: 0.5}
ports: [25]
ipv6: 0
"""


def test_a_file_says_what_a_makeup_says(tmp_path: Path) -> None:
    path = tmp_path / "makeup.yaml"
    path.write_text(YAML)
    rows = (Row("smtp_message", c2s=2, both=1), Row("pop3_stls", s2c=1))
    assert read_makeup(path) == Makeup(rows, Impairments(loss=0.5), ports=(25,), ipv6=0.0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rows: {smpt_message: {c2s: 1}}", "rows: unknown key 'smpt_message'"),
        ("rows: {smtp_message: {c2s: -1}}", "rows.smtp_message.c2s: expected a whole number"),
        ("rows: {smtp_message: {c2s: true}}", "rows.smtp_message.c2s: expected a whole number"),
        (
            "rows: {syn_unanswered: {s2c: 1}}",
            "syn_unanswered: a session of this kind can't be seen as s2c",
        ),
        ("rows: {}\nimpairments: {loss: 2}", "impairments.loss: expected a share from 0 to 1"),
        ("rows: {}\nports: []", "ports: expected a list of port numbers"),
        ("rows: {}\nports: [70000]", "ports: expected a whole number"),
        ("[]", "the file: expected keys and values"),
        ("rows: {", "makeup.yaml"),
        ("", "the file: expected keys and values"),
    ],
)
def test_a_bad_file_is_named_with_its_key(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "makeup.yaml"
    path.write_text(text)
    with pytest.raises(MakeupError) as error:
        read_makeup(path)
    assert problem in str(error.value) and str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_bulk_leaves_the_sessions_as_they_are() -> None:
    assert with_bulk(port25()).rows == port25().rows
    assert with_bulk(port25()).tls_bulk > 0


def test_the_command_writes_capture_and_truth(tmp_path: Path) -> None:
    makeup, pcap, truth = tmp_path / "m.yaml", tmp_path / "c.pcap", tmp_path / "c.jsonl"
    makeup.write_text(YAML)
    arguments = ["--out", str(pcap), "--truth", str(truth), "--makeup", str(makeup)]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stdout) == (0, "")
    assert pcap.stat().st_size > 24 and len(truth.read_text().splitlines()) == 4


def test_the_command_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    makeup = tmp_path / "m.yaml"
    makeup.write_text(YAML)
    nowhere = ["--out", str(tmp_path / "missing" / "c.pcap"), "--makeup", str(makeup)]
    unwritable = CliRunner().invoke(main, nowhere)
    assert unwritable.exit_code == 1
    assert unwritable.stderr.count("\n") == 1 and "No such file or directory" in unwritable.stderr
    unknown = CliRunner().invoke(main, ["--out", str(tmp_path / "c.pcap"), "--makeup", "nonsense"])
    assert unknown.exit_code == 2 and "nonsense" in unknown.stderr
