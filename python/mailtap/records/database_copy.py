"""Reads a DuckDB file that another process has open.

DuckDB lets one process alone open a file that is written. What was committed is in the file and in
the log beside it, though, and both may be read: the file only changes when the log is taken over
into it, which its header shows. So both are copied, once more if the header has changed meanwhile.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

#: The file's header, which says which of its blocks count.
HEADER_BYTES = 3 * 4_096

#: Times that copying is tried, and seconds between.
ATTEMPTS = 20
PAUSE = 0.2

#: DuckDB must not fetch anything.
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


@contextmanager
def open_to_read(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file, or what is committed of it where another process has it open. Raises duckdb.Error
    or OSError.
    """
    with readable(path) as file, duckdb.connect(str(file), read_only=True, config=SETTINGS) as it:
        yield it


@contextmanager
def readable(path: Path) -> Iterator[Path]:
    """The file, or a copy of what is committed where another process has it open; either may be
    attached to read it. Raises duckdb.Error or OSError.
    """
    try:
        duckdb.connect(str(path), read_only=True, config=SETTINGS).close()
    except duckdb.IOException as error:
        if "lock" not in str(error).lower():
            raise
        with tempfile.TemporaryDirectory(prefix="mailtap-") as folder:
            yield copied(path, Path(folder) / "copy.duckdb")
        return
    yield path


def copied(path: Path, copy: Path) -> Path:
    """Makes the copy. Raises duckdb.Error or OSError."""
    error: duckdb.Error | None = None
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE if attempt else 0)
        before = _header(path)
        shutil.copyfile(path, copy)
        log, log_copy = Path(f"{path}.wal"), Path(f"{copy}.wal")
        log_copy.unlink(missing_ok=True)
        if log.exists():
            shutil.copyfile(log, log_copy)
        if _header(path) != before:
            continue
        try:
            duckdb.connect(str(copy), config=SETTINGS).close()
        except duckdb.Error as failure:  # the log was being written
            error = failure
        else:
            return copy
    raise error or duckdb.IOException("it changes faster than it can be copied")


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEADER_BYTES)
