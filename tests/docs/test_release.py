"""The command that makes a release, in a clone: CONTRIBUTING.md, "Releasing"."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
FILES = ("CHANGES.md", "VERSION", "pyproject.toml", "packaging/release", "packaging/release-notes")
GIT = ("git", "-c", "user.name=Test", "-c", "user.email=test@mail.example")


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def commit(folder: Path) -> None:
    assert run(folder, "git", "add", "--all").returncode == 0
    assert run(folder, *GIT, "commit", "--quiet", "--message", "Change").returncode == 0


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of the files that a release concerns."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@mail.example")
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy2(CHECKOUT / name, tmp_path / name)
    assert run(tmp_path, "git", "init", "--quiet").returncode == 0
    commit(tmp_path)
    return tmp_path


def next_version() -> str:
    found = re.search(r"^## (\S+) \(unreleased\)$", (CHECKOUT / "CHANGES.md").read_text(), re.M)
    assert found, "CHANGES.md has no section for the next version"
    return found[1]


def give_addresses(clone: Path) -> None:
    project = clone / "pyproject.toml"
    project.write_text(project.read_text().replace(".example/", ".test/"))
    commit(clone)


def test_one_command_writes_version_and_date_commits_and_tags(clone: Path) -> None:
    give_addresses(clone)
    version = next_version()
    done = run(clone, "packaging/release", version)
    assert (done.returncode, done.stderr) == (0, "")
    assert (clone / "VERSION").read_text() == f"{version}\n"
    assert re.search(
        rf"^## {version} \(\d{{4}}-\d\d-\d\d\)$", (clone / "CHANGES.md").read_text(), re.M
    )
    assert run(clone, "git", "status", "--porcelain").stdout == ""
    assert run(clone, "git", "describe").stdout.strip() == f"v{version}"
    notes = run(clone, "packaging/release-notes", f"v{version}")
    assert notes.returncode == 0
    assert "### The decoder" in notes.stdout
    assert run(clone, "packaging/release-notes", "v9.9.9").returncode == 1
    assert "exists already" in run(clone, "packaging/release", version).stderr


def test_a_release_is_refused_while_anything_is_missing(clone: Path) -> None:
    version = next_version()
    assert "placeholders" in run(clone, "packaging/release", version).stderr
    give_addresses(clone)
    assert "usage" in run(clone, "packaging/release", "1.0").stderr
    assert "no section" in run(clone, "packaging/release", "9.9.9").stderr
    (clone / "new").touch()
    assert "commit them first" in run(clone, "packaging/release", version).stderr
    assert run(clone, "git", "tag").stdout == ""
