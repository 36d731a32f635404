"""The Zeek package as sites get it: from a package source, upgraded, removed, and from a bundle.

zkg runs with a configuration of the test's own: what a user has installed is neither seen nor
changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailtap.zeek.installation import ZEEK_PLACES

CHECKOUT = Path(__file__).parents[2]
CAPTURE = CHECKOUT / "btest" / "Traces" / "smtp-server.pcap"
EARLIER = "0.0.1"  # a version before every other
VERSION = (CHECKOUT / "VERSION").read_text().strip()

#: Where the programs of each Zeek are that this machine has, the one on PATH first.
ZEEKS = list(
    dict.fromkeys(
        Path(found).parent
        for found in (
            shutil.which("zeek-config"),
            *(place.parent / "zeek-config" for place in ZEEK_PLACES),
            *sorted(Path("/opt").glob("zeek-*/bin/zeek-config")),
        )
        if found is not None and Path(found).exists()
    )
)
SITES_OPTION = "redef MailTap::community_id_seed = 7;\n"


def run(*command: str | Path, env: dict[str, str], cwd: Path) -> str:
    """Standard output of a command that must not fail."""
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}{done.stderr}"
    return done.stdout


def programs(zeek: Path | None) -> str:
    """PATH with this Zeek's programs before any other's."""
    own = [str(Path(sys.executable).parent)]
    return os.pathsep.join([*own, *([str(zeek)] if zeek else []), os.environ["PATH"]])


def environment(folder: Path, zeek: Path | None = None) -> dict[str, str]:
    """Without what would have Zeek find this checkout's own build; with ccache if it is there."""
    kept = {key: text for key, text in os.environ.items() if not key.startswith("ZEEK")}
    identity = {
        f"GIT_{role}_{part}": text
        for role in ("AUTHOR", "COMMITTER")
        for part, text in (("NAME", "Test"), ("EMAIL", "test@mail.example"))
    }
    ccache = {
        "CMAKE_CXX_COMPILER_LAUNCHER": "ccache",
        "CCACHE_BASEDIR": str(folder),
        "CCACHE_NOHASHDIR": "1",
    }
    return kept | identity | {"PATH": programs(zeek)} | (ccache if shutil.which("ccache") else {})


def missing() -> str | None:
    """Why zkg can't be tried here."""
    if not ZEEKS:
        return "no Zeek found in PATH or /opt/zeek/bin: install it from https://zeek.org"
    path = programs(ZEEKS[0])
    if shutil.which("cmake", path=path) is None:
        return "CMake, which builds the plugin, isn't installed: apt-get install cmake"
    if shutil.which("zkg", path=path) is None:
        return "zkg isn't installed: pip install zkg"
    asked = subprocess.run(
        ["zkg", "--version"], env=os.environ | {"PATH": path}, capture_output=True, check=False
    )
    return None if asked.returncode == 0 else "zkg can't import its modules: pip install zkg"


WHY_NOT = missing()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")


@dataclass(frozen=True)
class Repository:
    """The package's own repository, as far as its index names it."""

    folder: Path

    def git(self, *arguments: str) -> str:
        return run("git", *arguments, env=environment(self.folder.parent), cwd=self.folder)

    def release(self, version: str) -> None:
        (self.folder / "VERSION").write_text(f"{version}\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Release {version}")
        self.git("tag", "--annotate", "--message", version, f"v{version}")


