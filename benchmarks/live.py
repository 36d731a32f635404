"""What `mailtap live` takes of a processor, how late verdicts are, and whether anything is lost, at
the loads that docs/live.md has, or at one.

Sensors are processes of their own that speak Zeek's WebSocket API and send frames made beforehand,
as fast as they are asked to; labels come over a socket from another process. Live mode runs as the
user runs it, with a store and the page, whose metrics are read.

    python benchmarks/live.py [--rate N] [--seconds N] [--sensors N] [--no-store]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import TypeAlias
from urllib.error import URLError
from urllib.request import urlopen

from websockets.asyncio.server import ServerConnection, serve

FRAME = (
    '{"type":"data-message","topic":"/mailtap/sessions/","@data-type":"vector","data":['
    '{"@data-type":"count","data":1},{"@data-type":"count","data":1},'
    '{"@data-type":"vector","data":[{"@data-type":"string","data":"MailTap::mail_session"},'
    '{"@data-type":"vector","data":[{"@data-type":"string","data":%s}]},'
    '{"@data-type":"vector","data":[]}]}]}'
)

#: Frames go out in slices of this many seconds.
SLICE = 0.02

#: Clients that sessions come from; addresses repeat in the field, ports distinguish flows.
CLIENTS = 5_000
PORTS = range(20_000, 60_000)

#: When sending begins, in epoch seconds; 0 before that is known.
Begun: TypeAlias = "Synchronized[float]"

#: Bytes that may lie in a sender before it waits, and its first port.
PENDING = 1 << 22
FIRST_PORT = 47_600
PAGE_PORT = 47_590

#: Seconds until live mode must have started, and from then until it has connected to all.
STARTING = 120.0
SETTLING = 5.0


def flow(sensor: int, number: int) -> tuple[str, int]:
    client = number % CLIENTS
    port = PORTS[(number // CLIENTS) % len(PORTS)]
    return f"10.{sensor}.{client >> 8}.{client & 255}", port


SESSION = {
    "ts": "TS",
    "duration": 1.5,
    "uid": "CSENSORxNUMBER",
    "id.orig_h": "CLIENT",
    "id.orig_p": "PORT",
    "id.resp_h": "192.0.2.25",
    "id.resp_p": 25,
    "community_id": "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
    "client_h": "CLIENT",
    "client_p": "PORT",
    "server_h": "192.0.2.25",
    "server_p": 25,
    "service": "smtp",
    "direction": "c2s",
    "starttls": "none",
    "implicit_tls": False,
    "decode_as": "MAIL",
    "effective": True,
    "client_pkts": 11,
    "client_bytes": "NUMBER",
    "server_pkts": 0,
    "server_bytes": 0,
    "gap_bytes": 0,
    "midstream": False,
    "helo": "mail.example.org",
    "mailfrom": ["alice@example.org"],
    "rcptto": ["bob@example.net"],
    "from": ["Alice <alice@example.org>"],
    "to": ["Bob <bob@example.net>"],
    "subject": "minutes of the meeting",
    "msg_id": "<4C2A.8060107@example.org>",
    "mailfrom_count": 1,
    "rcptto_count": 1,
    "messages": 1,
    "commands": 6,
    "replies": 0,
    "last_command": "QUIT",
    "stage": "delivered",
    "node": "worker-SENSOR",
    "seq": "NUMBER",
}
LABEL = {
    "app": "smtp",
    "provenance": "payload",
    "src_ip": "CLIENT",
    "src_port": "PORT",
    "dst_ip": "192.0.2.25",
    "dst_port": 25,
    "proto": "tcp",
    "start": "TS",
    "end": "TS",
}


def template(text: str, quote: str) -> bytes:
    """The text with places for bytes instead of the words that stand for them."""
    for word in ("TS", "PORT", "NUMBER"):
        text = text.replace(f"{quote}{word}{quote}", word)
    text = text.replace("%", "%%")
    for word in ("TS", "PORT", "NUMBER", "CLIENT", "SENSOR"):
        text = text.replace(word, f"%({word})b")
    return text.encode()


def values(sensor: int, number: int, now: bytes) -> dict[bytes, bytes]:
    client, port = flow(sensor, number)
    return {
        b"TS": now,
        b"PORT": b"%d" % port,
        b"NUMBER": b"%d" % (number + 1),
        b"CLIENT": client.encode(),
        b"SENSOR": b"%d" % sensor,
    }


def slices(rate: float, seconds: float, start: float) -> Iterator[tuple[int, int]]:
    """The numbers that are due, from and to, as time goes on."""
    sent, total = 0, int(rate * seconds)
    while sent < total:
        due = min(total, max(0, int((time.time() - start) * rate)))
        yield sent, due
        sent = due


async def send(write, pending, closing, make, rate: float, seconds: float, begun: Begun) -> None:  # type: ignore[no-untyped-def]
    while not (start := begun.value):
        await asyncio.sleep(SLICE)
    for first, last in slices(rate, seconds, start):
        if closing():
            return
        if last > first:
            # When it was due: a sender that falls behind must not move one of its records only.
            now = b"%.6f" % (start + first / rate - SESSION["duration"])
            write(b"".join(make(number, now) for number in range(first, last)))
        while pending() > PENDING:
            await asyncio.sleep(SLICE)
        await asyncio.sleep(SLICE)


def sensor_process(sensor: int, port: int, rate: float, seconds: float, begun: Begun) -> None:
    """A sensor. Past the handshake frames are written as they are, as cheaply as Zeek does it."""
    body = template(FRAME % json.dumps(json.dumps(SESSION)), '\\"')

    def make(number: int, now: bytes) -> bytes:
        payload = body % values(sensor, number, now)
        return b"\x81\x7e" + len(payload).to_bytes(2, "big") + payload

    async def client(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send('{"type":"ack","endpoint":"benchmark","version":"9.0.0"}')
        transport = connection.transport
        await send(
            transport.write,
            transport.get_write_buffer_size,
            transport.is_closing,
            make,
            rate,
            seconds,
            begun,
        )
        await connection.wait_closed()

    async def main() -> None:
        async with serve(client, "127.0.0.1", port, compression=None, ping_interval=None):
            await asyncio.get_running_loop().create_future()

    asyncio.run(main())


def label_process(sensors: int, port: int, rate: float, seconds: float, begun: Begun) -> None:
    """The DPI engine: labels of all sensors' flows, by turns."""
    body = template(json.dumps(LABEL), '"') + b"\n"

    def make(number: int, now: bytes) -> bytes:
        return body % values(number % sensors, number // sensors, now)

    async def client(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport = writer.transport
        await send(
            transport.write,
            transport.get_write_buffer_size,
            transport.is_closing,
            make,
            rate,
            seconds,
            begun,
        )

    async def main() -> None:
        async with await asyncio.start_server(client, "127.0.0.1", port) as server:
            await server.serve_forever()

    asyncio.run(main())


def resident(pid: int) -> int:
    """Resident memory in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) >> 10


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Load:
    """Sessions and labels a second, of all sensors together, for so many seconds."""

    name: str
    rate: int
    seconds: float


#: The figures that docs/live.md has.
LOADS = (
    Load("idle", 0, 30),
    Load("100 a second", 100, 40),
    Load("1,800 a second", 1_800, 40),
    Load("5,000 a second over turning windows", 5_000, 240),
    Load("60,000 a second", 60_000, 60),
)


@dataclass(frozen=True)
class Figures:
    """Of live mode while records came: processor seconds a second, and MiB resident half-way and at
    the end; the 99th percentile of the delays from arrival to verdict at its worst (s); what was
    sent, and what was matched in the end.
    """

    processor: float
    half_way: int
    resident: int
    p99: float
    sent: int
    matched: int

    def line(self) -> str:
        lost = self.sent - self.matched
        return (
            f"processor {self.processor:.3f} of a core; p99 {self.p99:.3f} s; lost {lost} of "
            f"{self.sent}; {self.half_way} MiB half-way, {self.resident} at the end"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, help="only this many sessions a second, of all")
    parser.add_argument("--seconds", type=float, help="for so long")
    parser.add_argument("--sensors", type=int, default=3)
    parser.add_argument("--no-store", action="store_true")
    options = parser.parse_args()
    loads = LOADS
    if options.rate is not None:
        loads = (Load(f"{options.rate} a second", options.rate, options.seconds or 60.0),)
    for number, load in enumerate(loads):
        if options.seconds is not None:
            load = replace(load, seconds=options.seconds)
        first_port = FIRST_PORT + number * (options.sensors + 1)
        ports = range(first_port, first_port + options.sensors + 1)
        print(f"{load.name}: {run(load, ports, store=not options.no_store).line()}", flush=True)


def run(load: Load, ports: range, *, store: bool) -> Figures:
    begun: Begun = multiprocessing.Value("d", 0.0)
    sensors = len(ports) - 1
    common = (load.seconds, begun)
    processes = [
        multiprocessing.Process(
            target=sensor_process, args=(n, ports[n], load.rate / sensors, *common)
        )
        for n in range(sensors)
    ]
    rate = load.rate // sensors * sensors
    processes.append(
        multiprocessing.Process(target=label_process, args=(sensors, ports[-1], rate, *common))
    )
    for process in processes:
        process.start()
    with tempfile.TemporaryDirectory() as folder:
        try:
            return measure(load, ports, begun, Path(folder) / "live.duckdb" if store else None)
        finally:
            for process in processes:
                process.kill()


def measure(load: Load, ports: range, begun: Begun, store: Path | None) -> Figures:
    command = [sys.executable, "-m", "mailtap", "live", "--labels", f"tcp:127.0.0.1:{ports[-1]}"]
    command += ["--listen", f"127.0.0.1:{PAGE_PORT}"]
    for port in ports[:-1]:
        command += ["--sensor", f"ws://127.0.0.1:{port}"]
    if store is not None:
        command += ["--store", str(store)]
    live = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    sensors = len(ports) - 1
    sent = int(load.rate // sensors * load.seconds) * sensors
    try:
        wait_for_page()
        time.sleep(SETTLING)
        start = begun.value = time.time()
        used, half_way, delays = processor_seconds(live.pid), 0, [0.0]
        while time.time() < start + load.seconds:
            time.sleep(1)
            if not half_way and time.time() > start + load.seconds / 2:
                half_way = resident(live.pid)
            if load.rate:
                delays.append(metric("mailtap_verdict_delay_seconds", 'quantile="0.99"'))
        used = processor_seconds(live.pid) - used
        matched, patience = 0.0, time.time() + 30
        while matched < sent and time.time() < patience:
            matched = metric("mailtap_verdicts")
            time.sleep(0.5)
        return Figures(
            processor=used / load.seconds,
            half_way=half_way,
            resident=resident(live.pid),
            p99=max(delays),
            sent=sent,
            matched=int(matched),
        )
    finally:
        live.send_signal(signal.SIGTERM)
        live.wait()


def wait_for_page() -> None:
    """Until live mode is up, which takes a busy machine a while."""
    patience = time.time() + STARTING
    while time.time() < patience:
        try:
            metric("mailtap_build_info")
        except URLError:
            time.sleep(0.5)
        else:
            return
    raise SystemExit("live mode did not start")


def metric(name: str, labels: str = "") -> float:
    """The sum of one of live mode's metrics, or its value with these labels; 0 without any."""
    with urlopen(f"http://127.0.0.1:{PAGE_PORT}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(
        float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{{labels}")
    )


if __name__ == "__main__":
    main()
