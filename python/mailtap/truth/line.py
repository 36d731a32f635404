"""One line of a log, whatever it came in, and what a line can be refused for."""

from __future__ import annotations

from dataclasses import dataclass


class MalformedLineError(ValueError):
    """A line that can't be read, or that doesn't say what a line of its kind says."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """A program's message with when and where it was written.

    `time` is in seconds since 1970, and may be rounded down to `resolution` seconds.
    """

    time: float
    resolution: float
    host: str | None
    program: str
    pid: str | None
    message: str


def once(text: str, *markers: str) -> None:
    """Raises MalformedLineError where one of the markers is there more than once.

    Logs don't quote what a client sent, so a HELO or an address may hold what looks like a field.
    Of such a line no field can be trusted.
    """
    for marker in markers:
        if text.count(marker) > 1:
            raise MalformedLineError(f"{marker.strip()} is there twice")
