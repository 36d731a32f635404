"""The `mailtap` command. Each subcommand is imported when it is called: they pull in much."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version

import click

_COMMANDS = {
    "analyze": "Captures to a report: which sessions are mail, and what was seen of them.",
    "completion": "Print the script by which a shell completes mailtap's commands.",
    "doctor": "Say what is there of what MailTap can use, and how to mend what is missing.",
    "labels": "Print a third-party label file in normal form.",
    "live": "Correlate live sessions with labels; serve a page and metrics.",
    "report": "Sessions and labels that exist already, to a report.",
    "store": "List or search what live mode keeps, also while it runs.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"mailtap.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("mailtap"), prog_name="mailtap")
def main() -> None:
    """Mail sessions a sensor sees half of, and how far its decoding agrees with a DPI engine."""
