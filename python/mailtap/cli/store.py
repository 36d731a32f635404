"""`mailtap store`: what live mode keeps in its store, as JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mailtap.printable import printable
from mailtap.records.database_copy import open_to_read


@click.command()
@click.argument("store", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.argument("what", type=click.Choice(["sessions", "labels"]), default="sessions")
@click.option("--uid", metavar="UID", help="Only the session of this uid.")
@click.option("--address", metavar="ADDRESS", help="Only records with this address at either end.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Only records with this port.")
@click.option(
    "--since", type=float, metavar="EPOCH", help="Only records that started then or later."
)
@click.option("--until", type=float, metavar="EPOCH", help="Only records that started before.")
@click.option("--verdict", metavar="VERDICT", help="Only sessions with this verdict.")
@click.option("--cause", metavar="CAUSE", help="Only sessions with this cause.")
def store(
    store: Path,
    what: str,
    uid: str | None,
    address: str | None,
    port: int | None,
    since: float | None,
    until: float | None,
    verdict: str | None,
    cause: str | None,
) -> None:
    """List or search a store of `mailtap live`, also while live mode runs.

    Prints a JSON object a line: sessions with their verdict, or labels in the form that --labels
    reads, those of nfstream:INTERFACE too.
    """
    import duckdb

    from mailtap.live.state import Search
    from mailtap.live.store.listing import LISTINGS

    if what == "labels" and (uid or verdict or cause):
        raise click.UsageError("--uid, --verdict and --cause are of sessions")
    search = Search(uid, address, port, since, until, verdict, cause)
    try:
        with open_to_read(store) as connection:
            for record in LISTINGS[what](connection, search):
                click.echo(json.dumps(record, ensure_ascii=False))
    except (duckdb.Error, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise click.ClickException(printable(f"{store}: {reason}")) from None
