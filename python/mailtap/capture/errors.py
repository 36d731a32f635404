"""What can be wrong with a capture."""

from __future__ import annotations

from pathlib import Path


class CaptureError(Exception):
    """A capture can't be analysed at all. One line says which, why and what to do."""


def printable(text: str) -> str:
    """Text from outside as it may be shown: no control character reaches a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(path: Path) -> str:
    """A file's name as it may be shown."""
    return printable(str(path))
