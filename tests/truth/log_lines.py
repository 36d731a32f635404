"""Logs that tests write."""

from __future__ import annotations

from pathlib import Path

from mailtap.truth import TruthLog, TruthSession


def sessions(tmp_path: Path, *lines: str) -> list[TruthSession]:
    """The sessions in lines of `program: message`, a second apart, in order of their beginning."""
    path = tmp_path / "log"
    path.write_text(
        "".join(f"2026-11-24T22:40:{n:02}Z mx {line}\n" for n, line in enumerate(lines))
    )
    log = TruthLog([path])
    found = sorted(log, key=lambda session: (session.start, session.order))
    assert log.files[0].malformed == 0
    return found
