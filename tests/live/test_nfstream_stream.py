"""NFStream on an interface: flows end by the clock, none is lost at the end, troubles are named."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from cable import listening, segment, send, virtual_cable
from mailtap.live.labels.streams import InterfaceStream, Position
from prerequisites import need_nfstream
from running import PATIENCE, running, until

need_nfstream()


@asynccontextmanager
async def labelling(interface: str) -> AsyncIterator[list[bytes]]:
    """The lines of NFStream on the interface, as they come."""
    lines: list[bytes] = []

    async def put(more: list[bytes], _: Position | None) -> None:
        lines.extend(more)

    stream = InterfaceStream(interface)
    running = asyncio.create_task(stream.run(put))
    try:
        await eventually(lambda: listening(interface) > 0)
        yield lines
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(4 * PATIENCE):
        while not condition():
            await asyncio.sleep(0.05)


def session(client_port: int) -> list[bytes]:
    """Packets of a session that nDPI tells by its payload."""
    return [
        segment(client_port, b"220 mail.example.org ESMTP\r\n", to_server=False),
        segment(client_port, b"EHLO client.example.org\r\n"),
        segment(client_port, b"250-mail.example.org\r\n250 STARTTLS\r\n", to_server=False),
        segment(client_port, b"MAIL FROM:<a@example.org>\r\n"),
    ]


def of_port(lines: list[bytes], port: int) -> list[bytes]:
    return [line for line in lines if f",{port}," in line.decode()]


def test_a_flow_s_label_comes_though_no_packet_follows() -> None:
    async def scenario(sending: str, tapped: str) -> None:
        async with labelling(tapped) as lines:
            send(sending, *session(40_001))
            await eventually(lambda: bool(of_port(lines, 40_001)))

    with virtual_cable() as cable:
        asyncio.run(scenario(*cable))


def test_flows_that_are_open_at_the_end_have_their_labels() -> None:
    async def scenario(sending: str, tapped: str) -> None:
        async with labelling(tapped) as lines:
            for port in range(40_000, 40_050):
                send(sending, *session(port))
        assert all(of_port(lines, port) for port in range(40_000, 40_050))

    with virtual_cable() as cable:
        asyncio.run(scenario(*cable))


def test_an_interface_that_is_not_there_is_not_shown_as_there() -> None:
    async def scenario() -> None:
        stream = InterfaceStream("nope0")
        async with running(["ws://127.0.0.1:1"], [stream]) as mode:
            state = await until(mode, lambda state: bool(state.label_sources[0].error))
            (source,) = state.label_sources
            assert (source.connected, source.error) == (False, "there is no interface nope0")

    asyncio.run(scenario())


def test_the_right_that_is_missing_is_named() -> None:
    program = (
        "import errno, socket, sys\n"
        "from mailtap.live.labels import nfstream_meter\n"
        "def refuse(*_): raise PermissionError(errno.EPERM, 'Operation not permitted')\n"
        "socket.socket = refuse\n"
        "sys.exit(nfstream_meter.main(['lo']))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 1
    assert "CAP_NET_RAW" in ended.stderr
    assert ended.stderr.count("\n") == 0
