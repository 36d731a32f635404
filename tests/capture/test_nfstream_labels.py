"""nDPI's labels by NFStream."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import pytest

from mailtap.capture.errors import CaptureError
from mailtap.capture.nfstream_labels import LabellingError, NfstreamLabels
from packets import CLIENT, SERVER, mail_session, pcap, write
from prerequisites import need_nfstream


def labels(output: Path, *captures: Path) -> list[dict[str, str]]:
    with NfstreamLabels(captures, output) as running:
        running.wait()
    with output.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("compress", [False, True])
def test_flows_come_with_their_label(tmp_path: Path, compress: bool) -> None:
    need_nfstream()
    conversation = mail_session()
    content = pcap(conversation.packets)
    path = write(tmp_path / "x.pcap", gzip.compress(content) if compress else content)
    [row] = labels(tmp_path / "labels.csv", path)
    assert (row["src_ip"], int(row["src_port"])) == CLIENT
    assert (row["dst_ip"], int(row["dst_port"])) == SERVER
    assert row["application_name"] == "SMTP"
    assert row["application_confidence"] == "6"  # from the payload
    assert int(row["bidirectional_first_seen_ms"]) == conversation.start * 1000
    assert int(row["bidirectional_packets"]) == len(conversation.packets)
    assert list(tmp_path.glob("tmp*")) == []


def test_several_captures_are_one(tmp_path: Path) -> None:
    need_nfstream()
    packets = mail_session().packets
    paths = [write(tmp_path / "1", pcap(packets[:8])), write(tmp_path / "2", pcap(packets[8:]))]
    assert len(labels(tmp_path / "labels.csv", *paths)) == 1


def test_its_failure_is_one_line(tmp_path: Path) -> None:
    need_nfstream()
    path = write(tmp_path / "x.pcap", b"no capture at all" * 10)
    with pytest.raises(LabellingError) as failed:
        labels(tmp_path / "labels.csv", path)
    assert "\n" not in str(failed.value)
    assert "NFStream failed" in str(failed.value)


def test_its_absence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "nfstream.py", b"raise ImportError('none here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    path = write(tmp_path / "x.pcap", pcap(mail_session().packets))
    with pytest.raises(LabellingError, match=r"pip install 'mailtap\[ndpi\]'"):
        labels(tmp_path / "labels.csv", path)


def test_a_pipe_cannot_be_read_twice(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CaptureError, match="save it to a file"):
        NfstreamLabels([tmp_path / "pipe"], tmp_path / "labels.csv")


def test_it_ends_with_the_analysis(tmp_path: Path) -> None:
    path = write(tmp_path / "x.pcap", pcap(mail_session().packets))
    with NfstreamLabels([path], tmp_path / "labels.csv") as running:
        process = running._process
    assert process.returncode is not None
