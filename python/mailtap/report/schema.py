"""The JSON Schema of the report's document, made from the dataclasses of `mailtap.report.model`."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from inspect import getdoc
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from mailtap.report.json import NOT_IN_DOCUMENT
from mailtap.report.model import Report

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS: Mapping[Any, Mapping[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    type(None): {"type": "null"},
}


def schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of the document that this version writes: each key is required,
    and there are no others.
    """
    definitions: dict[str, Any] = {}
    document = _object(Report, definitions, without=NOT_IN_DOCUMENT)
    return {
        "$schema": _DIALECT,
        "$id": f"urn:mailtap:report:{version('mailtap')}",
        "title": "MailTap report",
        **document,
        "$defs": dict(sorted(definitions.items())),
    }


def _object(
    kind: type, definitions: dict[str, Any], without: frozenset[str] = frozenset()
) -> dict[str, Any]:
    hints = get_type_hints(kind)
    names = [name for name in _names(kind) if name not in without]
    return {
        "description": " ".join((getdoc(kind) or "").split()),
        "type": "object",
        "properties": {name: _schema(hints[name], definitions) for name in names},
        "required": names,
        "additionalProperties": False,
    }


def _names(kind: Any) -> list[str]:
    """Of a dataclass or a TypedDict, in their order."""
    if is_typeddict(kind):
        return list(get_type_hints(kind))
    return [field.name for field in fields(kind)]


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type: records are defined once and referred to."""
    if hint in _SCALARS:
        return dict(_SCALARS[hint])
    if isinstance(hint, type) and (is_dataclass(hint) or is_typeddict(hint)):
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = {}  # it may contain itself
            definitions[hint.__name__] = _object(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(one, definitions) for one in arguments]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is list or (origin is tuple and arguments[-1] is ...):
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin is tuple:
        return {
            "type": "array",
            "prefixItems": [_schema(one, definitions) for one in arguments],
            "minItems": len(arguments),
            "maxItems": len(arguments),
        }
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    raise TypeError(f"the report's document has no form for {hint}")
