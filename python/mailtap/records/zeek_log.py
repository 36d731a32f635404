"""Zeek's tab-separated logs: what the header of one says."""

from __future__ import annotations

import re

from mailtap.records.containers import MAX_COLUMNS, Separated, TooManyColumnsError
from mailtap.records.record_file import RecordFile

ESCAPED = re.compile(r"\\x([0-9A-Fa-f]{2})")


def read_header(file: RecordFile) -> Separated | None:
    """How the records of a tab-separated log lie, None when the file is none.

    Raises TooManyColumnsError.
    """
    if not file.head or not file.head[0].startswith("#separator "):
        return None
    separator = ESCAPED.sub(
        lambda match: chr(int(match.group(1), 16)), file.head[0].removeprefix("#separator ")
    )
    lines = {
        line.removeprefix("#").partition(separator)[0]: line
        for line in reversed(file.head[1:])
        if separator and line.startswith("#")
    }
    if "fields" not in lines:
        return None
    names = lines["fields"].split(separator)[1:]
    if len(names) > MAX_COLUMNS:
        raise TooManyColumnsError(f"more than {MAX_COLUMNS} columns")
    unset = lines.get("unset_field", "").partition(separator)[2] or "-"
    return Separated(separator, tuple(names), unset, lines["fields"])
