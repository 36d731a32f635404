"""The labels of a table in normal form, as the policy reads their names: a table to join with."""

from __future__ import annotations

import duckdb

from mailtap.errors import MailTapError
from mailtap.policy import Policy

NORMAL_LABELS = "mailtap_normal_labels"
MAX_NAMES = 1 << 16


class TooManyNamesError(MailTapError):
    """More different label names than an engine has: a wrong column, most likely."""


def stage_normal_labels(
    connection: duckdb.DuckDBPyConnection, names: str, engine: str, named: str, policy: Policy
) -> None:
    """Create table `mailtap_normal_labels` for `names`, SQL of columns name and evidence.

    Names are few: the policy is asked once for each, not for every row. `named` is the file, for
    TooManyNamesError.
    """
    distinct = connection.execute(
        f"SELECT DISTINCT name, evidence FROM ({names}) LIMIT {MAX_NAMES + 1}"
    ).fetchall()
    if len(distinct) > MAX_NAMES:
        raise TooManyNamesError(f"{named}: more than {MAX_NAMES} different label names")
    normal = [policy.normal_label(engine, name, evidence) for name, evidence in distinct]
    columns: dict[str, tuple[str, list[object]]] = {
        "name": ("VARCHAR", [name for name, _ in distinct]),
        "evidence": ("VARCHAR", [evidence for _, evidence in distinct]),
        "app": ("VARCHAR", [label.app for label in normal]),
        "protocol": ("VARCHAR", [label.protocol for label in normal]),
        "encryption": ("VARCHAR", [label.encryption for label in normal]),
        "carrier": ("VARCHAR", [label.carrier for label in normal]),
        "provenance": ("VARCHAR", [label.provenance for label in normal]),
        "is_label": ("BOOLEAN", [label.is_label for label in normal]),
    }
    selected = ", ".join(
        f"unnest(${name}::{kind}[]) AS {name}" for name, (kind, _) in columns.items()
    )
    connection.execute(
        f"CREATE TABLE {NORMAL_LABELS} AS SELECT {selected}",
        {name: values for name, (_, values) in columns.items()},
    )
