"""Zeek's logs: which files of a folder they are, and what the header of one says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mailtap.sources.containers import MAX_COLUMNS, Csv, TooManyColumnsError
from mailtap.sources.textfile import TextFile

# conn.log, conn.2026-11-24-10-00-00.log.gz, conn_20261124_10:00:00-11:00:00.log.zst; not
# conn-summary.log, not conn_long.log.
LOG_NAME = re.compile(r"(conn|mail_session)(\..+|_[0-9].*)?\.log(\.[A-Za-z0-9]+)*")
ESCAPED = re.compile(r"\\x([0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Header:
    """What the lines above a tab-separated log say."""

    fields_line: str
    container: Csv


def find_logs(directory: Path) -> list[Path]:
    """The conn and mail_session logs in `directory` and below, each file once."""
    found = {
        path.resolve(): path
        for path in sorted(directory.rglob("*"))
        if LOG_NAME.fullmatch(path.name) and path.is_file()
    }
    return list(found.values())


def read_header(file: TextFile) -> Header | None:
    """The header of a tab-separated log, None when the file has none.

    Raises TooManyColumnsError.
    """
    lines = []
    for line in file.head:
        if not line.startswith("#"):
            break
        lines.append(line)
    if not lines or not lines[0].startswith("#separator "):
        return None
    separator = ESCAPED.sub(
        lambda match: chr(int(match.group(1), 16)), lines[0].removeprefix("#separator ")
    )
    if not separator:
        return None
    # An empty value is given by a second separator after the key.
    values = dict(line.removeprefix("#").partition(separator)[::2] for line in lines[1:])
    names = values.get("fields", "").split(separator)
    if len(names) > MAX_COLUMNS:
        raise TooManyColumnsError(f"more than {MAX_COLUMNS} columns")
    container = Csv(
        separator,
        tuple(names),
        skip=len(lines),
        quote="",
        unset=values.get("unset_field", "-"),
    )
    return Header("#fields" + separator + values.get("fields", ""), container)
