"""No module imports from a room above its own, and none in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import mailtap

#: From the lowest room to the highest; a room may import from itself and from those before it. Of
#: two names that fit a module the longer counts.
ROOMS = (
    "mailtap.printable",
    "mailtap._engine",
    "mailtap.errors",
    "mailtap.files",
    "mailtap.records",
    "mailtap.sessions.vocabulary",
    "mailtap.sessions.merging",
    "mailtap.sessions.schema",
    "mailtap.sessions.redaction",
    "mailtap.policy",
    "mailtap.labels",
    "mailtap.sessions",
    "mailtap.capture",
    "mailtap.zeek",
    "mailtap.accuracy",
    "mailtap.truth",
    "mailtap.correlation",
    "mailtap.report",
    "mailtap.spark",
    "mailtap.live.state",
    "mailtap.live.sensors",
    "mailtap.live.batches",
    "mailtap.live.labels",
    "mailtap.live.core",
    "mailtap.live.store",
    "mailtap.live.page",
    "mailtap.live",
    "mailtap.doctor",
    "mailtap.api",
    "mailtap",
    "mailtap.cli",
    "mailtap.__main__",
)

PACKAGE = Path(mailtap.__file__).parent


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(module: str) -> Iterator[str]:
    """MailTap's modules that a module imports, wherever in it it does."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if name in MODULES:
                    yield name
                elif node.module in MODULES:
                    yield node.module


def room(module: str) -> int:
    fitting = [name for name in ROOMS if module == name or module.startswith(f"{name}.")]
    return ROOMS.index(max(fitting, key=len))


@pytest.mark.parametrize("module", MODULES)
def test_no_import_runs_from_a_lower_room_to_a_higher_one(module: str) -> None:
    assert [name for name in imports(module) if room(name) > room(module)] == []


def test_no_imports_run_in_a_circle() -> None:
    try:
        TopologicalSorter({module: set(imports(module)) - {module} for module in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
