"""Zeek's logs: which files of a folder they are."""

from __future__ import annotations

import re
from pathlib import Path

# conn.log, conn.2026-11-24-10-00-00.log.gz, conn_20261124_10:00:00-11:00:00.log.zst; not
# conn-summary.log, not conn_long.log.
LOG_NAME = re.compile(r"(conn|mail_session|smtp)(\..+|_[0-9].*)?\.log(\.[A-Za-z0-9]+)*")


def find_logs(directory: Path) -> list[Path]:
    """The conn, mail_session and smtp logs in `directory` and below, each file once."""
    found = {
        path.resolve(): path
        for path in sorted(directory.rglob("*"))
        if LOG_NAME.fullmatch(path.name) and path.is_file()
    }
    return list(found.values())
