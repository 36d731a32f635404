"""Session lines as a policy lets them out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from pathlib import Path

from mailtap.report.redaction import REDACTED, hidden_fields


def redact_lines(lines: Path, target: Path, redact: Collection[str]) -> None:
    """Write the session lines to `target`, with the values of the fields in `redact` replaced."""
    if not redact:
        shutil.copyfile(lines, target)
        return
    hidden = hidden_fields(redact)
    with lines.open(encoding="utf-8") as source, target.open("w", encoding="utf-8") as out:
        for line in source:
            session = json.loads(line)
            for name in hidden & session.keys():
                session[name] = REDACTED
            out.write(json.dumps(session, ensure_ascii=False) + "\n")
