"""`mailtap doctor`: what is there, what is missing, and the command that mends it."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.table import Table
from rich.text import Text

from mailtap.cli.options import json_option
from mailtap.cli.output import console
from mailtap.doctor import Finding, examine
from mailtap.printable import printable

_STATES = {True: "ok", False: "missing", None: "unknown"}


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Say what is there of what MailTap can use, and how to mend what is missing.

    Not everything has to be there: the table says what each is needed for.
    """
    findings = list(examine())
    if as_json:
        click.echo(json.dumps({"findings": [asdict(finding) for finding in findings]}, indent=2))
        return
    table = Table("", "state", "found", "needed for", "to mend it", show_edge=False)
    for finding in findings:
        table.add_row(*(Text(printable(text)) for text in _row(finding)))
    console().print(table)


def _row(finding: Finding) -> tuple[str, ...]:
    return (
        finding.name,
        _STATES[finding.ok],
        finding.detail,
        finding.needed_for,
        finding.remedy,
    )
