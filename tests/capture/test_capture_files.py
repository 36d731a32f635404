"""Capture files of every kind are read; what is wrong with one is said in a line."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from mailtap.capture.embedded import CaptureSummary, EngineOptions, analyze_captures
from mailtap.capture.errors import CaptureError
from packets import Conversation, Packet, mail_session, pcap, pcapng, write

PACKETS = mail_session().packets


def analyze(*paths: Path) -> tuple[list[dict[str, object]], CaptureSummary]:
    sink = io.BytesIO()
    summary = analyze_captures(paths, EngineOptions(), sink)
    return [json.loads(line) for line in sink.getvalue().splitlines()], summary


FORMATS = {
    "pcap": pcap(PACKETS),
    "pcap, the other byte order": pcap(PACKETS, order=">"),
    "pcap with nanoseconds": pcap(PACKETS, nanoseconds=True),
    "pcapng": pcapng(PACKETS),
    "pcap in gzip": gzip.compress(pcap(PACKETS)),
    "pcapng in gzip": gzip.compress(pcapng(PACKETS)),
    "gzip in two members": gzip.compress(pcap(PACKETS)[:1000])
    + gzip.compress(pcap(PACKETS)[1000:]),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_session(tmp_path: Path, name: str) -> None:
    [line], summary = analyze(write(tmp_path / "any.name", FORMATS[name]))
    assert summary.complete
    assert summary.statistics["packets"] == len(PACKETS)
    assert line["ts"] == PACKETS[0].time
    assert line["mailfrom"] == ["alice@example.org"]


def test_a_large_gzip_file_streams_through(tmp_path: Path) -> None:
    """More than any pipe or buffer holds, and an opening that waits for its first bytes."""
    bulk = Conversation().handshake()
    for _ in range(2000):
        bulk.say(client=os.urandom(1400))
    lines, summary = analyze(write(tmp_path / "bulk.gz", gzip.compress(pcap(bulk.packets), 1)))
    assert summary.complete
    assert lines[0]["client_bytes"] == 2000 * 1400


def test_a_pipe_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = write(tmp_path / "x.pcap", pcap(PACKETS[:5]))
    with subprocess.Popen(["sh", "-c", 'cat "$1" > "$2"', "sh", path, pipe]):
        lines, summary = analyze(pipe)
    assert summary.complete
    assert len(lines) == 1


def test_rotated_captures_are_one(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "1.pcap", pcap(PACKETS[:7])),
        write(tmp_path / "2.pcap.gz", gzip.compress(pcap(PACKETS[7:12]))),
        write(tmp_path / "3.pcap", pcap([Packet(p.time, p.data[14:]) for p in PACKETS[12:]], 101)),
    ]
    [line], summary = analyze(*paths)
    assert summary.complete
    assert line["messages"] == 1
    assert line["gap_bytes"] == 0


@pytest.mark.parametrize("compress", [False, True])
def test_a_truncated_capture_gives_what_was_readable(tmp_path: Path, compress: bool) -> None:
    content = pcap(PACKETS)[:-30]
    path = write(tmp_path / "cut.pcap", gzip.compress(content) if compress else content)
    [line], summary = analyze(path)
    assert line["mailfrom"] == ["alice@example.org"]
    assert not summary.complete
    [warning] = summary.warnings
    assert warning.startswith(f"{path}: broke off after {len(PACKETS) - 1} packets: truncated")


def compressed_noise() -> bytes:
    noise = Conversation().handshake()
    source = random.Random(1)
    for _ in range(200):
        noise.say(client=source.randbytes(500).hex().encode())
    return gzip.compress(pcap(PACKETS + noise.packets))


def test_a_gzip_file_that_is_cut_says_so(tmp_path: Path) -> None:
    content = compressed_noise()
    lines, summary = analyze(write(tmp_path / "x.gz", content[: len(content) // 2]))
    assert len(lines) == 2
    assert not summary.complete
    assert "damaged gzip data: compressed file ended" in summary.warnings[0]


def test_a_gzip_file_that_was_overwritten_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """What comes out behind the damage is garbage: whichever layer notices first says so."""
    content = bytearray(compressed_noise())
    middle = len(content) // 2
    content[middle : middle + 5000] = bytes(5000)
    lines, summary = analyze(write(tmp_path / "x.gz", bytes(content)))
    assert len(lines) >= 2
    assert not summary.complete
    assert "broke off after" in summary.warnings[0]


def test_a_corrupt_record_ends_the_capture(tmp_path: Path) -> None:
    content = pcap(PACKETS[:10]) + b"\xff" * 200
    _, summary = analyze(write(tmp_path / "x.pcap", content))
    assert summary.statistics["packets"] == 10
    assert not summary.complete


def test_the_next_capture_is_still_read_after_a_damaged_one(tmp_path: Path) -> None:
    other = mail_session(client=("192.0.2.77", 50_000))
    paths = [
        write(tmp_path / "1", pcap(PACKETS)[:-1]),
        write(tmp_path / "2", pcap(other.packets)),
    ]
    lines, summary = analyze(*paths)
    assert len(lines) == 2
    assert len(summary.warnings) == 1


NOT_CAPTURES = {
    "empty": (b"", "is empty"),
    "text": (b"ts\tuid\tid.orig_h\n" * 50, "not a capture file"),
    "a header alone, cut": (pcap([])[:10], "not a capture file"),
    "gzip of text": (gzip.compress(b"hello world " * 100), "not a capture file"),
    "gzip, cut in its header": (gzip.compress(pcap(PACKETS))[:6], "damaged gzip data"),
    "an unknown link type": (pcap([], 147), "link type 147"),
}


@pytest.mark.parametrize("name", NOT_CAPTURES)
def test_what_is_no_capture_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    content, reason = NOT_CAPTURES[name]
    path = write(tmp_path / "x.pcap", content)
    with pytest.raises(CaptureError) as refused:
        analyze(path)
    assert str(path) in str(refused.value)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_capture_without_packets_is_complete(tmp_path: Path) -> None:
    lines, summary = analyze(write(tmp_path / "x.pcap", pcap([])))
    assert lines == []
    assert summary.complete


def test_missing_files_and_directories_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="no such file"):
        analyze(tmp_path / "missing.pcap")
    with pytest.raises(CaptureError, match="is a directory"):
        analyze(tmp_path)


@pytest.mark.usefixtures("file_modes_hold")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.pcap", pcap(PACKETS))
    path.chmod(0)
    with pytest.raises(CaptureError, match="no permission"):
        analyze(path)


def test_names_with_escapes_do_not_reach_the_terminal(tmp_path: Path) -> None:
    with pytest.raises(CaptureError) as refused:
        analyze(tmp_path / "\x1b[31mred\nline")
    assert "\x1b" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_mistake_is_found_before_any_work(tmp_path: Path) -> None:
    sink = io.BytesIO()
    with pytest.raises(CaptureError):
        analyze_captures(
            [write(tmp_path / "1", pcap(PACKETS)), tmp_path / "missing"], EngineOptions(), sink
        )
    assert sink.getvalue() == b""


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    paths = [
        write(tmp_path / "1", pcap(PACKETS * 500)),
        write(tmp_path / "2", gzip.compress(pcap(PACKETS * 500))),
    ]
    analyze_captures(
        paths, EngineOptions(), io.BytesIO(), lambda done, total: seen.append((done, total))
    )
    size = sum(path.stat().st_size for path in paths)
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert seen[-1] == (size, size)


def test_times_beyond_belief_are_survived(tmp_path: Path) -> None:
    packets = [Packet(2**50 / 10**6 * 2**10, p.data) for p in PACKETS]
    lines, _ = analyze(write(tmp_path / "x", pcapng(packets)))
    assert len(lines) == 1
