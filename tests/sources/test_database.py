"""The database that logs of others are read into."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from mailtap.live.store.schema import open_store
from mailtap.records.database import lock, open_database
from mailtap.records.database_copy import open_to_read


def settings(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, ...]]:
    return connection.execute(
        "SELECT DISTINCT value FROM duckdb_settings() "
        "WHERE name IN ('autoinstall_known_extensions', 'autoload_known_extensions')"
    ).fetchall()


def test_no_code_is_fetched_or_loaded(tmp_path: Path) -> None:
    store = tmp_path / "live.duckdb"
    with open_database() as connection:
        assert settings(connection) == [("false",)]
    with open_store(store) as connection:
        assert settings(connection) == [("false",)]
    with open_to_read(store) as connection:
        assert settings(connection) == [("false",)]


def test_no_query_changes_a_setting_after_loading() -> None:
    with open_database() as connection:
        lock(connection)
        with pytest.raises(duckdb.Error, match="locked"):
            connection.execute("SET autoload_known_extensions = true")
