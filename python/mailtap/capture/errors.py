"""What can be wrong with a capture."""

from __future__ import annotations

from pathlib import Path


class CaptureError(Exception):
    """A capture can't be analysed at all. Its text is one line that says which, why and what to do."""


def shown(path: Path) -> str:
    """A file's name as it may be printed: no control character reaches a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(path))
