"""A real Zeek that asks WebSocket clients for certificates: pages in browsers have none."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from certificates import Certificates
from mailtap.live.sensors.url import transport
from real_zeek import replaying
from running import running, until

CAPTURE = Path(__file__).parents[2] / "btest" / "Traces" / "smtp.pcap"
SERVES_TLS = """
redef MailTap::websocket_tls = Cluster::WebSocketTLSOptions(
    $cert_file="{certificate}", $key_file="{key}", $enable_peer_verification=T, $ca_file="{ca}");
"""
PATIENCE = 30.0


def listens(port: int, context: ssl.SSLContext) -> bool:
    """Whether a client with this context gets as far as WebSocket."""
    try:
        with connect(
            f"wss://127.0.0.1:{port}/v1/messages/json", ssl=context, origin="https://evil.example"
        ) as client:
            client.send("[]")
            client.recv(timeout=5)
    except (ConnectionRefusedError, WebSocketException, ssl.SSLError, OSError):
        return False
    return True


def test_a_client_without_a_certificate_can_not_connect_and_live_mode_can(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    server, client = certificates.server, certificates.client
    script = tmp_path / "tls.zeek"
    script.write_text(
        SERVES_TLS.format(ca=certificates.ca, certificate=server.certificate, key=server.key)
    )
    without = ssl.create_default_context(cafile=str(certificates.ca))
    with_one = ssl.create_default_context(cafile=str(certificates.ca))
    assert client.certificate is not None
    with_one.load_cert_chain(client.certificate, client.key)

    async def connects(port: int) -> None:
        async with running([transport(f"wss://127.0.0.1:{port}", client)]) as mode:
            await until(mode, lambda state: state.sensors[0].connected)

    with replaying(CAPTURE, tmp_path, "live", str(script)) as port:
        deadline = time.monotonic() + PATIENCE
        while not listens(port, with_one):  # until Zeek is up
            if time.monotonic() > deadline:
                pytest.fail((tmp_path / "stderr.txt").read_text())
            time.sleep(0.2)
        assert not listens(port, without)
        asyncio.run(connects(port))
