"""Is this installation of MailTap sound? Analyzes a capture of one SMTP session with STARTTLS.

    python smoke_test.py [CAPTURE]

Needs nothing but the installed package and the capture. Prints one line; exits with 1 and a reason
where something is wrong.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

CAPTURE = Path(__file__).parents[2] / "btest" / "Traces" / "smtp-starttls.pcap"
EXPECTED = {"sessions": 1, "service": {"smtp": 1, "pop3": 0, "imap": 0}, "starttls": 1}


def mailtap(*arguments: str) -> str:
    """What the command prints, as users call it; its errors go to standard error."""
    command = [sys.executable, "-m", "mailtap", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> str | None:
    capture = sys.argv[1] if len(sys.argv) > 1 else str(CAPTURE)
    if version("mailtap") not in mailtap("--version"):
        return "mailtap --version prints another version than that of the installed package"
    report = json.loads(mailtap("analyze", capture, "--json"))
    if not report["complete"]:
        return f"{capture} was not read to its end"
    if capture == str(CAPTURE):
        seen = {key: report["mail"][key] for key in EXPECTED}
        if seen != EXPECTED:
            return f"{capture} holds {EXPECTED}, but the report has {seen}"
    print(
        f"MailTap {version('mailtap')} on Python {sys.version.split()[0]}:"
        f" {report['sessions']} TCP sessions, {report['mail']['sessions']} of them mail"
    )
    return None


if __name__ == "__main__":
    sys.exit(main())
