"""Records of a file into a table: quickly where all is well, and with care where it isn't."""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from mailtap.records.malformed import Malformed, count, find_malformed, forget_rejects
from mailtap.records.record_file import UNREADABLE, quoted
from mailtap.records.selection import NotNativeError, Reading


def stage(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    rows: Callable[[Reading], str],
    first_line: int,
) -> Malformed:
    """Adds the records of a file to a table, which is made if it isn't there.

    `rows` is SQL of the records in a way of reading, with a column `bad` that is NULL where a line
    has none; `first_line` is the number of the first record's line. What is no record isn't added.
    Raises duckdb.Error, and has added nothing then.
    """
    if _read_natively(connection, table, rows):
        return Malformed(0, 0)
    _add(connection, table, rows(Reading.LINES))
    bad = count(connection, f"SELECT count(*) FROM {table} WHERE bad")
    _keep_records(connection, table)
    return find_malformed(connection, bad, rows(Reading.IN_ORDER), first_line)


def _read_natively(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Callable[[Reading], str]
) -> bool:
    """Whether that was possible, and nothing is malformed; else nothing was added."""
    try:
        query = rows(Reading.NATIVE)
    except NotNativeError:
        return False
    connection.execute("BEGIN")
    try:
        _add(connection, table, query)
        well = not count(connection, f"SELECT count(*) FROM {table} WHERE bad")
        if well:
            _keep_records(connection, table)
    except (*UNREADABLE, duckdb.ConversionException):  # the other reading says what is wrong
        well = False
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT" if well else "ROLLBACK")
    forget_rejects(connection)
    return well


def _add(connection: duckdb.DuckDBPyConnection, table: str, query: str) -> None:
    there = f"SELECT count(*) FROM duckdb_tables() WHERE table_name = {quoted(table)}"
    add = f"INSERT INTO {table}" if count(connection, there) else f"CREATE TABLE {table} AS"
    # What is no record is taken out afterwards: a condition here would have lines read twice.
    connection.execute(f"{add} {query}")


def _keep_records(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    others = f"FROM {table} WHERE bad IS DISTINCT FROM false"
    if count(connection, f"SELECT count(*) {others}"):
        connection.execute(f"DELETE {others}")
