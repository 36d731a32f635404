"""The report as one self-contained page: no network, no file beside it.

The page's policy (CSP) allows the style sheet and the script that are in it, by their hashes, and
nothing else.
"""

from __future__ import annotations

import base64
import hashlib

from markupsafe import Markup

from mailtap.accuracy.actions import GUESS
from mailtap.report.charts import (
    TIMELINE_HEIGHT,
    TIMELINE_WIDTH,
    HeatMap,
    direction_map,
    matrix_map,
    port_map,
    timeline,
)
from mailtap.report.headline import headline, headline_of_base, other_actions
from mailtap.report.meanings import CAUSES, STEPS
from mailtap.report.model import Consistency, Report
from mailtap.report.templates import (
    asset,
    environment,
)

_PACKAGE = "mailtap.report"


def to_html(report: Report) -> str:
    """The page."""
    style, script = asset(_PACKAGE, "page.css"), asset(_PACKAGE, "page.js")
    return (
        environment(_PACKAGE)
        .get_template("page.html")
        .render(
            report=report,
            consistency=report.consistency,
            style=Markup(style),  # noqa: S704 -- MailTap's own, and so is the script
            script=Markup(script),  # noqa: S704
            style_hash=_hash(style),
            script_hash=_hash(script),
            maps=_heat_maps(report.consistency) if report.consistency else (),
            timeline=timeline(report.consistency.by_window) if report.consistency else (),
            timeline_size=(TIMELINE_WIDTH, TIMELINE_HEIGHT),
            headline=headline(report.consistency.both_decoded) if report.consistency else "",
            headline_of_base=headline_of_base(report.base) if report.base else "",
            guesses=[action for action in report.actions if action["cause"] == GUESS],
            other_actions=other_actions(report),
            meanings=CAUSES,
            step_names=STEPS,
        )
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _heat_maps(consistency: Consistency) -> tuple[tuple[str, HeatMap], ...]:
    return (
        ("What the labels say, and what was decoded", matrix_map(consistency.matrix)),
        ("By server port", port_map(consistency.by_port)),
        ("By the side seen", direction_map(consistency.by_direction)),
    )
