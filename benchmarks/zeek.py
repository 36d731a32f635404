"""What MailTap's package costs a Zeek: CPU time with against without, memory per open session.

    python benchmarks/zeek.py [--repeat N] [CAPTURE...]

Without captures: a field capture with much TLS in it, one of plain-text messages only, the other
field capture as it is (short sessions, most of them one-way), and one-way connections that are no
mail. Runs come in pairs, so that what else the machine does hits both. CPU time is user and system,
as the kernel counts it; of each kind the least of the runs is compared.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "python"))

from fieldcapture.capture import write_capture
from fieldcapture.makeup import COLUMNS, with_bulk
from fieldcapture.makeup_file import read_makeup
from fieldcapture.packets import ACK, FIN, NOTHING, PSH, SYN, Address, Direction, Payload
from fieldcapture.writer import write_pcap
from mailtap.zeek.installation import Installation, find_installation

OPEN_SESSIONS = 20_000
OTHER_SESSIONS = 20_000
START = 1_700_000_000_000_000

PLAIN_TEXT = """
rows:
  smtp_message: {both: 3000}
  smtp_several_messages: {both: 1000}
ports: [25]
"""


@dataclass(frozen=True)
class Cost:
    """Of one run of Zeek."""

    seconds: float
    kibibytes: int


def measure(installation: Installation, capture: Path, with_package: bool) -> Cost:
    command = [str(installation.zeek), "-C", "-r", str(capture.absolute())]
    environment = dict(os.environ)
    if with_package:
        command.append(installation.scripts)
        environment |= installation.environment
    else:
        environment["ZEEK_PLUGIN_PATH"] = "/nonexistent"
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"zeek failed on {capture}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss)


def pairs(installation: Installation, capture: Path, repeat: int) -> tuple[Cost, Cost]:
    """The least cost without and with the package."""
    runs = [
        (measure(installation, capture, False), measure(installation, capture, True))
        for _ in range(repeat)
    ]
    without, with_package = (
        Cost(min(run.seconds for run in kind), min(run.kibibytes for run in kind))
        for kind in zip(*runs, strict=True)
    )
    return without, with_package


def ways(number: int, port: int) -> tuple[Direction, Direction]:
    """The client's and the server's side of connection `number`."""
    host = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    client = Address(bytes.fromhex("020000000001"), host, 50_000, number)
    server = Address(bytes.fromhex("020000000002"), "192.0.2.25", port, number)
    return Direction(client, server, None), Direction(server, client, None)


def write_other_sessions(path: Path, count: int) -> None:
    """Clients that upload something to a web server, which isn't seen."""
    request = b"POST /upload HTTP/1.1\r\nHost: www.example.org\r\nContent-Length: 8192\r\n\r\n"
    payloads = [Payload(request)] + [Payload(bytes(1024))] * 8
    frames = []
    for number in range(count):
        client, _ = ways(number, 80)
        time = START + 1_000 * number
        frames.append((time, client.header(0, 0, SYN, NOTHING), b""))
        sent = 1
        for payload in payloads:
            frames.append((time, client.header(sent, 1, ACK | PSH, payload), payload.data))
            sent += len(payload)
        frames.append((time, client.header(sent, 1, FIN | ACK, NOTHING), b""))
    with path.open("wb") as file:
        write_pcap(file, frames)


def write_open_sessions(path: Path, count: int) -> None:
    """Sessions that greet, say hello and name a sender and a recipient, all open at the end."""
    turns = [
        (False, b"220 mx.example.org ESMTP\r\n"),
        (True, b"EHLO client.example.net\r\n"),
        (False, b"250-mx.example.org\r\n250 STARTTLS\r\n"),
        (True, b"MAIL FROM:<alice@example.net>\r\n"),
        (False, b"250 2.1.0 Ok\r\n"),
        (True, b"RCPT TO:<bob@example.org>\r\n"),
        (False, b"250 2.1.5 Ok\r\n"),
    ]
    payloads = [(client, Payload(data)) for client, data in turns]
    frames = []
    for number in range(count):
        client, server = ways(number, 25)
        way = {True: client, False: server}
        sent = {True: 1, False: 1}
        time = START + number
        frames.append((time, client.header(0, 0, SYN, NOTHING), b""))
        frames.append((time, server.header(0, 1, SYN | ACK, NOTHING), b""))
        for is_client, payload in payloads:
            header = way[is_client].header(sent[is_client], sent[not is_client], ACK | PSH, payload)
            frames.append((time, header, payload.data))
            sent[is_client] += len(payload)
    with path.open("wb") as file:
        write_pcap(file, frames)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("captures", nargs="*", type=Path)
    arguments = parser.parse_args()
    installation = find_installation()
    with tempfile.TemporaryDirectory(prefix="mailtap-") as name:
        folder = Path(name)
        captures = arguments.captures
        if not captures:
            bulk, plain, field, other = (
                folder / f"{name}.pcap" for name in ("bulk", "plain", "field", "other")
            )
            makeup = folder / "plain.yaml"
            makeup.write_text(PLAIN_TEXT)
            write_capture(with_bulk(COLUMNS["port25"]()), 1, bulk, None)
            write_capture(read_makeup(makeup), 1, plain, None)
            write_capture(COLUMNS["mixed"](), 1, field, None)
            write_other_sessions(other, OTHER_SESSIONS)
            captures = [bulk, plain, field, other]
        for capture in captures:
            without, with_package = pairs(installation, capture, arguments.repeat)
            print(
                f"{capture.name}: {without.seconds:.2f} s without, "
                f"{with_package.seconds:.2f} s with, "
                f"CPU ratio {with_package.seconds / without.seconds:.3f}"
            )
        for count in (0, OPEN_SESSIONS):
            write_open_sessions(folder / f"open{count}.pcap", count)
        none = pairs(installation, folder / "open0.pcap", 2)
        all_open = pairs(installation, folder / f"open{OPEN_SESSIONS}.pcap", 2)
        grown = [
            full.kibibytes - empty.kibibytes for empty, full in zip(none, all_open, strict=True)
        ]
        print(
            f"{OPEN_SESSIONS} open sessions: {(grown[1] - grown[0]) / OPEN_SESSIONS:.2f} KiB each "
            f"over the {grown[0] / OPEN_SESSIONS:.2f} KiB that Zeek takes"
        )


if __name__ == "__main__":
    main()
