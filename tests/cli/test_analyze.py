"""`mailtap analyze` as a user calls it: what is printed, written and returned."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcapture import COLUMNS, random_makeup, write_capture
from mailtap.cli import main
from prerequisites import need_nfstream

PORT_25 = {
    "sessions": 12670,
    "direction": {"c2s": 11347, "s2c": 971, "bidirectional": 352},
    "effective": {
        "sessions": 5775,
        "direction": {"c2s": 4936, "s2c": 549, "bidirectional": 290},
    },
}
PORT_25_MAIL = {
    "sessions": 5017,
    "starttls": 1298,
    "mail_from_cmd": 3410,
    "mail_from": 248,
    "mail_to_cmd": 3328,
    "mail_to": 246,
    "no_mail_field": 309,
}
MIXED = {
    "sessions": 17963,
    "direction": {"c2s": 16363, "s2c": 1221, "bidirectional": 379},
    "effective": {
        "sessions": 8343,
        "direction": {"c2s": 7315, "s2c": 684, "bidirectional": 344},
    },
}
MIXED_MAIL = {
    "sessions": 6714,
    "starttls": 2124,
    "mail_from_cmd": 3758,
    "mail_from": 123,
    "mail_to_cmd": 3681,
    "mail_to": 122,
    "no_mail_field": 832,
}


def analyze(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["analyze", *map(str, arguments)])


def report(*arguments: object) -> dict[str, Any]:
    result = analyze(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture of forty sessions of all kinds."""
    path = tmp_path_factory.mktemp("captures") / "small.pcap"
    write_capture(random_makeup(11, 40), 11, path)
    return path


@pytest.mark.parametrize(
    ("name", "expected", "mail"),
    [("port25", PORT_25, PORT_25_MAIL), ("mixed", MIXED, MIXED_MAIL)],
)
def test_the_fields_column(
    name: str, expected: dict[str, Any], mail: dict[str, int], tmp_path: Path
) -> None:
    capture = tmp_path / "field.pcap"
    write_capture(COLUMNS[name](), 1, capture)
    found = report(capture)
    assert {key: found[key] for key in expected} == expected
    assert {key: found["mail"][key] for key in mail} == mail
    assert found["complete"] is True
    assert found["engine"] == "embedded"
    assert found["consistency"] is None


EXACT = [
    "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "client_h", "client_p", "server_h",
    "server_p", "service", "direction", "starttls", "implicit_tls", "tunnel", "decode_as",
    "effective", "client_pkts", "client_bytes", "server_pkts", "server_bytes", "gap_bytes",
    "midstream", "helo", "mailfrom", "rcptto", "from", "to", "mailfrom_count", "rcptto_count",
    "subject", "auth", "user", "messages", "empty_cause",
]  # fmt: skip


def comparable(record: dict[str, Any]) -> dict[str, Any]:
    """The record with sets sorted and what is unset or empty left out."""
    values = {
        key: sorted(value) if isinstance(value, list) else value
        for key, value in record.items()
        if key in EXACT
    }
    return {key: value for key, value in values.items() if value not in (None, [], 0, False)}


