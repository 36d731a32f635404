"""Mail servers' logs from files: any of the formats, plain or compressed, rotated or not.

The program's name in a line shows which server software wrote it, so one log may hold
several, as `/var/log/mail.log` does where Postfix and Dovecot share a host. Files are read once,
from the first line to the last, oldest file first; a session may begin in one and end in the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import partial
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from mailtap.printable import printable
from mailtap.truth import journal
from mailtap.truth.dovecot import Dovecot
from mailtap.truth.exim import Exim
from mailtap.truth.files import DAMAGE, HEAD_BYTES, UnreadableLogError, lines, open_log
from mailtap.truth.line import LogLine, MalformedLineError
from mailtap.truth.opensmtpd import OpenSMTPD
from mailtap.truth.postfix import Postfix
from mailtap.truth.sendmail import Sendmail
from mailtap.truth.session import TruthSession
from mailtap.truth.syslog import read_line
from mailtap.truth.timestamps import Clock

#: Names of programs that are remembered; a log with more was made to hurt.
MAXIMUM_PROGRAMS = 10_000


class Software(Protocol):
    """Puts the lines of one server software together to sessions."""

    def takes(self, program: str) -> bool: ...
    def feed(self, line: LogLine) -> Iterator[TruthSession]: ...
    def flush(self) -> Iterator[TruthSession]: ...


FORMATS: dict[str, Callable[[], Software]] = {
    "postfix": Postfix,
    "exim": Exim,
    "dovecot": Dovecot,
    "opensmtpd": OpenSMTPD,
    "sendmail": Sendmail,
}


@dataclass
class ReadFile:
    """What became of one file. `first_malformed` is a line's number; 0: there is none.

    `lines` counts those of mail servers that were read; `damage` says why only a part is there.
    """

    path: Path
    lines: int = 0
    malformed: int = 0
    first_malformed: int = 0
    damage: str | None = None

    def count_malformed(self, number: int) -> None:
        """Count a line that can't be read."""
        self.malformed += 1
        self.first_malformed = self.first_malformed or number

    def warnings(self) -> Iterator[str]:
        """One line for each thing that is wrong with the file."""
        named = printable(str(self.path))
        if self.damage is not None:
            yield f"{named}: {self.damage}"
        if self.malformed == 1:
            yield f"{named}: 1 malformed line, it is line {self.first_malformed}"
        elif self.malformed:
            yield (
                f"{named}: {self.malformed} malformed lines, the first is line "
                f"{self.first_malformed}"
            )


@dataclass
class TruthLog:
    """The logs of one or several servers. Iterate once; `files` is filled meanwhile.

    form    a key of FORMATS where the lines of only that software are to be read
    zone    that of times that don't name one
    latest  when the logs were last written, in seconds since 1970: for times without a year. None:
            when the files were changed
    """

    paths: Sequence[Path]
    form: str | None = None
    zone: tzinfo = UTC
    latest: float | None = None
    files: list[ReadFile] = field(default_factory=list)

    def __iter__(self) -> Iterator[TruthSession]:
        """The sessions, in the order in which they ended. Raises UnreadableLogError."""
        software = [FORMATS[self.form]()] if self.form else [make() for make in FORMATS.values()]
        for path in self._oldest_first():
            yield from self._read(path, software)
        for one in software:
            yield from one.flush()
        if not any(file.lines for file in self.files):
            named = ", ".join(printable(str(path)) for path in self.paths)
            wanted = self.form or "a mail server that MailTap knows"
            raise UnreadableLogError(f"{named}: no lines of {wanted} found")

    def _oldest_first(self) -> list[Path]:
        if len(self.paths) == 1:
            return list(self.paths)

        def first_time(path: Path) -> float:
            numbered = self._lines(path, ReadFile(path))
            found = (line.time for _, line in islice(numbered, 1))
            return next(found, float("inf"))

        return sorted(self.paths, key=first_time)

    def _read(self, path: Path, software: Sequence[Software]) -> Iterator[TruthSession]:
        file = ReadFile(path)
        self.files.append(file)
        by_program: dict[str, Software | None] = {}
        for number, line in self._lines(path, file):
            if line.program not in by_program:
                if len(by_program) >= MAXIMUM_PROGRAMS:
                    by_program.clear()
                takers = (one for one in software if one.takes(line.program))
                by_program[line.program] = next(takers, None)
            reader = by_program[line.program]
            if reader is None:
                continue
            file.lines += 1
            try:
                yield from reader.feed(line)
            except MalformedLineError:
                file.count_malformed(number)

    def _lines(self, path: Path, file: ReadFile) -> Iterator[tuple[int, LogLine]]:
        """The lines that can be read, with their numbers; the others are counted."""
        with open_log(path) as stream:
            try:
                for number, read in _readers(stream, self._clock(path)):
                    try:
                        line = read()
                    except (MalformedLineError, ValueError, OverflowError):
                        file.count_malformed(number)
                        continue
                    if line is not None:
                        yield number, line
            except DAMAGE:
                file.damage = "the compressed file is cut off or damaged; what could be read is in"

    def _clock(self, path: Path) -> Clock:
        latest = path.stat().st_mtime if self.latest is None else self.latest
        return Clock(self.zone, latest)


def _readers(stream: BinaryIO, clock: Clock) -> Iterator[tuple[int, Callable[[], LogLine | None]]]:
    """The lines' numbers, and for each what reads it."""
    head = cast(BufferedReader, stream).peek(HEAD_BYTES)[:HEAD_BYTES]
    if journal.is_export(head):
        for number, entry in journal.export_entries(stream):
            yield number, partial(journal.line_of_export, entry)
        return
    of_journal = head.startswith(b"{")
    for number, raw in lines(stream):
        yield number, partial(_read_one, raw, clock, of_journal)


def _read_one(raw: bytes | None, clock: Clock, of_journal: bool) -> LogLine | None:
    """None for an empty line. Raises MalformedLineError."""
    if raw is None:
        raise MalformedLineError("too long")
    text = raw.decode("utf-8", "replace")
    if not text.strip():
        return None
    return journal.line_of(journal.json_entry(text)) if of_journal else read_line(text, clock)
