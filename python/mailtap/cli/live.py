"""`mailtap live`: live sessions and labels, to verdicts, a page and metrics."""

from __future__ import annotations

from pathlib import Path

import click

from mailtap.cli.options import policy_option
from mailtap.printable import printable


@click.command()
@click.option(
    "--sensor",
    "sensors",
    metavar="URL",
    multiple=True,
    required=True,
    help="ws://HOST:PORT, wss://HOST:PORT or broker://HOST:PORT; may be given several times. "
    "A cluster is reached by its manager.",
)
@click.option(
    "--labels",
    "labels",
    metavar="[NAME=]SOURCE[:FORMAT]",
    multiple=True,
    help="Live labels of a DPI engine: a FILE that grows, - for standard input, "
    "tcp:HOST:PORT, unix:PATH, or nfstream:INTERFACE, called NAME in figures by engine; may be "
    "given several times.",
)
@click.option(
    "--store",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep sessions, labels and verdicts in a DuckDB file, and go on with it.",
)
@click.option("--listen", metavar="HOST:PORT", help="Serve the live page and the metrics.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="The token that the page asks for, required beyond loopback.",
)
@policy_option
@click.option("--answer", is_flag=True, help="Publish the verdicts to the sensors.")
@click.option(
    "--tls-ca",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Certificates (PEM) that sensors are verified with, instead of the system's.",
)
@click.option(
    "--tls-cert",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="The client's own certificate (PEM).",
)
@click.option(
    "--tls-key",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="The key of --tls-cert (PEM).",
)
@click.option(
    "--no-tls",
    is_flag=True,
    help="broker:// sensors have Broker::disable_ssl set.",
)
def live(
    sensors: tuple[str, ...],
    labels: tuple[str, ...],
    store: Path | None,
    listen: str | None,
    token_file: Path | None,
    policy: Path | None,
    answer: bool,
    tls_ca: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    no_tls: bool,
) -> None:
    """Correlate live sessions with labels; serve a page and metrics.

    Shows its state on a terminal; elsewhere prints a line every few seconds. Ends with Ctrl-C or
    SIGTERM.
    """
    try:
        from mailtap.live.sensors.transport import Tls
        from mailtap.live.service import ERRORS, run
    except ImportError as error:
        raise click.ClickException(
            f"mailtap live needs {error.name}: pip install 'mailtap[live]'"
        ) from None
    try:
        run(
            sensors,
            labels,
            store=store,
            listen=listen,
            token_file=token_file,
            policy_file=policy,
            answer=answer,
            tls=Tls(tls_ca, tls_cert, tls_key, no_tls),
        )
    except ERRORS as error:
        raise click.ClickException(printable(str(error))) from None
