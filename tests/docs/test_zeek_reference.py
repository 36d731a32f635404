"""The reference of the Zeek package has everything that its scripts export, with an explanation."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def module() -> Any:
    path = CHECKOUT / "packaging" / "site" / "zeek_reference.py"
    spec = importlib.util.spec_from_file_location("zeek_reference", path)
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules["zeek_reference"] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def test_every_option_event_type_and_function_is_there(module: Any) -> None:
    found = {
        declaration.name
        for script in module.read_package(CHECKOUT / "zeek")
        for declaration in script.declarations
    }
    for path in (CHECKOUT / "zeek").rglob("*.zeek"):
        exported = re.findall(r"^export \{$(.*?)^\}$", path.read_text(), re.MULTILINE | re.DOTALL)
        for text in exported:
            names = re.findall(r"^\t(?:const|option|global|type) (\w+)", text, re.MULTILINE)
            assert {f"MailTap::{name}" for name in names} <= found, path
    for path in (CHECKOUT / "zeek").rglob("*.bif"):
        names = re.findall(r"^(?:event|function) (\w+)%\(", path.read_text(), re.MULTILINE)
        assert {f"MailTap::{name}" for name in names} <= found, path


def test_everything_is_explained(module: Any) -> None:
    unexplained = [
        f"{declaration.name} {member.name if member else ''}"
        for script in module.read_package(CHECKOUT / "zeek")
        for declaration in script.declarations
        for member in (*declaration.members, None)
        if not (member or declaration).comment and not declaration.kind.startswith("redef")
    ]
    assert unexplained == []


def test_comments_become_markdown(module: Any, tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "one.zeek").write_text(
        "##! A script.\n\nmodule One;\n\nexport {\n"
        "\t## A limit, see :zeek:see:`One::done`.\n\tconst limit = 3 &redef;\n\n"
        "\t## Raised at the end.\n\t##\n\t## n: How many ``mails``.\n\t##\n"
        "\t## .. zeek:see:: One::limit\n\tglobal done: event(n: count);\n}\n"
    )
    assert module.markdown(module.read_package(tmp_path)).split("\n\n") == [
        "## mailtap/one",
        "A script.",
        "### One::limit { #zeek-One-limit }",
        "```zeek\nconst limit = 3 &redef\n```",
        "A limit, see [`One::done`](#zeek-One-done).",
        "### One::done { #zeek-One-done }",
        "```zeek\nglobal done: event(n: count)\n```",
        "Raised at the end.",
        "- `n`: How many `mails`.",
        "See [`One::limit`](#zeek-One-limit).\n",
    ]
