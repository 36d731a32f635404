"""Each code block of the documentation runs, or says what it is.

A block in sh or python runs in its page's order, in a folder with the files that the pages name. A
comment before a block says otherwise: `<!-- run by FILE -->`, where FILE runs its commands, or
`<!-- needs WHAT -->`, what a test doesn't have. Blocks in text are output or drawings.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fieldcapture.gateway import Share, write_gateway_export
from mailtap.policy import load_policy

CHECKOUT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
        CHECKOUT / "packaging" / "README.md",
        *(CHECKOUT / "docs").rglob("*.md"),
    ]
)
BLOCK = re.compile(
    r"(?:^<!-- (?P<how>run by|needs) (?P<what>[^>]+) -->\n)?"
    r"^```(?P<language>\w*)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    page: str
    language: str
    code: str
    how: str | None
    what: str | None


def blocks(page: Path) -> list[Block]:
    name = page.relative_to(CHECKOUT).as_posix()
    found = BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(name, f["language"], f["code"], f["how"], f["what"]) for f in found]


BLOCKS = [block for page in PAGES for block in blocks(page)]


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the pages name: tap.pcap, flows.csv, export.csv and zeek-logs."""
    folder = tmp_path_factory.mktemp("material")
    shutil.copy(CHECKOUT / "btest" / "Traces" / "smtp.pcap", folder / "tap.pcap")
    write_gateway_export(folder / "export.csv", makeup=(Share("smtp", 25, "MAIL", 20),))
    (folder / "flows.csv").write_text(
        "src_ip,src_port,dst_ip,dst_port,label,start,end\n"
        "198.51.100.7,40000,192.0.2.25,25,smtp,1700000000,1700000003\n"
    )
    logs = folder / "zeek-logs"
    logs.mkdir()
    (logs / "mail_session.log").write_text(
        '{"ts": 1700000000.0, "duration": 2.0, "uid": "C1", "id.orig_h": "198.51.100.7",'
        ' "id.orig_p": 40000, "id.resp_h": "192.0.2.25", "id.resp_p": 25, "service": "smtp",'
        ' "client_h": "198.51.100.7", "client_p": 40000, "server_h": "192.0.2.25",'
        ' "server_p": 25, "direction": "c2s", "starttls": "refused", "decode_as": "MAIL",'
        ' "effective": true, "stage": "hello"}\n'
    )
    programs = folder / "bin"
    programs.mkdir()
    (programs / "mailtap").write_text(f'#!/bin/sh\nexec {sys.executable} -m mailtap "$@"\n')
    (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    # The generator is not installed; beside it lies the package's source, which must not be found.
    modules = folder / "modules"
    modules.mkdir()
    (modules / "fieldcapture").symlink_to(CHECKOUT / "python" / "fieldcapture")
    return folder


@pytest.fixture
def folder(material: Path, tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(material, tmp_path / "page", symlinks=True)
    yield tmp_path / "page"


def test_every_block_has_a_language() -> None:
    assert [block.page for block in BLOCKS if not block.language] == []


@pytest.mark.parametrize("page", sorted({b.page for b in BLOCKS if b.how == "run by"}))
def test_what_a_page_says_is_run_elsewhere_is_there(page: str) -> None:
    for block in BLOCKS:
        if block.page == page and block.how == "run by":
            assert (CHECKOUT / str(block.what)).is_file(), block.what


@pytest.mark.parametrize(
    "page", sorted({b.page for b in BLOCKS if b.language in ("sh", "python") and not b.how})
)
def test_commands_and_programs_run(page: str, folder: Path) -> None:
    environment = os.environ | {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(
            [*filter(None, [os.environ.get("PYTHONPATH")]), str(folder / "modules")]
        ),
    }
    for block in BLOCKS:
        if block.page != page or block.how or block.language not in ("sh", "python"):
            continue
        program = ["bash", "-euo", "pipefail"] if block.language == "sh" else [sys.executable]
        done = subprocess.run(
            [*program, "-c", block.code],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block.code}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("number", range(sum(b.language == "yaml" and not b.how for b in BLOCKS)))
def test_policies_are_read(number: int, tmp_path: Path) -> None:
    policies = [block for block in BLOCKS if block.language == "yaml" and not block.how]
    (tmp_path / "policy.yaml").write_text(policies[number].code)
    load_policy(tmp_path / "policy.yaml")
