"""The query engine that sessions and labels are loaded into."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

from mailtap.records.key import create_macros

MEMORY_LIMIT = "3GiB"


@contextmanager
def open_database(memory_limit: str = MEMORY_LIMIT) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database in memory, which spills to disk beyond `memory_limit`."""
    with tempfile.TemporaryDirectory(prefix="mailtap-") as spill:
        connection = duckdb.connect(
            config={
                "memory_limit": memory_limit,
                "temp_directory": spill,
                "preserve_insertion_order": False,
                # Nothing is fetched from the network, and no code loaded that isn't built in.
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        try:
            connection.execute("SET TimeZone = 'UTC'")
            # Drawn by default once a query takes long; the command's own progress is enough. In a
            # notebook without ipywidgets it can't be drawn, and not be turned off either.
            with suppress(duckdb.InvalidInputException):
                connection.execute("SET enable_progress_bar = false")
            create_macros(connection)
            yield connection
        finally:
            connection.close()


def lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Has no later query change a setting. Loading files needs to; what follows doesn't."""
    connection.execute("SET lock_configuration = true")
