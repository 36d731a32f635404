"""What the label names in a table mean, as a table to join it with."""

from __future__ import annotations

import duckdb

from mailtap.policy import Policy

MEANINGS = "mailtap_meanings"
MAX_NAMES = 1 << 16


class TooManyNamesError(Exception):
    """More different label names than an engine has: a wrong column, most likely."""


def stage_meanings(
    connection: duckdb.DuckDBPyConnection, names: str, engine: str, named: str, policy: Policy
) -> None:
    """Create table `mailtap_meanings` for `names`, SQL of columns name and evidence.

    Names are few: the policy is asked once for each, not for every row. `named` is the file, for
    TooManyNamesError.
    """
    said = connection.execute(
        f"SELECT DISTINCT name, evidence FROM ({names}) LIMIT {MAX_NAMES + 1}"
    ).fetchall()
    if len(said) > MAX_NAMES:
        raise TooManyNamesError(f"{named}: more than {MAX_NAMES} different label names")
    meanings = [policy.meaning(engine, name, evidence) for name, evidence in said]
    columns: dict[str, tuple[str, list[object]]] = {
        "name": ("VARCHAR", [name for name, _ in said]),
        "evidence": ("VARCHAR", [evidence for _, evidence in said]),
        "app": ("VARCHAR", [meaning.app for meaning in meanings]),
        "protocol": ("VARCHAR", [meaning.protocol for meaning in meanings]),
        "encryption": ("VARCHAR", [meaning.encryption for meaning in meanings]),
        "carrier": ("VARCHAR", [meaning.carrier for meaning in meanings]),
        "provenance": ("VARCHAR", [meaning.provenance for meaning in meanings]),
        "is_label": ("BOOLEAN", [meaning.is_label for meaning in meanings]),
    }
    selected = ", ".join(
        f"unnest(${name}::{kind}[]) AS {name}" for name, (kind, _) in columns.items()
    )
    connection.execute(
        f"CREATE TABLE {MEANINGS} AS SELECT {selected}",
        {name: values for name, (_, values) in columns.items()},
    )
