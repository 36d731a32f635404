"""How many sessions a second `mailtap live` takes in, each with a label, and how late verdicts are.

Sensors are processes of their own that speak Zeek's WebSocket API and send frames made beforehand,
as fast as they are told to; labels come over a socket from another process. Live mode runs as the
user runs it, with a store.

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
from pathlib import Path

import duckdb
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

#: Clients that sessions come from; addresses repeat in the field, ports tell flows apart.
CLIENTS = 5_000
PORTS = range(20_000, 60_000)

#: Bytes that may lie in a sender before it waits, its first port, and seconds until all are up.
PENDING = 1 << 22
FIRST_PORT = 47_600
SETTLING = 6.0


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


async def send(write, pending, closing, make, rate: float, seconds: float, start: float) -> None:  # type: ignore[no-untyped-def]
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


def sensor_process(sensor: int, port: int, rate: float, seconds: float, start: float) -> None:
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
            start,
        )
        await connection.wait_closed()

    async def main() -> None:
        async with serve(client, "127.0.0.1", port, compression=None, ping_interval=None):
            await asyncio.get_running_loop().create_future()

    asyncio.run(main())


def label_process(sensors: int, port: int, rate: float, seconds: float, start: float) -> None:
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
            start,
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=30_000, help="sessions a second, of all")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--sensors", type=int, default=3)
    parser.add_argument("--no-store", action="store_true")
    options = parser.parse_args()
    ports = range(FIRST_PORT, FIRST_PORT + options.sensors + 1)
    start = time.time() + SETTLING
    common = (options.seconds, start)
    processes = [
        multiprocessing.Process(
            target=sensor_process, args=(n, ports[n], options.rate / options.sensors, *common)
        )
        for n in range(options.sensors)
    ]
    processes.append(
        multiprocessing.Process(
            target=label_process, args=(options.sensors, ports[-1], options.rate, *common)
        )
    )
    for process in processes:
        process.start()
    with tempfile.TemporaryDirectory() as folder:
        try:
            measure(options, ports, start, Path(folder))
        finally:
            for process in processes:
                process.kill()


def measure(options: argparse.Namespace, ports: range, start: float, folder: Path) -> None:
    command = [sys.executable, "-m", "mailtap", "live", "--labels", f"tcp:127.0.0.1:{ports[-1]}"]
    for port in ports[:-1]:
        command += ["--sensor", f"ws://127.0.0.1:{port}"]
    if not options.no_store:
        command += ["--store", str(folder / "live.duckdb")]
    live = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    total = int(options.rate / options.sensors * options.seconds) * options.sensors
    print(f"{options.rate} sessions and labels a second, {options.sensors} sensors")
    memory = []
    last = ""
    assert live.stdout is not None
    for line in live.stdout:
        memory.append(resident(live.pid))
        used = processor_seconds(live.pid)
        last = line.strip()
        print(
            f"{time.time() - start:6.1f} s  {memory[-1]} MiB  {used:.1f} CPU s  {last}", flush=True
        )
        if f"matched {total}," in last or time.time() - start > 2 * options.seconds + 30:
            break
    live.send_signal(signal.SIGTERM)
    said, _ = live.communicate()
    print(said.strip())
    print(
        f"exit status {live.returncode}; all matched: {f'matched {total},' in last}; sent {total}"
    )
    if not options.no_store:
        with duckdb.connect(str(folder / "live.duckdb")) as store:
            for table in ("sessions", "labels", "judgements", "gaps"):
                (n,) = store.execute(f"SELECT count(*) FROM {table}").fetchall()[0]
                print(f"stored {table}: {n}")


if __name__ == "__main__":
    main()
