"""Takes the pictures of the README and the tutorial anew, from a real terminal and a real browser.

    python packaging/site/pictures.py

Runs the tutorial's commands in a folder of its own and writes docs/assets/*.svg and *.png. Needs
Chromium, and MailTap installed with `mailtap[ndpi]`. For whoever changes what the pictures show.
"""

from __future__ import annotations

import base64
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from fcntl import ioctl
from io import StringIO
from pathlib import Path
from termios import TIOCSWINSZ
from typing import Any

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

CHECKOUT = Path(__file__).resolve().parents[2]
ASSETS = CHECKOUT / "docs" / "assets"
sys.path[:0] = [str(CHECKOUT / "tests" / "report"), str(CHECKOUT / "python")]

from browser import Page, browser, find_browser
from fieldcapture.gateway import write_gateway_export

COLUMNS, ROWS = 88, 50
MAILTAP = (sys.executable, "-m", "mailtap")

#: By the picture's name the command as a user types it.
TERMINAL = {
    "terminal-analyze": "mailtap analyze field.pcap",
    "terminal-gateway": "mailtap report export.csv",
}


def main() -> None:
    program = find_browser()
    if program is None:
        sys.exit("No Chromium is found, which takes the pictures of pages.")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        generate = (sys.executable, "-m", "fieldcapture", "--makeup", "mixed", "--seed", "25")
        _run((*generate, "--out", "field.pcap", "--truth", "field.truth.jsonl"), folder)
        write_gateway_export(folder / "export.csv")
        for name, command in TERMINAL.items():
            _terminal(ASSETS / f"{name}.svg", command, folder)
        _run((*MAILTAP, "analyze", "field.pcap", "--dpi", "ndpi", "--html", "report.html"), folder)
        with browser(program, folder / "profile") as page:
            page.open(folder / "report.html")
            _screenshot(page, ASSETS / "report.png", scheme="light")
            _screenshot(page, ASSETS / "report-dark.png", scheme="dark")


def _run(command: Sequence[str], folder: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT / "python")}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)


def _terminal(picture: Path, command: str, folder: Path) -> None:
    """What the command prints on a terminal of COLUMNS, as a vector graphic."""
    ours, its = pty.openpty()
    ioctl(its, TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment: Mapping[str, str] = os.environ | {
        "PYTHONPATH": str(CHECKOUT / "python"),
        "TERM": "xterm-256color",
    }
    words = (*MAILTAP, *shlex.split(command)[1:])
    with subprocess.Popen(words, cwd=folder, env=environment, stdout=its, stdin=its) as process:
        os.close(its)
        printed = b""
        while chunk := _read(ours):
            printed += chunk
    if process.returncode:
        sys.exit(f"{command} failed")
    console = Console(record=True, width=COLUMNS, file=StringIO())
    console.print(Text(f"$ {command}", style="bold"))
    console.print(Text.from_ansi(printed.decode().replace("\r\n", "\n").rstrip()))
    drawn = console.export_svg(title=command, theme=DIMMED_MONOKAI, unique_id="t")
    picture.write_text(re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL))  # of another host


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the program has ended
        return b""


def _screenshot(page: Page, picture: Path, *, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.send("Emulation.setEmulatedMedia", media="", features=features)
    size: dict[str, Any] = {"width": 1100, "height": 820, "deviceScaleFactor": 1, "mobile": False}
    page.send("Emulation.setDeviceMetricsOverride", **size)
    taken = page.send("Page.captureScreenshot", format="png")
    picture.write_bytes(base64.b64decode(taken["data"]))


if __name__ == "__main__":
    main()
