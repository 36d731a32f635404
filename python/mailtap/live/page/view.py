"""A snapshot as the page and its sections."""

from __future__ import annotations

import hashlib

from jinja2 import Template
from markupsafe import Markup

from mailtap.accuracy.actions import GUESS
from mailtap.live.state import Snapshot
from mailtap.report.charts import (
    TIMELINE_HEIGHT,
    TIMELINE_WIDTH,
    matrix_map,
    timeline,
)
from mailtap.report.glossary import explained_losses, glossary
from mailtap.report.headline import headline, headline_of_base
from mailtap.report.model import Example
from mailtap.report.templates import (
    UNSET,
    asset,
    environment,
)

_PACKAGE = "mailtap.live.page"

#: The page's parts that change, by the id of their element.
SECTIONS = (
    "agreement",
    "funnel",
    "causes",
    "timeline",
    "tls",
    "sensors",
    "matrix",
    "disagreements",
    "join",
)

#: Of the latest disagreements, those that are listed.
MAXIMUM_LISTED = 50

STYLE = asset("mailtap.report", "page.css") + asset(_PACKAGE, "live.css")
SCRIPT = asset(_PACKAGE, "live.js")


class View:
    def __init__(self) -> None:
        made = environment(_PACKAGE)
        made.filters["decimal"] = _decimal
        self._page = made.get_template("live.html")
        self._sign_in = made.get_template("sign-in.html")
        self._sections: dict[str, Template] = {
            name: made.get_template(f"sections/{name}.html") for name in SECTIONS
        }

    def sections(self, now: Snapshot) -> dict[str, str]:
        """The inner HTML of each section, all text in it escaped."""
        shown = {
            "now": now,
            "bars": timeline(sorted(now.timeline, key=lambda window: window.start)),
            "size": (TIMELINE_WIDTH, TIMELINE_HEIGHT),
            "map": matrix_map(cell for cell in now.matrix if cell.n),
            "headline": headline(now.both_decoded),
            "headline_of_base": headline_of_base(now.base) if now.base else "",
            "guesses": [action for action in now.actions if action["cause"] == GUESS],
            "explained_losses": explained_losses(),
            "nodes": [(one.sensor, one.agreement) for one in now.by_sensor],
            "engines": [(one.engine, one.agreement) for one in now.by_engine],
            "step_names": glossary()["steps"],
            "disagreements": [(one, _key(one)) for one in now.disagreements[:MAXIMUM_LISTED]],
        }
        return {name: template.render(shown) for name, template in self._sections.items()}

    def page(self, now: Snapshot) -> str:
        return self._page.render(
            sections={name: Markup(html) for name, html in self.sections(now).items()},  # noqa: S704
            store=now.store,
        )

    def sign_in(self, *, refused: bool) -> str:
        return self._sign_in.render(refused=refused)


def _decimal(value: float | None, digits: int) -> str:
    return UNSET if value is None else f"{value:,.{digits}f}"


def _key(one: Example) -> str:
    """The same for a session as long as it is listed, and fit for an element's id."""
    identity = (one.ts, one.uid, one.community_id, one.client, one.server)
    return hashlib.sha256(repr(identity).encode()).hexdigest()[:16]
