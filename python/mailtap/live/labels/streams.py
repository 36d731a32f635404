"""Streams of label lines: a growing file, standard input, a socket, NFStream on an interface."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import stat
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mailtap.labels import FORMAT_NAMES, LabelError, LabelFile
from mailtap.labels.detect import split_engine
from mailtap.live.sensors.frames import MAXIMUM_LINE_BYTES
from mailtap.live.sensors.transport import LONGEST_WAIT, Backoff

#: Bytes read at once.
CHUNK = 1 << 20

#: First bytes of a file by which it is recognised.
BEGINNING = 1024

#: Seconds that NFStream has to print the labels of open flows when live mode ends.
LAST_LABELS = 10.0

#: Seconds between looks at a file that has not grown.
POLL = 0.1

STANDARD_INPUT = "-"
SCHEMES = ("tcp", "unix", "nfstream")


class SourceTextError(ValueError):
    """A `--labels` that says nothing that could be read; one line."""


@dataclass(frozen=True)
class Position:
    """How far a file was read: which file, and the bytes of it. `beginning` is a digest of its
    first bytes: a file that is made later may get the number of one that is gone.
    """

    device: int
    inode: int
    offset: int
    beginning: bytes | None = None


#: Takes lines in, and waits until there is room for more.
Put = Callable[[list[bytes], Position | None], Awaitable[None]]


@dataclass
class StreamState:
    """Whether a stream is there to be read."""

    connected: bool = False
    since: float | None = None
    error: str | None = None

    def opened(self) -> None:
        if not self.connected:
            self.connected, self.since, self.error = True, time.time(), None

    def closed(self, why: str) -> None:
        if self.connected:
            self.since = time.time()
        self.connected, self.error = False, why


class LabelStream(Protocol):
    name: str
    form: str | None
    engine: str | None  # what figures by engine call it; None: by its format
    state: StreamState

    async def run(self, put: Put) -> None:
        """Reads to the end of the stream; one that has no end is read until it is cancelled."""


class LineSplitter:
    """Bytes to whole lines. Of a line that is too long its beginning is given, too long as well."""

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False

    def split(self, data: bytes) -> list[bytes]:
        *lines, rest = (self._rest + data).split(b"\n")
        if self._skipping and lines:
            self._skipping = False
            del lines[0]
        if self._skipping:
            rest = b""
        elif len(rest) > MAXIMUM_LINE_BYTES:
            lines.append(rest)
            self._skipping, rest = True, b""
        self._rest = rest
        return [line.removesuffix(b"\r") for line in lines]

    def end(self) -> list[bytes]:
        """What there is of a line without an end."""
        rest, self._rest, self._skipping = self._rest, b"", False
        return [rest] if rest else []

    @property
    def pending(self) -> int:
        """Bytes of the line that has no end yet."""
        return len(self._rest)


class FileStream:
    """A file that grows, and that another takes the place of now and then. Read from its start."""

    engine: str | None = None

    def __init__(self, path: Path, form: str | None, position: Position | None = None) -> None:
        """`position` is where an earlier run stopped."""
        self.name, self.form, self.state = str(path), form, StreamState()
        self._path = path
        self._resume = position

    async def run(self, put: Put) -> None:
        """See LabelStream."""
        while True:
            try:
                descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
            except OSError as error:
                self.state.closed(error.strerror or "can't be read")
                await asyncio.sleep(POLL)
                continue
            try:
                self.state.opened()
                await self._follow(descriptor, put)
            except OSError as error:
                self.state.closed(error.strerror or "can't be read")
                await asyncio.sleep(POLL)
            finally:
                os.close(descriptor)

    async def _follow(self, descriptor: int, put: Put) -> None:
        """Until another file is in this one's place, and this one is read to its end."""
        lines = LineSplitter()
        file = os.fstat(descriptor)
        offset = self._start(descriptor, file)
        beginning = None
        while True:
            replaced = self._is_replaced(file)
            data = os.pread(descriptor, CHUNK, offset)
            if data:
                offset += len(data)
                if whole := lines.split(data):
                    read = offset - lines.pending
                    if beginning is None:
                        beginning = _beginning(descriptor, read)
                    await put(whole, Position(file.st_dev, file.st_ino, read, beginning))
                continue
            if os.fstat(descriptor).st_size < offset:  # began anew
                offset, lines, beginning = 0, LineSplitter(), None
                continue
            if replaced:
                if rest := lines.end():
                    await put(rest, Position(file.st_dev, file.st_ino, offset, beginning))
                return
            await asyncio.sleep(POLL)

    def _start(self, descriptor: int, file: os.stat_result) -> int:
        resume, self._resume = self._resume, None
        if resume is None or (resume.device, resume.inode) != (file.st_dev, file.st_ino):
            return 0
        if resume.beginning is not None:
            length = int.from_bytes(resume.beginning[:4])
            if _beginning(descriptor, length) != resume.beginning:
                return 0
        return resume.offset if resume.offset <= file.st_size else 0

    def _is_replaced(self, file: os.stat_result) -> bool:
        try:
            there = self._path.stat()
        except OSError as error:
            self.state.closed(error.strerror or "can't be read")
            return False  # what takes its place is still to come
        self.state.opened()
        return (there.st_dev, there.st_ino) != (file.st_dev, file.st_ino)


def _beginning(descriptor: int, read: int) -> bytes:
    """A digest of the first bytes of a file, of no more than were read."""
    first = os.pread(descriptor, min(BEGINNING, read), 0)
    return len(first).to_bytes(4) + hashlib.sha256(first).digest()


