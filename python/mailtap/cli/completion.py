"""`mailtap completion`: the script by which a shell completes commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes mailtap's commands in a shell.

    For bash, add to ~/.bashrc: eval "$(mailtap completion bash)"
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"click has no completion for {shell}")
    command = context.find_root().command
    click.echo(kind(command, {}, "mailtap", "_MAILTAP_COMPLETE").source())
