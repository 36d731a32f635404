"""The reference of the Zeek package, from the comments (`##`, `##!`) of its scripts and .bif
files.

Zeekygen, which ships with Zeek, writes reStructuredText and needs a Zeek to run. This reads what
the package exports, and writes Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_DECLARATION = re.compile(r"(?:const|option|global|type|redef enum|redef record|event|function)\b")
_CROSS_REFERENCE = re.compile(r":zeek:see:`([^`]+)`")
_SEE_ALSO = ".. zeek:see::"
_PARAMETER = re.compile(r"([a-z_]+): (.*)")


@dataclass(frozen=True)
class Member:
    """A field of a record, or a value of an enumeration."""

    name: str
    type: str
    comment: Sequence[str]


@dataclass(frozen=True)
class Declaration:
    """Something that a script exports. `code` is its declaration, without members and comments."""

    kind: str
    name: str
    code: str
    comment: Sequence[str]
    members: Sequence[Member] = ()


@dataclass(frozen=True)
class Script:
    """A script or .bif file; `load` is what a site loads to have it."""

    load: str
    summary: Sequence[str]
    declarations: Sequence[Declaration] = field(default_factory=tuple)


def read_package(zeek: Path) -> list[Script]:
    """The scripts of the folder `zeek` that have something to say, in the order of their names."""
    sources = [
        *((zeek / "plugin" / "scripts").glob("*.zeek")),
        *((zeek / "plugin" / "src").glob("*.bif")),
        *((zeek / "scripts").rglob("*.zeek")),
    ]
    scripts = [_read(path, zeek) for path in sorted(sources)]
    return [script for script in scripts if script.summary or script.declarations]


def _read(path: Path, zeek: Path) -> Script:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    summary = [line[3:].strip() for line in lines if line.startswith("##!")]
    module = next((line.split()[1].rstrip(";") for line in lines if line[:7] == "module "), "")
    exported = lines if path.suffix == ".bif" else _exported(lines)
    return Script(_load_name(path, zeek), summary, tuple(_declarations(exported, module)))


def _load_name(path: Path, zeek: Path) -> str:
    if zeek / "scripts" not in path.parents:
        return "mailtap (the plugin)"
    parts = path.relative_to(zeek / "scripts").with_suffix("").parts
    return "/".join(("mailtap", *(part for part in parts if part not in ("main", "__load__"))))


def _exported(lines: Sequence[str]) -> list[str]:
    """Lines of the `export` block, one tab less deep, and records that are extended elsewhere."""
    found: list[str] = []
    closing = None
    for line in lines:
        if closing is not None:
            if line == closing:
                found.extend([line] if closing == "};" else [])
                closing = None
            else:
                found.append(line if closing == "};" else line.removeprefix("\t"))
        elif line == "export {":
            closing = "}"
        elif line.startswith("redef record"):
            found.append(line)
            closing = "};"
    return found


def _declarations(lines: Sequence[str], module: str) -> Iterator[Declaration]:
    comment: list[str] = []
    code: list[str] = []
    depth = 0
    for line in lines:
        if not code and line.startswith("##") and not line.startswith("##!"):
            comment.append(line[2:].removeprefix(" "))
        elif not code and not _DECLARATION.match(line):
            comment = []
        else:
            code.append(line)
            depth += line.count("{") - line.count("}")
            done = depth == 0 and (line.rstrip().endswith((";", "%}")) or line.endswith("%)"))
            if done or (depth == 0 and re.search(r"%\): \S+$", line)):
                yield _declaration(code, comment, module)
                comment, code = [], []


def _declaration(code: Sequence[str], comment: Sequence[str], module: str) -> Declaration:
    head = code[0]
    found = re.match(r"(const|option|global|type|redef \w+|event|function) (\w+(?:::\w+)*)", head)
    if found is None:
        raise ValueError(f"not a declaration: {head}")
    kind, name = found.groups()
    if "::" not in name:
        name = f"{module}::{name}"
    if kind == "global":
        kind = "hook" if ": hook" in head else "event" if ": event" in head else "function"
    if (": record {" in head) or kind in ("redef enum", "redef record"):
        return Declaration(
            kind, name, head.split("{")[0].strip(), comment, tuple(_members(code[1:-1]))
        )
    text = " ".join(line.strip() for line in code).replace("%(", "(").replace("%)", ")")
    text = re.sub(r"\s*&is_used|\s*%\{.*", "", text).replace("{ ", "{").replace(" }", "}")
    return Declaration(kind, name, text.rstrip(";"), comment)


def _members(lines: Sequence[str]) -> Iterator[Member]:
    comment: list[str] = []
    for line in (line.strip() for line in lines):
        if line.startswith("##"):
            comment.append(line[2:].strip())
        elif line and not line.startswith("#"):
            name, _, kind = line.rstrip(",;").partition(":")
            yield Member(name.strip(), kind.strip(), tuple(comment))
            comment = []


def markdown(scripts: Sequence[Script]) -> str:
    """The reference, a section each script."""
    known = {one.name for script in scripts for one in script.declarations}
    by_load: dict[str, list[Script]] = {}
    for script in scripts:
        by_load.setdefault(script.load, []).append(script)
    parts = []
    for load, together in by_load.items():
        parts.append(f"## {load}\n")
        for script in together:
            parts.append(_prose(script.summary, known))
            parts.extend(_section(one, known) for one in script.declarations)
    return "\n".join(parts)


def _section(declaration: Declaration, known: set[str]) -> str:
    parts = [
        f"### {declaration.name} {{ #{_anchor(declaration.name)} }}\n",
        f"```zeek\n{declaration.code}\n```\n" if not declaration.members else "",
        _prose(declaration.comment, known),
    ]
    if declaration.members:
        typed = any(member.type for member in declaration.members)
        parts.append(
            f"| name |{' type |' if typed else ''} meaning |\n|---|{'---|' if typed else ''}---|"
        )
        for member in declaration.members:
            kind = f" `{member.type}` |" if typed else ""
            meaning = " ".join(_prose(member.comment, known).split())
            parts.append(f"| `{member.name}` |{kind} {meaning} |")
        parts.append("")
    return "\n".join(parts)


def _anchor(name: str) -> str:
    return "zeek-" + name.replace("::", "-")


def _prose(lines: Sequence[str], known: set[str]) -> str:
    """Paragraphs of a comment as Markdown; parameters become a list."""
    paragraphs = "\n".join(lines).split("\n\n")
    return "\n\n".join(_paragraph(text, known) for text in paragraphs if text.strip()) + "\n"


def _paragraph(text: str, known: set[str]) -> str:
    text = " ".join(text.split())
    if text.startswith(_SEE_ALSO):
        return (
            "See " + ", ".join(_link(name, known) for name in text[len(_SEE_ALSO) :].split()) + "."
        )
    text = text.replace("``", "`")
    text = _CROSS_REFERENCE.sub(lambda found: _link(found[1], known), text)
    text = text.replace(" * ", " \\* ")
    parameter = _PARAMETER.fullmatch(text)
    if parameter:
        return f"- `{parameter[1]}`: {parameter[2]}"
    if text.startswith("Returns: "):
        return f"- returns: {text.removeprefix('Returns: ')}"
    return text


def _link(name: str, known: set[str]) -> str:
    return f"[`{name}`](#{_anchor(name)})" if name in known else f"`{name}`"
