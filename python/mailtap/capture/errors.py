"""What can be wrong with a capture."""

from __future__ import annotations

from pathlib import Path

from mailtap.errors import MailTapError
from mailtap.printable import printable


class CaptureError(MailTapError):
    """A capture can't be analysed at all. One line says which, why and what to do."""


def shown(path: Path) -> str:
    """A file's name as it may be shown."""
    return printable(str(path))
