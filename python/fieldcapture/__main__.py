"""`python -m fieldcapture`: writes a field capture."""

from __future__ import annotations

from pathlib import Path

import click

from .capture import write_capture
from .makeup import COLUMNS, Makeup, with_bulk
from .makeup_file import MakeupError, read_makeup


def _makeup(_context: click.Context, _parameter: click.Parameter, value: str) -> Makeup:
    if value in COLUMNS:
        return COLUMNS[value]()
    try:
        return read_makeup(Path(value))
    except MakeupError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The capture to write.",
)
@click.option(
    "--truth", type=click.Path(dir_okay=False, path_type=Path), help="Its sessions, as JSON lines."
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option(
    "--makeup",
    default="port25",
    show_default=True,
    callback=_makeup,
    metavar="|".join((*COLUMNS, "FILE.yaml")),
    help="What it is made of.",
)
@click.option(
    "--bulk", is_flag=True, help="Much TLS after each upgrade: port25 comes to about 214 MB."
)
def main(out: Path, truth: Path | None, seed: int, makeup: Makeup, bulk: bool) -> None:
    """Write a capture of mail sessions as a tap sees them, from one side mostly."""
    try:
        sessions = write_capture(with_bulk(makeup) if bulk else makeup, seed, out, truth)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    click.echo(f"{out}: {len(sessions)} sessions", err=True)


if __name__ == "__main__":
    main(prog_name="python -m fieldcapture")
