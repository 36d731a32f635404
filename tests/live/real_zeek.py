"""A real Zeek with the package, that replays a capture to whoever listens."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prerequisites import need_zeek

WAIT_FOR_CLIENT = """
event zeek_init()
	{
	suspend_processing();
	}
"""

#: Before 8.1 loading the backend doesn't start it.
ZEROMQ = """
@load base/misc/version
@load frameworks/cluster/backend/zeromq
@if ( ! Version::at_least("8.1") )
@load frameworks/cluster/backend/zeromq/connect
@endif
"""

WEBSOCKET = """
redef Cluster::Backend::ZeroMQ::listen_xpub_endpoint = "ipc://xpub";
redef Cluster::Backend::ZeroMQ::listen_xsub_endpoint = "ipc://xsub";
redef Cluster::Backend::ZeroMQ::connect_xpub_endpoint = "ipc://xsub";
redef Cluster::Backend::ZeroMQ::connect_xsub_endpoint = "ipc://xpub";
redef Cluster::Backend::ZeroMQ::run_proxy_thread = T;
redef exit_only_after_terminate = T;

event Cluster::websocket_client_added(endpoint: Cluster::EndpointInfo, subscriptions: string_vec)
	{
	continue_processing();
	}
"""

WEBSOCKET_PORT = """
redef MailTap::websocket_port = to_port(getenv("ZEEK_WEBSOCKET_LISTEN_PORT") + "/tcp");
redef MailTap::serve_while_reading_traces = T;
"""

BROKER = """
redef exit_only_after_terminate = T;
redef Broker::disable_ssl = T;
redef MailTap::broker_listen_port = to_port(getenv("BROKER_PORT"));

event Broker::peer_added(endpoint: Broker::EndpointInfo, msg: string)
	{
	continue_processing();
	}
"""

#: Of a packet that says nothing but that time goes on: Ethernet, IPv4, UDP.
LATER_PACKET = bytes.fromhex(
    "020000000001020000000002080045000020000000004011"
    "0000c0000201c00002020009 0009 000c 0000 00000000"
)
LATER_PACKETS = 2_000
LATER_SECONDS = 3_600


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def with_all_ended(capture: Path, target: Path) -> None:
    """The capture (pcap, little-endian, microseconds) with time going on until every session ends:
    Zeek's clock is that of the packets, and it ends so many sessions with each.
    """
    content = capture.read_bytes()
    place, last = 24, 0
    while place < len(content):
        last, _, length, _ = struct.unpack_from("<IIII", content, place)
        place += 16 + length
    with target.open("wb") as file:
        file.write(content)
        for number in range(LATER_PACKETS):
            size = len(LATER_PACKET)
            when = last + LATER_SECONDS + number
            file.write(struct.pack("<IIII", when, 0, size, size) + LATER_PACKET)


@contextmanager
def replaying(capture: Path, folder: Path, way: str, *loaded: str) -> Iterator[int]:
    """A Zeek that replays the capture once a client is there; the port it listens on.

    `way` is `live` (WebSocket) or `broker`.
    """
    zeek, port = need_zeek(), free_port()
    first, last = folder / "first.zeek", folder / "last.zeek"
    first.write_text(ZEROMQ + WEBSOCKET if way == "live" else "")
    last.write_text(WAIT_FOR_CLIENT + (WEBSOCKET_PORT if way == "live" else BROKER))
    order = [first, "mailtap", f"mailtap/{way}", last, *loaded]
    process = subprocess.Popen(
        [zeek.zeek, "-C", "-r", capture, *order],
        cwd=folder,
        env=os.environ | {"ZEEK_WEBSOCKET_LISTEN_PORT": str(port), "BROKER_PORT": f"{port}/tcp"},
        stderr=(folder / "stderr.txt").open("w"),
        stdout=subprocess.DEVNULL,
    )
    try:
        yield port
    finally:
        process.kill()
        process.wait()
