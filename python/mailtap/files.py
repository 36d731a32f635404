"""Files that MailTap writes, whole or not at all, and for their owner only; standard input."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

from mailtap.errors import MailTapError
from mailtap.printable import printable

#: In place of a file's name: standard input or output.
STANDARD = Path("-")


class WriteError(MailTapError):
    """A file that can't be written; the message names it."""


class StandardInputError(MailTapError):
    """Standard input is to be read for several purposes."""


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place at the end; nothing is left of it if
    anything goes wrong. `-` is copied to standard output instead. Raises WriteError.

    The file is readable by its owner only: sessions and pages hold mail addresses. A symbolic link
    at `path` is replaced, not followed.
    """
    if path == STANDARD:
        with tempfile.TemporaryDirectory(prefix="mailtap-") as folder:
            scratch = Path(folder) / "output"
            yield scratch
            with scratch.open("rb") as file:
                sys.stdout.flush()
                while block := file.read(1 << 20):
                    sys.stdout.buffer.write(block)
                sys.stdout.buffer.flush()
        return
    named = printable(str(path))
    try:
        if path.is_dir():
            raise WriteError(f"{named}: is a directory")
        if path.exists() and not path.is_file():  # such as /dev/null or a pipe: written in place
            yield path
            return
        descriptor, name = tempfile.mkstemp(prefix=".mailtap-", dir=path.parent)
        os.close(descriptor)
        scratch = Path(name)
        try:
            yield scratch
            scratch.chmod(0o600)  # whatever wrote it may have made it anew
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"{named}: {error.strerror or error}") from None


def open_to_read(path: Path) -> AbstractContextManager[BinaryIO]:
    """The file, or standard input for `-`. Raises OSError."""
    return nullcontext(sys.stdin.buffer) if path == STANDARD else path.open("rb")


def check_standard_input(paths: Iterable[Path | None]) -> None:
    """Raises StandardInputError if more than one of the paths is `-`: it is read only once."""
    named = sum(path == STANDARD for path in paths)
    if named > 1:
        raise StandardInputError(f"standard input (-) is named {named} times: name it once")


class StandardInput:
    """Standard input as a file, for what has to read it more than once."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where it is written to."""
        self._copy = folder / "standard input"

    def file(self, path: Path) -> Path:
        """`path`, or for `-` the copy of standard input."""
        if path != STANDARD:
            return path
        if not self._copy.exists():
            with self._copy.open("wb") as copy:
                shutil.copyfileobj(sys.stdin.buffer, copy)
        return self._copy
