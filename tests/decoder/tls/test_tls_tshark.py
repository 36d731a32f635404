"""Hello and certificate fields as tshark reads them from the same sessions."""

from __future__ import annotations

import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

from fieldcapture.packets import ACK, Address, Direction, Payload
from fieldcapture.writer import write_pcap
from prerequisites import need_program
from reading import read
from tls_bytes import (
    CHANGE,
    CLIENT_HELLO,
    SERVER_HELLO,
    chosen_version,
    client_hello,
    empty,
    handshake,
    protocols,
    server_hello,
    server_name,
    signature_algorithms,
    supported_versions,
)
from tls_sessions import contexts, run

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = {
    "type": "tls.handshake.type",
    "version": "tls.handshake.version",
    "supported": "tls.handshake.extensions.supported_version",
    "sni": "tls.handshake.extensions_server_name",
    "alpn": "tls.handshake.extensions_alpn_str",
    "cipher": "tls.handshake.ciphersuite",
    "names": "x509ce.dNSName",
    "alert": "tls.alert_message.desc",
}
VERSIONS = {0x0301: "TLSv10", 0x0302: "TLSv11", 0x0303: "TLSv12", 0x0304: "TLSv13"}
SEGMENT = 700


@pytest.fixture(autouse=True, scope="module")
def _tshark() -> None:
    need_program("tshark", "tshark")


def capture(path: Path, stream: bytes) -> None:
    """Writes the stream as the only side of a session that goes to port 993."""
    client = Address(bytes(6), "192.0.2.1", 40001, 1000)
    server = Address(bytes(6), "198.51.100.2", 993, 5000)
    direction = Direction(client, server, None)
    frames = []
    for at in range(0, len(stream), SEGMENT):
        segment = stream[at : at + SEGMENT]
        frames.append((at, direction.header(at, 0, ACK, Payload(segment)), segment))
    with path.open("wb") as file:
        write_pcap(file, frames)


def tshark(stream: bytes, folder: Path) -> dict[str, list[str]]:
    """What tshark reads of the first handshake message, and of all that follows."""
    capture(folder / "side.pcap", stream)
    fields = [argument for field in FIELDS.values() for argument in ("-e", field)]
    lines = subprocess.run(
        ["tshark", "-r", folder / "side.pcap", "-Y", "tls", "-T", "fields", *fields],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    found: dict[str, list[str]] = {name: [] for name in FIELDS}
    for line in lines:
        for name, value in zip(FIELDS, line.split("\t"), strict=True):
            found[name] += value.split(",") if value else []
    return found


def is_grease(version: int) -> bool:
    return version & 0x0F0F == 0x0A0A


def real(version: ssl.TLSVersion, *offered: str, trusted: bool = True) -> tuple[bytes, bytes]:
    client, server = contexts()
    server.minimum_version = server.maximum_version = version
    client.set_alpn_protocols(list(offered))
    server.set_alpn_protocols(list(offered[-1:]))
    if not trusted:
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made = run(client, server)
    return made.client, made.server


HANDMADE_CLIENTS = [
    client_hello(version=0x0301, without_extensions=True),
    client_hello(server_name("mx.example"), version=0x0302, ciphers=[0x2F, 0x35, 0xFF]),
    client_hello(
        *empty(0x1A1A, 23, 0xFF01),
        signature_algorithms(0x0403, 0x0804),
        supported_versions(0x2A2A, 0x0304, 0x0303),
        protocols(b"smtp", b"h2"),
        (51, bytes(1500)),
        server_name("mx.example"),
        ciphers=[0x3A3A, 0x1301, 0xC02F],
    ),
]
HANDMADE_SERVERS = [
    server_hello(version=0x0301, cipher=0x0035, without_extensions=True),
    server_hello(protocols(b"imap"), cipher=0xCCA8),
    server_hello(chosen_version(0x0304), cipher=0x1303),
]


@pytest.mark.parametrize("hello", HANDMADE_CLIENTS, ids=["bare", "named", "modern"])
def test_handmade_client_hellos(hello: bytes, tmp_path: Path) -> None:
    check_client(handshake(CLIENT_HELLO, hello) + CHANGE, tmp_path)


@pytest.mark.parametrize("hello", HANDMADE_SERVERS, ids=["bare", "1.2", "1.3"])
def test_handmade_server_hellos(hello: bytes, tmp_path: Path) -> None:
    check_server(handshake(SERVER_HELLO, hello) + CHANGE, tmp_path)


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_of_openssl(version: ssl.TLSVersion, trusted: bool, tmp_path: Path) -> None:
    client, server = real(version, "h2", "imap", trusted=trusted)
    check_client(client, tmp_path)
    check_server(server, tmp_path)


def check_client(stream: bytes, folder: Path) -> None:
    truth, facts = tshark(stream, folder), read(stream)
    assert truth["type"][0] == "1"
    assert facts["sender"] == "client"
    versions = [int(value, 16) for value in truth["supported"] or truth["version"]]
    highest = max(value for value in versions if not is_grease(value))
    assert facts["version"] == VERSIONS[highest]
    assert [facts["sni"]] == (truth["sni"] or [""])
    assert facts["alpn"] == truth["alpn"]
    described = [str(facts["alert_description"])] if facts["alert"] == "clear" else []
    assert described == truth["alert"]


def check_server(stream: bytes, folder: Path) -> None:
    truth, facts = tshark(stream, folder), read(stream)
    assert truth["type"][0] == "2"
    assert facts["sender"] == "server"
    chosen = int((truth["supported"] or truth["version"])[0], 16)
    assert facts["version"] == VERSIONS[chosen]
    assert facts["cipher"] == cipher_names()[int(truth["cipher"][0], 16)]
    assert facts["alpn"] == truth["alpn"]
    names = facts["certificate"]["names"] if facts["certificate"] is not None else []
    assert [name for name in names if name[0].isalpha()] == truth["names"]


def cipher_names() -> dict[int, str]:
    listed = subprocess.run(
        ["tshark", "-G", "values"], capture_output=True, text=True, check=True
    ).stdout
    rows = (line.split("\t") for line in listed.splitlines())
    return {int(row[2], 0): row[3] for row in rows if row[1:2] == ["tls.handshake.ciphersuite"]}
