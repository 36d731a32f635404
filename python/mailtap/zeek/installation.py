"""Finds Zeek, and MailTap's package for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mailtap.errors import MailTapError

PACKAGE = "mailtap"
ZEEK_PLACES = (Path("/opt/zeek/bin/zeek"), Path("/usr/local/zeek/bin/zeek"))

# Where a checkout has the package, and the plugin that btest/run builds.
CHECKOUT = Path(__file__).resolve().parents[3]
CHECKOUT_SCRIPTS = CHECKOUT / "zeek" / "scripts"
CHECKOUT_PLUGIN = CHECKOUT / "build" / "zeek-plugin"


class ZeekError(MailTapError):
    """Zeek can't do it. Its text is one line that says why, and what to do."""


@dataclass(frozen=True)
class Installation:
    """A Zeek that can load the package: `scripts` is what to load, `environment` what to add."""

    zeek: Path
    scripts: str
    environment: dict[str, str]


def find_installation() -> Installation:
    """The Zeek to run: from PATH, else from where Zeek's own packages put it.

    Raises:
        ZeekError: there is none, or it doesn't have the package.
    """
    zeek = find_zeek()
    as_installed = Installation(zeek, PACKAGE, {})
    in_checkout = Installation(
        zeek, str(CHECKOUT_SCRIPTS), {"ZEEK_PLUGIN_PATH": str(CHECKOUT_PLUGIN)}
    )
    if _loads(as_installed):
        return as_installed
    if (CHECKOUT_PLUGIN / "__zeek_plugin__").is_file() and _loads(in_checkout):
        return in_checkout
    raise ZeekError(
        f"{zeek} doesn't have the MailTap package: install it with `zkg install`, "
        "or build it in a checkout with `btest/run`"
    )


def find_zeek() -> Path:
    """Zeek from PATH, else from where its packages put it. Raises ZeekError."""
    found = shutil.which("zeek")
    if found is not None:
        return Path(found)
    for place in ZEEK_PLACES:
        if os.access(place, os.X_OK):
            return place
    raise ZeekError("no Zeek found in PATH or /opt/zeek/bin: install it from https://zeek.org")


def _loads(installation: Installation) -> bool:
    try:
        parsed = subprocess.run(
            [installation.zeek, "--parse-only", installation.scripts],
            env=os.environ | installation.environment,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise ZeekError(f"{installation.zeek}: {error.strerror}") from None
    return parsed.returncode == 0
