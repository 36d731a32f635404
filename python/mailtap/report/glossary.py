"""The terms of reports and pages, from `glossary.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

#: Explanations by term.
Terms = Mapping[str, str]


@cache
def glossary() -> Mapping[str, Terms]:
    """The sections `concepts`, `causes` (of disagreement), `empty_causes` (why a mail session has
    no addresses), `losses` and `steps` (of the funnel). Explanations are plain text.
    """
    text = files("mailtap.report").joinpath("glossary.yaml").read_text(encoding="utf-8")
    sections: Mapping[str, Terms] = yaml.safe_load(text)
    return sections


@cache
def explained_losses() -> Terms:
    """Each loss of the funnel, and each reason for BASE, with its explanation."""
    terms = glossary()
    return {**terms["empty_causes"], **terms["causes"], **terms["losses"]}
