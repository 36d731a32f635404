"""YAML documents whose every value knows its file, line and key; one laid over another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import yaml

from mailtap.errors import MailTapError
from mailtap.files import open_to_read
from mailtap.printable import printable

SIZE_LIMIT = 1 << 20
DEPTH_LIMIT = 16


class PolicyError(MailTapError):
    """A policy file that can't be used; the message is one line with file, line and key."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))  # keys and values of a file are quoted


@dataclass(frozen=True)
class Value:
    """A YAML value with its place. Scalars keep their text; `tag` is their YAML type."""

    content: str | tuple[Value, ...] | Mapping[str, Value]
    tag: str
    file: str
    line: int
    key: str

    def error(self, message: str) -> PolicyError:
        """An error that names this value's place."""
        where = f" {self.key}:" if self.key else ""
        return PolicyError(f"{self.file}:{self.line}:{where} {message}")


def read_document(text: str, file: str) -> Value:
    """Parse one YAML document with a mapping at its top. Raises PolicyError."""
    try:
        _check_events(text, file)
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = _line(error.problem_mark)
        raise PolicyError(f"{file}:{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise PolicyError(f"{file}: not valid YAML: {' '.join(str(error).split())}") from None
    if root is None:
        return Value({}, "tag:yaml.org,2002:map", file, 1, "")
    document = _value(root, file, "")
    if not isinstance(document.content, Mapping):
        raise document.error("must be a mapping of keys to values")
    return document


def read_file(path: Path) -> Value:
    """Parse the YAML file at `path`; `-` is standard input. Raises PolicyError."""
    try:
        with open_to_read(path) as stream:
            raw = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}") from None
    if len(raw) > SIZE_LIMIT:
        raise PolicyError(f"{path}: larger than {SIZE_LIMIT} bytes")
    try:
        return read_document(raw.decode(), str(path))
    except UnicodeDecodeError:
        raise PolicyError(f"{path}: not UTF-8 text") from None


def merge(base: Value, overlay: Value) -> Value:
    """`overlay` laid over `base`: mappings key by key, anything else replaced."""
    if not isinstance(base.content, Mapping) or not isinstance(overlay.content, Mapping):
        return overlay
    merged = dict(base.content)
    for name, value in overlay.content.items():
        merged[name] = merge(merged[name], value) if name in merged else value
    return Value(merged, overlay.tag, overlay.file, overlay.line, overlay.key)


class _Mark(Protocol):
    line: int


def _line(mark: _Mark | None) -> int:
    return 1 if mark is None else mark.line + 1


def _check_events(text: str, file: str) -> None:
    """Refuse what would cost more than its size: aliases, and nesting (quadratic in the parser)."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = _line(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            raise PolicyError(f"{file}:{line}: aliases (*name) are not supported")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_LIMIT:
            raise PolicyError(f"{file}:{line}: nested too deeply")


def _value(node: yaml.Node, file: str, key: str) -> Value:
    line = node.start_mark.line + 1
    content: str | tuple[Value, ...] | dict[str, Value]
    if isinstance(node, yaml.MappingNode):
        content = {}
        for name_node, value_node in node.value:
            name = name_node.value
            if not isinstance(name, str):
                raise PolicyError(f"{file}:{name_node.start_mark.line + 1}: {key}: key is no text")
            below = f"{key}.{name}" if key else name
            if name in content:
                where = f"{file}:{name_node.start_mark.line + 1}: {below}:"
                raise PolicyError(f"{where} the same key stands here twice")
            content[name] = _value(value_node, file, below)
    elif isinstance(node, yaml.SequenceNode):
        content = tuple(_value(item, file, key) for item in node.value)
    else:
        content = str(node.value)
    return Value(content, node.tag, file, line, key)
