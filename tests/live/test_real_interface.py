"""Zeek and NFStream on an interface, as in the field: verdicts are those of a report afterwards."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailtap.live.labels.streams import InterfaceStream
from real_zeek import LATER_PACKET, free_port, installation
from running import running, until
from test_real_zeek import by_live, listed
from zeek_cluster import divided

CHECKOUT = Path(__file__).parents[2]

#: The two ends of a virtual cable.
SENDING, TAPPED = "mailtap0", "mailtap1"

#: Parts of the field capture, of which one is replayed, and packets of it a second.
PARTS = 12
PACE = 4_000

#: Seconds of time going on until NFStream and Zeek have ended what says nothing more.
QUIET = 25

SITE = """
@load frameworks/cluster/backend/zeromq

redef ignore_checksums = T;
redef tcp_inactivity_timeout = 5sec;
redef tcp_partial_close_delay = 1sec;
redef Log::default_rotation_interval = 0sec;
redef LogAscii::use_json = T;
redef Cluster::Backend::ZeroMQ::listen_xpub_endpoint = "ipc://xpub";
redef Cluster::Backend::ZeroMQ::listen_xsub_endpoint = "ipc://xsub";
redef Cluster::Backend::ZeroMQ::connect_xpub_endpoint = "ipc://xsub";
redef Cluster::Backend::ZeroMQ::connect_xsub_endpoint = "ipc://xpub";
redef Cluster::Backend::ZeroMQ::run_proxy_thread = T;
"""


@pytest.fixture
def cable() -> Iterator[None]:
    ip = [shutil.which("ip") or "false", "link"]
    added = subprocess.run(
        [*ip, "add", SENDING, "type", "veth", "peer", "name", TAPPED], capture_output=True
    )
    if added.returncode != 0:
        pytest.skip("no virtual interfaces can be made here: that takes root, and iproute2")
    try:
        for name in (SENDING, TAPPED):
            subprocess.run([*ip, "set", name, "mtu", "9000", "up"], check=True)
        yield
    finally:
        subprocess.run([*ip, "del", SENDING], check=True)


@contextmanager
def process(*command: str | Path, folder: Path, output: str, **extra: str) -> Iterator[None]:
    with (folder / output).open("wb") as target, (folder / "stderr.txt").open("ab") as said:
        started = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | extra,
            stdout=target,
            stderr=said,
            start_new_session=True,
        )
        try:
            yield
        finally:
            os.killpg(started.pid, signal.SIGTERM)
            started.wait()


def listening() -> int:
    """Sockets that take the packets of the tapped interface."""
    index = str(socket.if_nametoindex(TAPPED))
    sockets = (line.split() for line in Path("/proc/net/packet").read_text().splitlines()[1:])
    return sum(fields[4] == index for fields in sockets)


def replay(capture: Path) -> None:
    """Sends the packets of a capture (pcap, little-endian, Ethernet), then time goes on."""
    content = capture.read_bytes()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as cable:
        cable.bind((SENDING, 0))
        begun, number, place = time.monotonic(), 0, 24
        while place < len(content):
            (length,) = struct.unpack_from("<I", content, place + 8)
            cable.send(content[place + 16 : place + 16 + length])
            place, number = place + 16 + length, number + 1
            time.sleep(max(0.0, begun + number / PACE - time.monotonic()))
        ended = time.monotonic() + QUIET
        while time.monotonic() < ended:
            cable.send(LATER_PACKET)
            time.sleep(0.05)


@pytest.mark.usefixtures("cable")
def test_verdicts_are_those_of_a_report_on_what_zeek_and_nfstream_wrote(tmp_path: Path) -> None:
    pytest.importorskip("nfstream")
    zeek, port = installation(), free_port()
    logs, store, labels = tmp_path / "logs", tmp_path / "live.duckdb", tmp_path / "labels.csv"
    logs.mkdir()
    command = [sys.executable, "-m", "fieldcapture", "--out", tmp_path / "field.pcap"]
    subprocess.run(command, check=True, capture_output=True, cwd=CHECKOUT / "python")
    parts = [tmp_path / f"part-{n}.pcap" for n in range(PARTS)]
    divided(tmp_path / "field.pcap", parts)
    (tmp_path / "site.zeek").write_text(SITE)

    async def scenario() -> None:
        stream = InterfaceStream(TAPPED)
        async with running([f"ws://127.0.0.1:{port}"], [stream], store) as mode:
            await until(mode, lambda state: state.sensors[0].connected, 60)
            async with asyncio.timeout(60):
                while listening() < 3:  # Zeek and both meters
                    await asyncio.sleep(0.1)
            await asyncio.sleep(1)
            await asyncio.to_thread(replay, parts[0])
            state = mode.snapshot()
            assert state.matched > 500
            assert (state.sensors[0].lost, state.sensors[0].malformed) == (0, 0)

    with (
        process(
            *(zeek.zeek, "-i", TAPPED, "../site.zeek", "mailtap", "mailtap/live"),
            folder=logs,
            output="stdout.txt",
            **os.environ,
            ZEEK_WEBSOCKET_LISTEN_PORT=str(port),
        ),
        process(
            *(sys.executable, "-m", "mailtap.live.labels.nfstream_meter", TAPPED),
            folder=tmp_path,
            output=labels.name,
        ),
    ):
        asyncio.run(scenario())
    by_report = listed([logs], labels, tmp_path)
    assert by_live(store) == by_report
