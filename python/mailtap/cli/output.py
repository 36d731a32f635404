"""How commands print reports, warnings and errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from mailtap.api import Report
from mailtap.errors import MailTapError
from mailtap.files import STANDARD, written
from mailtap.printable import printable
from mailtap.report import text
from mailtap.report.json import to_json

#: Columns of tables that go to a pipe or a file: more than any has, so that none is cut.
_WHOLE = 10_000


def check_standard_output(*, as_json: bool, **files: Path | None) -> None:
    """Raises click.UsageError where two things are to go to standard output; `files` are those of
    the options of that name.
    """
    if [as_json, *(file == STANDARD for file in files.values())].count(True) > 1:
        options = " and ".join(["--json", *(f"--{name} -" for name in files)])
        raise click.UsageError(f"only one of {options} can have the output")


def print_report(
    report: Report, *, as_json: bool, html: Path | None, sessions: Path | None
) -> None:
    """Prints the report, and writes what else is asked for; what goes to `-` is printed alone.

    Raises MailTapError.
    """
    warn(report.figures.warnings)
    if sessions is not None:
        report.write_sessions(sessions)
    if html is not None:
        with written(html) as file:
            file.write_text(report.to_html(), encoding="utf-8")
    if as_json:
        click.echo(to_json(report.figures), nl=False)
    elif STANDARD not in (html, sessions):
        text.render(report.figures, console())


def console() -> Console:
    """The terminal; what goes elsewhere is not cut to a width."""
    found = Console()
    return found if found.is_terminal else Console(width=_WHOLE)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Ends the command with exit status 1 and one line that says what was wrong."""
    try:
        yield
    except MailTapError as error:
        raise click.ClickException(printable(str(error))) from None


def warn(warnings: Iterable[str]) -> None:
    """One line each on standard error."""
    for warning in warnings:
        click.echo(f"Warning: {printable(warning)}", err=True)
