"""nDPI's labels for captures, by NFStream, in a process beside the embedded engine's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from mailtap.capture import nfstream_worker
from mailtap.capture.errors import CaptureError, shown
from mailtap.capture.reader import check_readable
from mailtap.errors import MailTapError
from mailtap.printable import printable


class LabellingError(MailTapError):
    """There are no labels. One line says why and what to do."""


class NfstreamLabels:
    """Labels in the making, until `wait` says that they are there."""

    def __init__(self, captures: Sequence[Path], output: Path) -> None:
        """Start labelling.

        Raises:
            CaptureError: a capture can't be read, or not twice.
        """
        for capture in captures:
            check_readable(capture)
            if not capture.is_file():
                raise CaptureError(
                    f"{shown(capture)}: a pipe can't be read twice, for sessions and for labels; "
                    "save it to a file first"
                )
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-P",  # its neighbours here are no top-level modules
                nfstream_worker.__file__,
                str(output.absolute()),
                *(str(capture.absolute()) for capture in captures),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # so that its own processes can be ended with it
        )

    def wait(self) -> None:
        """Wait for the output file, in NFStream's own CSV columns.

        Raises:
            LabellingError: NFStream isn't installed, or failed.
        """
        errors = self._process.communicate()[1].strip()
        if self._process.returncode != 0:
            last = errors.splitlines()[-1] if errors else f"exit status {self._process.returncode}"
            raise LabellingError(f"no nDPI labels: {printable(last)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        with self._process:
            pass  # wait, and close what there is
