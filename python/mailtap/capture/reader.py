"""Opens capture files: pcap and pcapng as libpcap reads them, plain or compressed with gzip."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import cypcap

from mailtap.capture import inflate
from mailtap.capture.errors import CaptureError, shown

GZIP_MAGIC = b"\x1f\x8b"


class Header(Protocol):
    """What is known of a packet beside its bytes."""

    @property
    def ts(self) -> float:
        """Seconds since the epoch."""

    @property
    def len(self) -> int:
        """Length on the wire."""


def check_readable(path: Path) -> int:
    """The size of the file in bytes, 0 for a pipe.

    Raises:
        CaptureError: it is missing, no file, or may not be read.
    """
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            path.open("rb").close()  # its mode may allow what a file server forbids
    except FileNotFoundError:
        raise CaptureError(f"{shown(path)}: no such file") from None
    except PermissionError:
        raise _forbidden(path) from None
    except (OSError, ValueError) as error:
        raise CaptureError(f"{shown(path)}: {_reason(error)}") from None
    if stat.S_ISDIR(status.st_mode):
        raise CaptureError(f"{shown(path)}: is a directory; name the capture files in it")
    if not os.access(path, os.R_OK):  # of a pipe, which would wait for its writer if opened
        raise _forbidden(path)
    if stat.S_ISREG(status.st_mode) and status.st_size == 0:
        raise CaptureError(f"{shown(path)}: is empty")
    return status.st_size


class Capture:
    """An open capture; iterating gives `(header, bytes)` of each packet.

    Damage ends the iteration instead of raising: `broken` then says what is wrong.
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            CaptureError: it can't be read, or is no capture.
        """
        self.path = path
        self.size = check_readable(path)
        self.broken = ""
        self._inflater = _Inflater(path) if _is_gzip(path) else None
        source = str(path.absolute()) if self._inflater is None else self._inflater.output
        try:
            self._packets = cypcap.open_offline(source)
        except (cypcap.Error, ValueError) as error:
            reason = self._finish_inflater() or _reason(error)
            raise CaptureError(
                f"{shown(path)}: not a capture file (pcap or pcapng): {reason}"
            ) from None
        self.link_type = int(self._packets.datalink())

    def __iter__(self) -> Iterator[tuple[Header, bytes]]:
        reason = ""
        try:
            yield from self._packets
        except cypcap.Error as error:
            reason = _reason(error)
        self._packets.close()
        self.broken = self._finish_inflater() or reason

    def position(self) -> int:
        """Bytes of the file read so far; 0 for a pipe."""
        if self._inflater is not None:
            return self._inflater.position()
        try:
            return os.lseek(self._packets.get_selectable_fd(), 0, os.SEEK_CUR)
        except OSError:
            return 0

    def close(self) -> None:
        """Close the file. May be called again."""
        self._packets.close()
        self._finish_inflater()

    def _finish_inflater(self) -> str:
        """What was wrong with the compression: it explains what is wrong with the capture."""
        return self._inflater.finish() if self._inflater is not None else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _is_gzip(path: Path) -> bool:
    """Whether a file is compressed, by its first bytes. A pipe's can't be looked at beforehand."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(GZIP_MAGIC)) == GZIP_MAGIC


def _forbidden(path: Path) -> CaptureError:
    return CaptureError(f"{shown(path)}: no permission to read it")


def _reason(error: Exception) -> str:
    """An error's text, for the end of a line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, cypcap.Error):
        return str(error.msg)
    return str(error).lower()


class _Inflater:
    """A gzip file being decompressed into a pipe."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        read_end, write_end = os.pipe()
        self._pipe = os.fdopen(read_end)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", inflate.__file__],
            stdin=self._file,
            stdout=write_end,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(write_end)
        self._damage: str | None = None
        self.output = f"/dev/fd/{read_end}"

    def position(self) -> int:
        """Bytes of the compressed file read so far. Both processes share the file's offset."""
        return os.lseek(self._file.fileno(), 0, os.SEEK_CUR)

    def finish(self) -> str:
        """Stop, and say what was wrong with the data, or nothing.

        libpcap must have closed its end of the pipe before.
        """
        if self._damage is None:
            self._file.close()
            self._pipe.close()
            self._damage = self._process.communicate()[1].strip()
        return self._damage
