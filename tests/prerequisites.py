"""What tests need beyond the Python packages of tox.ini: each is skipped where that is missing, and
the reason says what to install.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mailtap.zeek.installation import Installation, ZeekError, find_installation

PLUGIN = Path(__file__).resolve().parents[1] / "build" / "zeek-plugin"

NFSTREAM = "NFStream isn't installed: pip install 'mailtap[ndpi]'"
SPARK = "PySpark isn't installed: pip install 'mailtap[spark]'"
JAVA = "Spark needs Java: apt-get install default-jre-headless"
NAMES_OF_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def need_nfstream() -> None:
    pytest.importorskip("nfstream", reason=NFSTREAM)


def need_program(name: str, package: str) -> str:
    """The path of a program. `package` is Debian's that has it."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} isn't installed: apt-get install {package}")
    return found


def need_chromium() -> str:
    for name in NAMES_OF_CHROMIUM:
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium to test the page in: apt-get install chromium")


def need_zeek() -> Installation:
    """Zeek with the package. A plugin that was built and can't be loaded is a failure."""
    try:
        return find_installation()
    except ZeekError as error:
        if (PLUGIN / "__zeek_plugin__").is_file():
            pytest.fail(f"the plugin in {PLUGIN} was built, but {error}")
        pytest.skip(str(error))