@settings(max_examples=12)
@given(seed=st.integers(0, 1_000_000))
def test_every_session_is_as_the_generator_says(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    truth = write_capture(random_makeup(seed, 60), seed, folder / "any.pcap")
    report(folder / "any.pcap", "--sessions", folder / "lines.jsonl")
    lines = map(json.loads, (folder / "lines.jsonl").read_text().splitlines())
    found = {(round(line["ts"] * 1e6), line["community_id"]): comparable(line) for line in lines}
    assert len(found) == len(truth)
    expected = sorted((comparable(session.record()) for session in truth), key=str)
    assert sorted(found.values(), key=str) == expected


def test_json_is_alone_on_standard_output(small: Path) -> None:
    result = analyze(small, "--json")
    assert json.loads(result.stdout)["sessions"] == 40
    assert result.stderr == ""


def test_tables_for_people(small: Path) -> None:
    result = analyze(small)
    assert result.exit_code == 0
    assert "TCP sessions: c2s / s2c / both sides" in result.stdout
    assert "\x1b" not in result.stdout


def test_the_page(small: Path, tmp_path: Path) -> None:
    assert analyze(small, "--html", tmp_path / "page.html").exit_code == 0
    assert "<!doctype html>" in (tmp_path / "page.html").read_text().lower()


def test_several_captures_are_one_analysis(small: Path, tmp_path: Path) -> None:
    data = small.read_bytes()
    header, packets = data[:24], data[24:]
    half = 0
    while half < len(packets) // 2:
        half += 16 + int.from_bytes(packets[half + 8 : half + 12], "little")
    first, second = tmp_path / "1.pcap", tmp_path / "2.pcap"
    first.write_bytes(header + packets[:half])
    second.write_bytes(header + packets[half:])
    assert report(first, second) == report(small)


def test_gzip_is_read_through(small: Path, tmp_path: Path) -> None:
    packed = tmp_path / "small.pcap.gz"
    packed.write_bytes(gzip.compress(small.read_bytes()))
    assert report(packed) == report(small)


def test_a_policy_moves_the_thresholds(small: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("effective: {packets: 1000000}\n")
    assert report(small, "--policy", policy)["effective"]["sessions"] == 0


def test_a_policy_hides_fields(small: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("redact: [user, subject]\n")
    report(small, "--policy", policy, "--sessions", tmp_path / "lines.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "lines.jsonl").read_text().splitlines()]
    assert {line.get("user") for line in lines} == {None, "***"}


def test_a_truncated_capture_gives_what_could_be_read(small: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pcap"
    broken.write_bytes(small.read_bytes()[:-10])
    result = analyze(broken, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["complete"] is False
    assert len(result.stderr.splitlines()) == 1
    assert "broken.pcap: broke off after" in result.stderr


def _missing(folder: Path) -> Path:
    return folder / "none.pcap"


def _directory(folder: Path) -> Path:
    return folder


def _empty(folder: Path) -> Path:
    (folder / "empty.pcap").touch()
    return folder / "empty.pcap"


def _text(folder: Path) -> Path:
    (folder / "text.pcap").write_text("no capture at all\n" * 10)
    return folder / "text.pcap"


def _unknown_link(folder: Path) -> Path:
    header = bytes.fromhex("d4c3b2a1020004000000000000000000ffff0000") + (147).to_bytes(4, "little")
    (folder / "link.pcap").write_bytes(header)
    return folder / "link.pcap"


def _strange_name(folder: Path) -> Path:
    return folder / "no\x1b[31mname.pcap"


@pytest.mark.parametrize(
    "make", [_missing, _directory, _empty, _text, _unknown_link, _strange_name]
)
def test_what_can_not_be_read_is_one_clear_line(make: Any, tmp_path: Path) -> None:
    result = analyze(make(tmp_path), "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "\x1b" not in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.usefixtures("file_modes_hold")
def test_no_permission(small: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked.pcap"
    locked.write_bytes(small.read_bytes())
    locked.chmod(0)
    assert "no permission" in analyze(locked).stderr


def test_an_output_that_can_not_be_written(small: Path, tmp_path: Path) -> None:
    for option in "--html", "--sessions":
        result = analyze(small, option, tmp_path / "no" / "folder")
        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1


def test_usage_is_status_two() -> None:
    assert analyze().exit_code == 2
    assert analyze("x.pcap", "--dpi", "no-such").exit_code == 2


def test_ndpi_labels_the_same_capture(small: Path) -> None:
    need_nfstream()
    found = report(small, "--dpi", "ndpi")["consistency"]
    assert found["matched"] > 30
    assert found["unexplained"]["n"] == 0
    shares = (found[verdict]["n"] for verdict in ("consistent", "compatible", "inconsistent"))
    assert sum(shares) == found["matched"]
