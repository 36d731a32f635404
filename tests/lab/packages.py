"""Debian's packages, downloaded and unpacked into a root, never installed on the machine."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.isolation import Root

LISTS = Path("/var/lib/apt/lists")
COMPLETE, REASON = "complete", "reason"


class PackagesError(Exception):
    """Packages that can't be had, with the reason in one line."""


def update_lists() -> None:
    """Fetch the lists of packages where there are none, as on a machine just made."""
    if not any(LISTS.glob("*Packages*")):
        subprocess.run(["apt-get", "update", "--quiet"], capture_output=True)


def download(packages: Sequence[str], folder: Path) -> None:
    """Fetch packages, and what they need beyond what is installed, into a folder.

    What was downloaded before is not asked for again: delete the folder for newer versions.
    """
    wanted = "\n".join(packages)
    if not packages:
        return
    listed = folder / COMPLETE
    if listed.exists() and listed.read_text() == wanted:
        return
    (folder / "partial").mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [
            *("apt-get", "install", "--yes", "--quiet", "--download-only"),
            *("--no-install-recommends", "--reinstall"),
            *("-o", f"Dir::Cache::archives={folder}", "-o", "APT::Sandbox::User=root"),
            *("-o", "Debug::NoLocking=1", *packages),
        ],
        capture_output=True,
        text=True,
    )
    lines = done.stderr.strip().splitlines() or ["apt-get gave no reason"]
    (folder / REASON).write_text(lines[-1])
    if done.returncode == 0:
        listed.write_text(wanted)


def downloaded(folder: Path) -> list[Path]:
    """The files that `download` fetched.

    Raises:
        PackagesError: it could not.
    """
    if not (folder / COMPLETE).exists():
        reason = folder / REASON
        raise PackagesError(reason.read_text() if reason.exists() else "never downloaded")
    return sorted(folder.glob("*.deb"))


def unpack(files: Sequence[Path], root: Root) -> None:
    """Unpack package files; no script of theirs runs."""
    for file in files:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", file], stdout=subprocess.PIPE) as data:
            subprocess.run(
                ["tar", "-x", "--keep-directory-symlink", "-C", root.path],
                stdin=data.stdout,
                check=True,
            )


def version(files: Sequence[Path], package: str) -> str:
    """The version of a package among the files."""
    for file in files:
        if file.name.startswith(f"{package}_"):
            return file.name.split("_")[1].replace("%3a", ":")
    done = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Version}", package], capture_output=True, text=True
    )
    return done.stdout or "unknown"
