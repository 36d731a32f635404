"""The template environment of MailTap's pages. All text goes through its escaping."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mailtap.printable import printable
from mailtap.report.glossary import glossary

#: What a page and a terminal show for a value that is not known.
UNSET = "\N{EN DASH}"

#: For a figure that the sources of sessions don't say: it is no zero.
NOT_KNOWN = "n/a"


def environment(package: str) -> Environment:
    """Templates of a package's folder `assets`, and of this package's."""
    made = Environment(
        loader=ChoiceLoader(
            [PackageLoader(package, "assets"), PackageLoader("mailtap.report", "assets")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_final,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": _number, "percent": _percent, "moment": moment}
    made.globals["glossary"] = glossary()
    return made


def asset(package: str, name: str) -> str:
    return files(package).joinpath("assets", name).read_text(encoding="utf-8")


def _final(value: object) -> object:
    """What the template puts out for a value; text of logs is escaped after this."""
    if value is None:
        return UNSET
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value)
    return value


def _number(value: int | None) -> str:
    return NOT_KNOWN if value is None else f"{value:,}"


def _percent(share: float | None, digits: int = 1) -> str:
    return UNSET if share is None else f"{share:.{digits}%}"


def moment(seconds: float | None) -> str:
    """A time in UTC; what isn't one is shown as the number it is."""
    if seconds is None:
        return UNSET
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:g}"