class StandardInput:
    engine: str | None = None

    def __init__(self, form: str | None) -> None:
        self.name, self.form, self.state = STANDARD_INPUT, form, StreamState()

    async def run(self, put: Put) -> None:
        """See LabelStream."""
        if stat.S_ISREG(os.fstat(sys.stdin.fileno()).st_mode):
            await self._read_file(put)
            return
        reader = asyncio.StreamReader(limit=CHUNK)
        protocol = asyncio.StreamReaderProtocol(reader)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin.buffer)
        self.state.opened()
        await _read(reader, put)
        self.state.closed("ended")

    async def _read_file(self, put: Put) -> None:
        """A file has no readiness that an event loop could wait for."""
        self.state.opened()
        lines = LineSplitter()
        while data := os.read(sys.stdin.fileno(), CHUNK):
            await put(lines.split(data), None)
            await asyncio.sleep(0)
        await put(lines.end(), None)
        self.state.closed("ended")


class SocketStream:
    """A socket that something like nDPId's distributor listens on. Connected to again when lost."""

    engine: str | None = None

    def __init__(self, name: str, form: str | None) -> None:
        """`name` is `tcp:HOST:PORT` or `unix:PATH`."""
        self.name, self.form, self.state = name, form, StreamState()

    async def run(self, put: Put) -> None:
        """See LabelStream."""
        backoff = Backoff()
        while True:
            try:
                reader, writer = await self._connect()
            except OSError as error:
                self.state.closed(error.strerror or str(error))
            else:
                self.state.opened()
                backoff.reset()
                try:
                    await _read(reader, put)
                    self.state.closed("closed by the other side")
                except OSError as error:
                    self.state.closed(error.strerror or str(error))
                finally:
                    writer.close()
            await backoff.wait()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        scheme, _, address = self.name.partition(":")
        if scheme == "unix":
            return await asyncio.open_unix_connection(address, limit=CHUNK)
        host, _, port = address.rpartition(":")
        return await asyncio.open_connection(host.strip("[]"), int(port), limit=CHUNK)


class InterfaceStream:
    """NFStream on an interface, in a process of its own: nDPI built in. When this is cancelled, the
    labels of the flows that are still open are taken before it ends.
    """

    engine: str | None = None

    def __init__(self, interface: str) -> None:
        self.name, self.state = f"nfstream:{interface}", StreamState()
        self.form: str | None = "nfstream"
        self._interface = interface

    async def run(self, put: Put) -> None:
        """See LabelStream."""
        backoff = Backoff()
        while True:
            begun = time.monotonic()
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "mailtap.live.labels.nfstream_meter",
                self._interface,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,  # so that its own processes can be ended with it
            )
            reading = asyncio.ensure_future(_read(process.stdout, put, self.state.opened))
            try:
                error, _ = await asyncio.gather(_last_line(process.stderr), asyncio.shield(reading))
                await process.wait()
                self.state.closed(error or "ended")
            except asyncio.CancelledError:
                with suppress(ProcessLookupError):
                    process.terminate()
                await asyncio.wait([reading], timeout=LAST_LABELS)
                raise
            finally:
                reading.cancel()
                _end(process)
            if time.monotonic() - begun > LONGEST_WAIT:
                backoff.reset()
            await backoff.wait()


def _end(process: asyncio.subprocess.Process) -> None:
    """Ends the process and those that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


async def _last_line(reader: asyncio.StreamReader | None) -> str:
    last = b""
    while reader is not None and (data := await reader.read(CHUNK)):
        last = (last + data).strip().rpartition(b"\n")[2][-1000:]
    return last.decode(errors="replace")


async def _read(
    reader: asyncio.StreamReader | None, put: Put, received: Callable[[], None] = lambda: None
) -> None:
    """Puts lines until the end; `received` is called whenever bytes were read."""
    lines = LineSplitter()
    while reader is not None and (data := await reader.read(CHUNK)):
        received()
        if whole := lines.split(data):
            await put(whole, None)
    if rest := lines.end():
        await put(rest, None)


def label_stream(text: str, position: Callable[[str], Position | None]) -> LabelStream:
    """The stream that a `--labels` names: FILE, `-`, `tcp:HOST:PORT`, `unix:PATH` or
    `nfstream:INTERFACE`, `:FORMAT` after it where it doesn't show, `NAME=` before it where figures
    by engine are to call it so. Raises SourceTextError.

    `position` gives how far an earlier run read a file.
    """
    engine, source = split_engine(text)
    stream = _stream(source, position)
    stream.engine = engine
    return stream


def _stream(text: str, position: Callable[[str], Position | None]) -> LabelStream:
    scheme, colon, rest = text.partition(":")
    if colon and scheme in SCHEMES and not Path(text).exists():
        address, _, form = rest.rpartition(":")
        named, form = (f"{scheme}:{address}", form) if form in FORMAT_NAMES else (text, "")
        return _with_scheme(scheme, named, form or None)
    try:
        file = LabelFile.parse(text)
    except LabelError as error:
        raise SourceTextError(str(error)) from None
    if str(file.path) == STANDARD_INPUT:
        return StandardInput(file.form)
    return FileStream(file.path, file.form, position(str(file.path)))


def _with_scheme(scheme: str, name: str, form: str | None) -> LabelStream:
    address = name.partition(":")[2]
    if not address:
        raise SourceTextError(f"{name}: names nothing")
    if scheme == "nfstream":
        return InterfaceStream(address)
    if scheme == "tcp":
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise SourceTextError(f"{name}: give tcp:HOST:PORT")
    return SocketStream(name, form)
