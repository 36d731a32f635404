"""Zeek and NFStream on an interface, as in the field: verdicts are those of a report afterwards, on
Zeek's logs and on the labels that live mode got. (A second NFStream would see other packets: each
drops its own when the machine is busy.)
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cable import Cable, listening, send, virtual_cable
from mailtap.live.labels.streams import InterfaceStream
from mailtap.live.live_mode import LiveMode
from prerequisites import need_nfstream, need_zeek
from real_zeek import LATER_PACKET, free_port
from running import running, until
from test_real_zeek import by_live, listed
from zeek_cluster import divided

CHECKOUT = Path(__file__).parents[2]

#: Parts of the field capture, of which one is replayed, and packets of it a second.
PARTS = 12
PACE = 4_000

#: Seconds without a session until Zeek has ended what says nothing more: its clock is that of the
#: packets, so time has to go on in them.
QUIET = 12

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


def replay(capture: Path, interface: str) -> None:
    """Sends the packets of a capture (pcap, little-endian, Ethernet)."""
    content = capture.read_bytes()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as cable:
        cable.bind((interface, 0))
        begun, number, place = time.monotonic(), 0, 24
        while place < len(content):
            (length,) = struct.unpack_from("<I", content, place + 8)
            cable.send(content[place + 16 : place + 16 + length])
            place, number = place + 16 + length, number + 1
            time.sleep(max(0.0, begun + number / PACE - time.monotonic()))


async def until_quiet(mode: LiveMode, interface: str) -> None:
    """Time goes on until no session comes any more."""
    sessions, since = 0, time.monotonic()
    async with asyncio.timeout(120):
        while time.monotonic() - since < QUIET or not sessions:
            send(interface, LATER_PACKET)
            await asyncio.sleep(0.05)
            if mode.snapshot().sessions != sessions:
                sessions, since = mode.snapshot().sessions, time.monotonic()


def test_verdicts_are_those_of_a_report_on_zeek_s_logs_and_the_same_labels(tmp_path: Path) -> None:
    need_nfstream()
    zeek, port = need_zeek(), free_port()
    logs, store, labels = tmp_path / "logs", tmp_path / "live.duckdb", tmp_path / "labels.jsonl"
    logs.mkdir()
    command = [sys.executable, "-m", "fieldcapture", "--out", tmp_path / "field.pcap"]
    subprocess.run(command, check=True, capture_output=True, cwd=CHECKOUT / "python")
    parts = [tmp_path / f"part-{n}.pcap" for n in range(PARTS)]
    divided(tmp_path / "field.pcap", parts)
    (tmp_path / "site.zeek").write_text(SITE)

    async def scenario(cable: Cable) -> None:
        stream = InterfaceStream(cable.tapped)
        async with running([f"ws://127.0.0.1:{port}"], [stream], store) as mode:
            await until(mode, lambda state: state.sensors[0].connected, 60)
            async with asyncio.timeout(60):
                while listening(cable.tapped) < 2:  # Zeek and NFStream
                    await asyncio.sleep(0.1)
            await asyncio.to_thread(replay, parts[0], cable.sending)
            await until_quiet(mode, cable.sending)
            state = mode.snapshot()
            assert (state.sensors[0].lost, state.sensors[0].malformed) == (0, 0)

    with (
        virtual_cable() as cable,
        process(
            *(zeek.zeek, "-i", cable.tapped, "../site.zeek", "mailtap", "mailtap/live"),
            f"MailTap::websocket_port={port}/tcp",
            folder=logs,
            output="stdout.txt",
            **os.environ,
        ),
    ):
        asyncio.run(scenario(cable))
    with labels.open("w") as target:
        exported = [sys.executable, "-m", "mailtap", "store", store, "labels"]
        subprocess.run(exported, check=True, stdout=target)
    by_report = listed([logs], labels, tmp_path)
    verdicts = by_live(store)
    assert sum(verdict is not None for verdict, _, _ in verdicts.values()) > 500
    assert verdicts == by_report
