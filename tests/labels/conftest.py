from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from label_rows import Row, rows
from mailtap.labels import LabelFile, LabelsLoaded, load
from mailtap.policy import Policy, load_policy
from mailtap.records.database import open_database

Imported = tuple[list[Row], LabelsLoaded]


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load_policy()


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_database() as connection:
        yield connection


@pytest.fixture
def imported(
    connection: duckdb.DuckDBPyConnection, policy: Policy, tmp_path: Path
) -> Callable[..., Imported]:
    """Writes a label file, loads it and gives the rows of table `labels`."""

    def write_and_load(
        content: str | bytes, form: str | None = None, policy: Policy = policy
    ) -> Imported:
        path = tmp_path / "labels"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        loaded = load(connection, [LabelFile(path, form)], policy)
        return rows(connection), loaded

    return write_and_load
