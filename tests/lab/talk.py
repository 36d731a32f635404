"""A client of raw sockets: sends what a scenario says, and insists on the answers it names."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import time
import zlib
from dataclasses import dataclass, field
from types import TracebackType

SECONDS = 20.0


class UnexpectedAnswerError(Exception):
    """The server answered otherwise than the scenario says."""


@dataclass
class Talk:
    """One connection. `service` says how an answer ends: smtp, pop3 or imap."""

    host: str
    port: int
    service: str
    heard: list[str] = field(default_factory=list)
    """Every answer, in order."""

    def __post_init__(self) -> None:
        self._socket: socket.socket = socket.create_connection((self.host, self.port), SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client_port: int = self._socket.getsockname()[1]
        self._pending = b""
        self._deflate: zlib._Compress | None = None
        self._inflate: zlib._Decompress | None = None

    def __enter__(self) -> Talk:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, data: str | bytes) -> None:
        """Send bytes as they are."""
        sent = data.encode() if isinstance(data, str) else data
        if self._deflate is not None:
            sent = self._deflate.compress(sent) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self._socket.sendall(sent)

    def _receive(self) -> bytes:
        data = self._socket.recv(65536)
        return self._inflate.decompress(data) if data and self._inflate is not None else data

    def deflate(self) -> None:
        """Go on compressed (RFC 4978)."""
        self._deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        self._inflate = zlib.decompressobj(wbits=-zlib.MAX_WBITS)

    def line(self) -> str:
        """One line of the server.

        Raises:
            UnexpectedAnswerError: the server closed before a line's end.
        """
        while b"\n" not in self._pending:
            data = self._receive()
            if not data:
                raise UnexpectedAnswerError(f"closed after {self.heard[-3:]} {self._pending!r}")
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode("utf-8", "replace").rstrip("\r")

    def octets(self, count: int) -> bytes:
        """A number of bytes of the server."""
        while len(self._pending) < count:
            data = self._receive()
            if not data:
                raise UnexpectedAnswerError("closed within a literal")
            self._pending += data
        data, self._pending = self._pending[:count], self._pending[count:]
        return data

    def answer(self, wanted: str = "", *, tag: str = "", lines: bool = False) -> str:
        """The next answer, whole; it must match the regular expression `wanted` at its last line.

        For IMAP up to the line with `tag` (or one line where that is empty); for POP3 with `lines`
        up to the dot, unless it is an error.
        """
        read = {"smtp": self._smtp, "pop3": self._pop3, "imap": self._imap}[self.service]
        whole, last = read(tag, lines)
        self.heard.append(whole)
        if not re.match(wanted, last):
            raise UnexpectedAnswerError(f"wanted {wanted!r}, the server answered {whole!r}")
        return whole

    def ask(self, command: str | bytes, wanted: str, *, lines: bool = False) -> str:
        """Send a command's line and read its answer."""
        data = command.encode() if isinstance(command, str) else command
        self.send(data + b"\r\n")
        tag = data.split(b" ")[0].decode() if self.service == "imap" else ""
        if wanted.startswith(r"\+") and self.service == "imap":
            tag = ""
        return self.answer(wanted, tag=tag, lines=lines)

    def _smtp(self, _tag: str, _lines: bool) -> tuple[str, str]:
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return "\n".join(lines), lines[-1]

    def _pop3(self, _tag: str, lines: bool) -> tuple[str, str]:
        first = self.line()
        whole = [first]
        while lines and first.startswith("+OK") and whole[-1] != ".":
            whole.append(self.line())
        return "\n".join(whole), first

    def _imap(self, tag: str, _lines: bool) -> tuple[str, str]:
        whole = [self.line()]
        while True:
            literal = re.search(r"\{(\d+)\}$", whole[-1])
            if literal and not whole[-1].startswith("+"):
                whole.append(self.octets(int(literal[1])).decode("utf-8", "replace"))
                whole.append(self.line())
            elif not tag or whole[-1].startswith(f"{tag} "):
                return "\n".join(whole), whole[-1]
            else:
                whole.append(self.line())

    def start_tls(self) -> None:
        """Go on in TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._socket = context.wrap_socket(self._socket, server_hostname=None)

    def drain(self) -> bytes:
        """All that the server sends until it closes."""
        data = self._pending
        self._pending = b""
        try:
            while more := self._socket.recv(65536):
                data += more
        except OSError:
            pass  # a reset ends it, too
        return data

    def reset(self) -> None:
        """End the connection with a reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def close(self) -> None:
        """End the connection in the usual way."""
        if self._socket.fileno() < 0:
            return
        try:
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(5)
            while self._socket.recv(65536):
                pass
        except (OSError, ValueError):
            pass
        self._socket.close()


def pause(seconds: float = 0.05) -> None:
    """Let what was sent travel in a packet of its own."""
    time.sleep(seconds)
