"""`analyze --engine zeek`: what Zeek is handed, what comes back, and what is said when it can't."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from types import SimpleNamespace

import pytest

from mailtap.capture.embedded import EngineOptions, analyze_captures
from mailtap.capture.errors import CaptureError
from mailtap.zeek import installation
from mailtap.zeek.installation import ZeekError
from mailtap.zeek.run import write_logs
from mailtap.zeek.stream import StreamWriter
from prerequisites import need_zeek

TRACES = Path(__file__).parents[2] / "btest" / "Traces"


@pytest.fixture(scope="module")
def _zeek() -> None:
    need_zeek()


needs_zeek = pytest.mark.usefixtures("_zeek")


def records(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_a_stream_is_a_capture_of_one_link_type_with_lengths_on_the_wire() -> None:
    file = io.BytesIO()
    StreamWriter(file, 113).write(SimpleNamespace(ts=1.5, len=60), b"abc")
    magic, _, _, _, _, _, link_type = struct.unpack("=IHHiIII", file.getvalue()[:24])
    assert (magic, link_type) == (0xA1B2C3D4, 113)
    assert struct.unpack("=IIII", file.getvalue()[24:40]) == (1, 500_000, 3, 60)
    assert file.getvalue()[40:] == b"abc"


def test_without_zeek_one_line_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(installation, "ZEEK_PLACES", ())
    with pytest.raises(ZeekError, match=r"^no Zeek found[^\n]*$"):
        write_logs([TRACES / "smtp.pcap"], EngineOptions(), tmp_path)


def test_the_error_of_a_zeek_without_the_package_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    zeek = tmp_path / "zeek"
    zeek.write_text("#!/bin/sh\nexit 1\n")
    zeek.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(ZeekError, match="zkg install"):
        write_logs([TRACES / "smtp.pcap"], EngineOptions(), tmp_path)


@needs_zeek
@pytest.mark.parametrize("name", ["smtp-client", "pop3-stls-server", "imap", "smtp-gap-client"])
def test_zeek_says_of_a_session_what_the_embedded_engine_says(name: str, tmp_path: Path) -> None:
    capture = TRACES / f"{name}.pcap"
    lines = io.BytesIO()
    analyze_captures([capture], EngineOptions(), lines)
    write_logs([capture], EngineOptions(), tmp_path)

    own = {"uid", "node", "duration", "ts"}
    (embedded,) = (json.loads(line) for line in lines.getvalue().splitlines())
    (zeek,) = records(tmp_path / "mail_session.log")
    assert {key: zeek[key] for key in zeek.keys() - own} == {
        key: embedded[key] for key in embedded.keys() - own
    }
    assert zeek["ts"] == pytest.approx(embedded["ts"])


@needs_zeek
def test_captures_are_one_analysis_with_the_users_options(tmp_path: Path) -> None:
    options = EngineOptions(effective_packets=1000, imap_ports=(993,))
    write_logs([TRACES / "smtp.pcap", TRACES / "openvpn-port-143.pcap"], options, tmp_path)
    assert [r["effective"] for r in records(tmp_path / "mail_session.log")] == [False]
    assert len(records(tmp_path / "conn.log")) == 2


@needs_zeek
def test_a_damaged_capture_counts_as_far_as_it_goes(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.pcap"
    damaged.write_bytes((TRACES / "smtp.pcap").read_bytes()[:-10])
    summary = write_logs([damaged], EngineOptions(), tmp_path)
    assert not summary.complete
    assert "broke off" in summary.warnings[0]
    assert records(tmp_path / "mail_session.log")[0]["service"] == "smtp"


@needs_zeek
def test_what_is_no_capture_is_refused_in_one_line(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a capture")
    with pytest.raises(CaptureError, match=r"^[^\n]*notes.txt: not a capture file[^\n]*$"):
        write_logs([text], EngineOptions(), tmp_path)
