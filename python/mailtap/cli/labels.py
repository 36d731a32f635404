"""`mailtap labels`: a label file in normal form."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import duckdb
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mailtap.cli.options import json_option, policy_option
from mailtap.cli.output import check_standard_output, one_line_errors, warn
from mailtap.files import StandardInput, check_standard_input, written
from mailtap.labels import LabelFile, LabelsLoaded, load
from mailtap.labels.table import COLUMNS, NORMAL_FORM
from mailtap.policy import load_policy
from mailtap.records.database import open_database
from mailtap.records.parquet import write_parquet

BATCH_ROWS = 1024

ALL = ", ".join(f'"{name}"' for name in COLUMNS)

# What the terminal shows of a label; --json shows all.
SHOWN = {
    "Start (UTC)": "strftime(make_timestamp((start * 1000000)::BIGINT), '%Y-%m-%d %H:%M:%S')",
    "Source": "concat_ws(' ', src_ip, src_port)",
    "Destination": "concat_ws(' ', dst_ip, dst_port)",
    "Label": "name",
    "NormalLabel": "app",
    "Encryption": "encryption",
    "Provenance": "CASE WHEN is_label THEN provenance ELSE 'no label' END",
}


# `-:FORMAT` is standard input, and no option.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("file", metavar="FILE[:FORMAT]")
@policy_option
@json_option
@click.option(
    "--parquet",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Write the labels to a Parquet file, which --labels takes again.",
)
def labels(file: str, policy: Path | None, as_json: bool, parquet: Path | None) -> None:
    """Print a third-party label file, or a folder of them, in normal form.

    On a terminal as a table; elsewhere as tab-separated values with a line of names, every field of
    every label. `-` is standard input.
    """
    check_standard_output(as_json=as_json, parquet=parquet)
    with (
        one_line_errors(),
        TemporaryDirectory(prefix="mailtap-") as folder,
        open_database() as connection,
    ):
        named = LabelFile.parse(file)
        check_standard_input([named.path, policy])
        named = replace(named, path=StandardInput(Path(folder)).file(named.path))
        loaded = load(connection, [named], load_policy(policy))
        warn(loaded.warnings)
        if parquet is not None:
            with written(parquet) as target:
                write_parquet(connection, NORMAL_FORM, target)
        if as_json:
            _print_json(connection, loaded)
        elif parquet is not None:
            for line in _summaries(loaded):
                click.echo(line, err=True)
        elif sys.stdout.isatty():
            _print_table(connection, loaded)
        else:
            _print_lines(connection)
            for line in _summaries(loaded):
                click.echo(line, err=True)


def _rows(
    connection: duckdb.DuckDBPyConnection, columns: str
) -> tuple[list[str], Iterator[Sequence[object]]]:
    result = connection.execute(f"SELECT {columns} FROM labels ORDER BY label_id")
    names = [str(column[0]) for column in result.description or ()]

    def rows() -> Iterator[Sequence[object]]:
        while batch := result.fetchmany(BATCH_ROWS):
            yield from batch

    return names, rows()


def _print_json(connection: duckdb.DuckDBPyConnection, loaded: LabelsLoaded) -> None:
    """One document, written row by row: a file may have more labels than memory."""
    names, rows = _rows(connection, ALL)
    head = {
        "complete": loaded.complete,
        "files": [
            {
                "file": file.file,
                "format": file.form,
                "labels": file.labels,
                "other": file.other,
                "malformed": file.malformed,
            }
            for file in loaded.files
        ],
    }
    click.echo(json.dumps(head)[:-1] + ', "labels": [', nl=False)
    separator = "\n"
    for row in rows:
        click.echo(separator + json.dumps(dict(zip(names, row, strict=True))), nl=False)
        separator = ",\n"
    click.echo("\n]}")


def _print_table(connection: duckdb.DuckDBPyConnection, loaded: LabelsLoaded) -> None:
    console = Console()
    columns = ", ".join(f'{expression} AS "{name}"' for name, expression in SHOWN.items())
    names, rows = _rows(connection, columns)
    while batch := list(islice(rows, BATCH_ROWS)):
        table = Table(*names)
        for row in batch:
            # Text, not str: a label's name is never markup.
            table.add_row(*(Text("" if value is None else str(value)) for value in row))
        console.print(table)
    for line in _summaries(loaded):
        console.print(Text(line))


def _print_lines(connection: duckdb.DuckDBPyConnection) -> None:
    """Texts of labels have no control characters: a tab is always a separator."""
    names, rows = _rows(connection, ALL)
    click.echo("\t".join(names))
    for row in rows:
        click.echo("\t".join("" if value is None else str(value) for value in row))


def _summaries(loaded: LabelsLoaded) -> Iterator[str]:
    for file in loaded.files:
        counted = f"{file.form}, {file.labels} labels, {file.other} records not about TCP"
        yield f"{file.file}: {counted}, {file.malformed} malformed lines"