@dataclass(frozen=True)
class Site:
    """A machine with this Zeek, and a zkg that knows the given package sources."""

    folder: Path
    zeek_programs: Path

    def zkg(self, *arguments: str | Path) -> str:
        return run(
            *("zkg", "--configfile", self.folder / "config", *arguments),
            env=environment(self.folder.parent, self.zeek_programs),
            cwd=self.folder,
        )

    def zeek(self, *arguments: str | Path) -> str:
        lines = self.zkg("env").splitlines()
        paths = dict(
            line.removeprefix("export ").split("=", 1)
            for line in lines
            if line.startswith("export ZEEK")
        )
        env = environment(self.folder.parent, self.zeek_programs) | paths
        return run("zeek", *arguments, env=env, cwd=self.folder)

    def loaded_version(self) -> str | None:
        """Of the plugin that Zeek finds."""
        for line in self.zeek("-N").splitlines():
            if line.startswith("MailTap::Sessions"):
                return line.rpartition("version ")[2].rstrip(")")
        return None

    def files(self) -> set[Path]:
        """What zkg has put where Zeek looks, and the clones it keeps."""
        return {
            path
            for place in ("scripts", "plugins", "bin", "state/clones/package")
            for path in (self.folder / place).rglob("*")
            if path.name not in ("README", "packages.zeek", "__load__.zeek") or path.is_dir()
        }

    def decodes(self) -> None:
        """A session that stock Zeek doesn't log is logged, and the option in local.zeek counts."""
        for log in self.folder.glob("*.log"):
            log.unlink()
        (self.folder / "local.zeek").write_text(f"@load packages\n{SITES_OPTION}")
        self.zeek("-C", "-r", CAPTURE, "local.zeek")
        assert "smtp" in (self.folder / "mail_session.log").read_text()
        (self.folder / "option.zeek").write_text(
            "@load ./local\nevent zeek_init() { print MailTap::community_id_seed; }\n"
        )
        assert self.zeek("option.zeek").strip() == "7"


def new_site(folder: Path, zeek: Path, source: Path | None) -> Site:
    folder.mkdir()
    places = [
        f"{key} = {folder / place}"
        for key, place in {
            "state_dir": "state",
            "script_dir": "scripts",
            "plugin_dir": "plugins",
            "bin_dir": "bin",
        }.items()
    ]
    sources = ["[sources]", *([f"local = {source}"] if source else [])]
    (folder / "config").write_text("\n".join([*sources, "[paths]", *places, ""]))
    return Site(folder, zeek)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """This checkout's files, uncommitted changes included, in a repository of their own."""
    made = Repository(tmp_path / "packages" / "mailtap")
    made.folder.mkdir(parents=True)
    names = run("git", "ls-files", "-z", env=environment(tmp_path), cwd=CHECKOUT)
    for name in filter(None, names.split("\0")):
        if (CHECKOUT / name).is_file():
            (made.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, made.folder / name)
    made.git("init", "--quiet", "--initial-branch", "main")
    return made


@pytest.fixture
def source(tmp_path: Path, repository: Repository) -> Path:
    """A package source, as zeek/packages is one, that lists only this package."""
    made = tmp_path / "source"
    (made / "mailtap").mkdir(parents=True)
    (made / "mailtap" / "zkg.index").write_text(f"{repository.folder}\n")
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "Index"]):
        run("git", *command, env=environment(tmp_path), cwd=made)
    return made


@pytest.mark.parametrize("zeek", ZEEKS, ids=str)
def test_installed_upgraded_bundled_removed_and_installed_from_the_bundle(
    zeek: Path, tmp_path: Path, repository: Repository, source: Path
) -> None:
    repository.release(EARLIER)
    site = new_site(tmp_path / "site", zeek, source)
    assert site.zkg("list", "installed") == ""
    before = site.files()

    site.zkg("install", "--force", "--skiptests", "mailtap")
    assert site.loaded_version() == EARLIER
    site.decodes()

    repository.release(VERSION)
    site.zkg("refresh")
    site.zkg("upgrade", "--force", "mailtap")  # with the package's smoke test
    assert site.loaded_version() == VERSION
    site.decodes()

    bundle = tmp_path / "mailtap.bundle"
    site.zkg("bundle", "--force", "--manifest", "mailtap", "--", bundle)
    site.zkg("remove", "--force", "mailtap")
    assert site.loaded_version() is None
    assert site.files() == before

    shutil.rmtree(repository.folder)
    shutil.rmtree(source)
    island = new_site(tmp_path / "island", zeek, source=None)
    island.zkg("unbundle", "--force", bundle)
    assert island.loaded_version() == VERSION
    island.decodes()
