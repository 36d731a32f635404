"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path)

labels_option = click.option(
    "--labels",
    "labels",
    metavar="[NAME=]FILE[:FORMAT]",
    multiple=True,
    help="Labels of a DPI engine, file or folder, called NAME in figures by engine; may be given "
    "several times.",
)
truth_option = click.option(
    "--truth",
    "truth",
    metavar="FILE[:FORMAT]",
    multiple=True,
    help="A mail server's own log, as the truth; may be given several times.",
)
policy_option = click.option(
    "--policy",
    type=_FILE,
    metavar="FILE",
    help="A YAML file laid over the shipped policy; - is standard input.",
)
json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON document, and nothing else, on standard output.",
)
html_option = click.option(
    "--html",
    type=_FILE,
    metavar="FILE",
    help="Write the report as one self-contained page; - is standard output.",
)
sessions_option = click.option(
    "--sessions",
    type=_FILE,
    metavar="FILE",
    help="Write the sessions, one JSON object a line, or as Parquet to a name in .parquet; - is "
    "standard output.",
)


def report_options(command: Command) -> Command:
    """The options of every command that makes a report."""
    for option in (
        sessions_option,
        html_option,
        json_option,
        policy_option,
        truth_option,
        labels_option,
    ):
        command = option(command)
    return command
