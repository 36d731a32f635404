"""The terms of reports and pages, from `glossary.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

#: Meanings by term.
Terms = Mapping[str, str]


@cache
def glossary() -> Mapping[str, Terms]:
    """The sections `concepts`, `causes` (of disagreement) and `empty_causes` (why a mail session
    has no addresses). Meanings are plain text.
    """
    text = files("mailtap.report").joinpath("glossary.yaml").read_text(encoding="utf-8")
    sections: Mapping[str, Terms] = yaml.safe_load(text)
    return sections
