"""The report as one JSON document, keys as docs/explanation/verdicts.md has them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from mailtap.report.model import Report

#: Fields of the report that its page alone shows.
NOT_IN_DOCUMENT = frozenset({"examples"})


def to_json(report: Report) -> str:
    """The document, ASCII only and with a line break at its end."""
    return json.dumps(document(report), indent=2, allow_nan=False) + "\n"


def document(report: Report) -> dict[str, Any]:
    """The document as dictionaries and lists, as `mailtap.report.schema` describes it."""
    fields = asdict(report)
    return {key: _plain(fields[key]) for key in fields if key not in NOT_IN_DOCUMENT}


def _plain(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value
