"""A cluster of real Zeeks: manager, logger, and two workers that replay a capture each."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from prerequisites import need_zeek
from real_zeek import ZEROMQ, free_port

LAYOUT = """
redef Cluster::manager_is_logger = F;
redef Cluster::nodes = {
	["manager"] = [$node_type=Cluster::MANAGER, $ip=127.0.0.1, $p=to_port(getenv("MANAGER_PORT"))],
	["logger"] = [$node_type=Cluster::LOGGER, $ip=127.0.0.1, $p=to_port(getenv("LOGGER_PORT")),
		$manager="manager"],
	["worker-1"] = [$node_type=Cluster::WORKER, $ip=127.0.0.1, $manager="manager"],
	["worker-2"] = [$node_type=Cluster::WORKER, $ip=127.0.0.1, $manager="manager"],
};
"""

# A replay is faster than any traffic, and nothing may be dropped for that.
NODE = {
    "live": ZEROMQ
    + """
redef exit_only_after_terminate = T;
redef Cluster::Backend::ZeroMQ::listen_xpub_endpoint = "ipc://../xpub";
redef Cluster::Backend::ZeroMQ::listen_xsub_endpoint = "ipc://../xsub";
redef Cluster::Backend::ZeroMQ::connect_xpub_endpoint = "ipc://../xsub";
redef Cluster::Backend::ZeroMQ::connect_xsub_endpoint = "ipc://../xpub";
redef Cluster::Backend::ZeroMQ::xpub_sndhwm = 0;
redef Cluster::Backend::ZeroMQ::xsub_rcvhwm = 0;
redef Cluster::Backend::ZeroMQ::onloop_queue_hwm = 0;

global begin: event() &is_used;
""",
    "broker": """
@load base/misc/version
@if ( Version::at_least("8.1") )
@load frameworks/cluster/backend/broker
@endif

redef exit_only_after_terminate = T;
redef Broker::disable_ssl = T;
redef Broker::peer_buffer_size = 1000000;

global begin: event() &is_used;
""",
}

MANAGER = """
global awaited = 0 &redef;

function one_more()
	{
	if ( --awaited == 0 )
		Cluster::publish(Cluster::worker_topic, begin);
	}

event Cluster::node_up(name: string, id: string)
	{
	if ( /^worker/ in name )
		one_more();
	}
"""

#: The client that is awaited, too.
CLIENT = {
    "live": """
redef MailTap::websocket_port = to_port(getenv("CLIENT_PORT"));
redef awaited = 3;

event Cluster::websocket_client_added(endpoint: Cluster::EndpointInfo, subscriptions: string_vec)
	{
	one_more();
	}
""",
    "broker": """
redef MailTap::broker_listen_port = to_port(getenv("CLIENT_PORT"));
redef awaited = 6;

# Of the client, and of each of the other nodes.
event Broker::peer_added(endpoint: Broker::EndpointInfo, msg: string)
	{
	one_more();
	}
""",
}

WORKER = """
event zeek_init()
	{
	suspend_processing();
	}

event begin()
	{
	continue_processing();
	}
"""

IPV4, IPV6 = 0x0800, 0x86DD


def divided(capture: Path, targets: Sequence[Path]) -> None:
    """The capture (pcap, little-endian, Ethernet) in parts; all of two hosts is in one of them."""
    content = capture.read_bytes()
    files = [target.open("wb") for target in targets]
    for file in files:
        file.write(content[:24])
    place = 24
    while place < len(content):
        (length,) = struct.unpack_from("<I", content, place + 8)
        packet = content[place : place + 16 + length]
        (kind,) = struct.unpack_from("!H", packet, 16 + 12)
        addresses = {IPV4: slice(42, 50), IPV6: slice(38, 70)}.get(kind, slice(0))
        files[sum(packet[addresses]) % len(files)].write(packet)
        place += 16 + length
    for file in files:
        file.close()


@contextmanager
def replaying_cluster(captures: Sequence[Path], folder: Path, way: str) -> Iterator[int]:
    """Two workers that replay a capture each once a client is there; the port that the manager
    serves clients on. `way` is `live` (WebSocket, with ZeroMQ in the cluster) or `broker`.
    """
    zeek, port = need_zeek(), free_port()
    ports = {
        "CLIENT_PORT": f"{port}/tcp",
        "MANAGER_PORT": f"{free_port()}/tcp",
        "LOGGER_PORT": f"{free_port()}/tcp",
    }
    inherited = os.environ | ports
    (folder / "cluster-layout.zeek").write_text(LAYOUT)
    scripts = {
        "manager": MANAGER + CLIENT[way],
        "logger": "",
        "worker-1": WORKER,
        "worker-2": WORKER,
    }
    read: dict[str, list[str | Path]] = {
        f"worker-{n}": ["-C", "-r", capture] for n, capture in enumerate(captures, 1)
    }
    processes = []
    try:
        for name, script in scripts.items():
            (folder / name).mkdir()
            (folder / name / "node.zeek").write_text(NODE[way])
            (folder / name / "own.zeek").write_text(script)
            command = [zeek.zeek, *read.get(name, []), "./node.zeek", "mailtap", f"mailtap/{way}"]
            processes.append(
                subprocess.Popen(
                    [*command, "./own.zeek"],
                    cwd=folder / name,
                    env=inherited
                    | {"CLUSTER_NODE": name, "ZEEKPATH": f"{inherited['ZEEKPATH']}:{folder}"},
                    stderr=(folder / name / "stderr.txt").open("w"),
                    stdout=subprocess.DEVNULL,
                )
            )
        yield port
    finally:
        for process in processes:
            process.kill()
            process.wait()
