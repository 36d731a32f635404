"""Verdicts sent to a real Zeek over its WebSocket API end in mail_consistency.log."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from prerequisites import need_zeek

SCRIPTS = Path(__file__).parents[3] / "zeek" / "scripts" / "consistency"

BROKER = "@load policy/frameworks/cluster/backend/broker\n"

# Sockets of its own, so that nothing else on the machine is met.
ZEROMQ = """
@load policy/frameworks/cluster/backend/zeromq
redef Cluster::Backend::ZeroMQ::run_proxy_thread = T;
redef Cluster::Backend::ZeroMQ::listen_xpub_endpoint = "ipc://xpub";
redef Cluster::Backend::ZeroMQ::listen_xsub_endpoint = "ipc://xsub";
redef Cluster::Backend::ZeroMQ::connect_xpub_endpoint = "ipc://xsub";
redef Cluster::Backend::ZeroMQ::connect_xsub_endpoint = "ipc://xpub";
"""

SENSOR = """
@load policy/frameworks/cluster/websocket/server
@load {scripts}
redef exit_only_after_terminate = T;
redef LogAscii::use_json = T;
redef Log::default_rotation_interval = 0sec;
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
    return port


@contextmanager
def sensor(folder: Path, backend: str) -> Iterator[int]:
    """A Zeek without traffic; gives the port of its WebSocket API."""
    script = folder / "sensor.zeek"
    script.write_text(backend + SENSOR.format(scripts=SCRIPTS))
    port = free_port()
    process = subprocess.Popen(
        [need_zeek().zeek, "-b", script.name],
        cwd=folder,
        env=os.environ | {"ZEEK_WEBSOCKET_LISTEN_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "stderr").open("wb"),
    )
    try:
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def subscribed(port: int) -> Iterator[ClientConnection]:
    """Connected, and acknowledged: before that Zeek discards events."""
    deadline = time.monotonic() + 60
    while not listens(port):
        assert time.monotonic() < deadline, "Zeek does not listen"
        time.sleep(0.2)
    with connect(f"ws://127.0.0.1:{port}/v1/messages/json", proxy=None) as client:
        client.send("[]")
        assert json.loads(client.recv(30))["type"] == "ack"
        yield client


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def event(line: str) -> str:
    def typed(kind: str, data: object) -> dict[str, object]:
        return {"@data-type": kind, "data": data}

    arguments = typed("vector", [typed("string", line)])
    named = typed("vector", [typed("string", "MailTap::mail_verdict"), arguments])
    return json.dumps(
        {
            "type": "data-message",
            "topic": "/mailtap/verdicts/",
            **typed("vector", [typed("count", 1), typed("count", 1), named]),
        },
        ensure_ascii=False,
    )


def verdict(**more: object) -> str:
    fields = {
        "v": 1,
        "ts": 1_700_000_000.5,
        "uid": "CHhAvVGS1DHFjwGM9",
        "sensor": "worker-1",
        "server_h": "2001:db8::25",
        "server_p": 25,
        "app": "smtp",
        "provenance": "payload",
        "decode_as": "BASE",
        "verdict": "inconsistent",
        "cause": "oneway",
    }
    return json.dumps(fields | more, ensure_ascii=False)


def rows(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.mark.parametrize("backend", [BROKER, ZEROMQ], ids=["broker", "zeromq"])
def test_a_verdict_is_logged_and_what_is_none_is_not(tmp_path: Path, backend: str) -> None:
    with sensor(tmp_path, backend) as port, subscribed(port) as client:
        client.send(event("not a verdict"))
        client.send(event(verdict(uid="\x1b[2J")))
        client.send(event(verdict()))
        client.send(event(verdict(sensor="Köln", verdict="compatible", cause="starttls")))
        deadline = time.monotonic() + 30
        while len(rows(tmp_path / "mail_consistency.log")) < 2:
            assert time.monotonic() < deadline, (tmp_path / "stderr").read_text()
            time.sleep(0.2)
    first, second = rows(tmp_path / "mail_consistency.log")
    assert {**first, "v": 1} == json.loads(verdict())
    assert (second["sensor"], second["cause"]) == ("Köln", "starttls")
    (notice,) = rows(tmp_path / "notice.log")
    assert notice["note"] == "MailTap::Verdicts_Refused"
