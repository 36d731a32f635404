"""How commands put out a report, and what they say on standard error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import duckdb
from rich.console import Console

from mailtap.printable import printable
from mailtap.report import text
from mailtap.report.html import to_html
from mailtap.report.json import to_json
from mailtap.report.model import Report


def print_report(report: Report, *, as_json: bool, html: Path | None) -> None:
    """Prints the report, and writes the page if it is asked for. Raises click.ClickException."""
    if html is not None:
        page = to_html(report)
        with writing(html):
            html.write_text(page, encoding="utf-8")
    if as_json:
        click.echo(to_json(report), nl=False)
    else:
        text.render(report, Console())


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what goes wrong with writing a file into one line. Raises click.ClickException."""
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{printable(str(path))}: {error.strerror}") from None
    except duckdb.IOException:
        raise click.ClickException(f"{printable(str(path))}: can't be written") from None


def warn(warnings: Iterable[str]) -> None:
    """One line each on standard error."""
    for warning in warnings:
        click.echo(f"Warning: {printable(warning)}", err=True)
