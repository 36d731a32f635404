from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mailtap.policy import Policy, load_policy
from mailtap.records.database import open_database
from mailtap.sessions import SessionsLoaded, load

Loaded = tuple[list[dict[str, Any]], SessionsLoaded]


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load_policy()


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_database() as connection:
        yield connection


@pytest.fixture
def loaded(connection: duckdb.DuckDBPyConnection, policy: Policy) -> Callable[..., Loaded]:
    """Loads sources and gives the rows of table `sessions`, ordered by uid and time."""

    def load_sources(*paths: Path, policy: Policy = policy) -> Loaded:
        report = load(connection, paths, policy)
        result = connection.execute("SELECT * FROM sessions ORDER BY uid, ts, session_id")
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()], report

    return load_sources
