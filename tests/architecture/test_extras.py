"""Without any extra the package is imported, and its commands have their help."""

from __future__ import annotations

import subprocess
import sys

from mailtap.doctor import EXTRAS

# None in sys.modules makes an import fail as if the module weren't installed.
WITHOUT = """
import sys
sys.modules |= dict.fromkeys({modules})
from mailtap.cli import main
main({arguments})
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    modules = sorted({module for modules, _ in EXTRAS.values() for module in modules})
    script = WITHOUT.format(modules=modules, arguments=list(arguments))
    return subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )


def test_the_extras_are_missing_in_this_test() -> None:
    ended = run("live", "--sensor", "ws://127.0.0.1:1")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "mailtap[live]" in ended.stderr


def test_every_command_but_live_has_its_help() -> None:
    for command in ("analyze", "report", "labels", "store", "doctor"):
        ended = run(command, "--help")
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.startswith("Usage: ")
