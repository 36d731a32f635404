"""Reference that is made from the client's code: fields, label formats, policy, metrics, terms."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from mailtap.labels.formats import FORMATS
from mailtap.live.page.metrics import exposition
from mailtap.report.glossary import Terms
from mailtap.report.glossary import glossary as terms_by_section
from mailtap.sessions.schema import markdown as session_fields

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.append(str(CHECKOUT / "tests" / "live" / "page"))

from snapshots import usual  # live mode with a bit of everything

__all__ = ["glossary", "label_formats", "metrics", "policy", "session_fields"]


def label_formats() -> str:
    """The formats that are known by their names, in the order in which a file is tried."""
    return _table(
        ("name", "kind of file", "meaning of its names", "recognised by"),
        (
            (
                f"`{one.name}`",
                one.container,
                f"`engines.{one.engine}`",
                ", ".join(f"`{mark}`" for mark in one.marks) or "fields by position",
            )
            for one in FORMATS
        ),
    )


def policy() -> str:
    """The policy that is shipped, with its comments."""
    shipped = CHECKOUT / "python" / "mailtap" / "policy" / "default.yaml"
    return f"```yaml\n{shipped.read_text(encoding='utf-8')}```\n"


def metrics() -> str:
    """The metrics of live mode with a store, labels and answers."""
    families = text_string_to_metric_families(exposition(usual()).decode())
    return _table(
        ("metric", "type", "labels", "meaning"),
        (
            (
                f"`{one.name}{'_total' if one.type == 'counter' else ''}`",
                one.type,
                ", ".join(f"`{name}`" for name in one.samples[0].labels) if one.samples else "",
                one.documentation,
            )
            for one in families
        ),
    )


def glossary() -> str:
    """The terms of pages and reports, each with an anchor of its own."""
    sections = terms_by_section()
    return "\n".join(
        (
            _terms(sections["concepts"], ""),
            "## Causes of disagreement\n",
            _terms(sections["causes"], "cause-"),
            "## Why a mail session has no addresses\n",
            _terms(sections["empty_causes"], "empty-"),
            "## Losses of the funnel\n",
            _terms(sections["losses"], "loss-"),
        )
    )


def _terms(terms: Terms, prefix: str) -> str:
    return (
        "\n".join(
            f'<dl class="terms" markdown><dt id="{prefix}{term.split(",")[0].replace(" ", "-")}">'
            f"{term}</dt><dd>{meaning}</dd></dl>"
            for term, meaning in terms.items()
        )
        + "\n"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
