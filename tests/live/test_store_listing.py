"""The store is read while live mode writes it: listed, searched, and its labels used again."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from mailtap.cli.store import store as command
from mailtap.live.state import Search
from mailtap.live.store import schema
from mailtap.live.store.schema import open_store
from mailtap.records import database_copy
from mailtap.records.database_copy import open_to_read
from records import client, label, session
from running import append, running, until
from stand_in import StandIn, frame


def listed(store: Path, *arguments: str) -> list[dict[str, object]]:
    """By a process of its own, as live mode's process may open its store again."""
    found = subprocess.run(
        [sys.executable, "-m", "mailtap", "store", store, *arguments],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    return [json.loads(line) for line in found.stdout.splitlines()]


def test_sessions_and_labels_are_found_while_live_mode_runs(tmp_path: Path) -> None:
    labels, store = tmp_path / "labels.jsonl", tmp_path / "live.duckdb"
    append(labels, [label(1), label(2, app="imap")])

    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url], [labels], store) as mode:
            await zeek.connected()
            await zeek.send(frame(session(n)) for n in (1, 2, 3))
            await until(mode, lambda state: state.store is not None and state.store.stored == 3)
            await asyncio.to_thread(searched)
            found = await mode.stored("sessions", Search(uid="C2"), 10)
            assert [one["cause"] for one in found or ()] == ["conflict"]

    def searched() -> None:
        assert [one["uid"] for one in listed(store)] == ["C1", "C2", "C3"]
        assert [one["verdict"] for one in listed(store, "--uid", "C1")] == ["consistent"]
        assert [one["uid"] for one in listed(store, "--verdict", "inconsistent")] == ["C2"]
        assert [one["uid"] for one in listed(store, "--address", client(3))] == ["C3"]
        assert listed(store, "--since", "1700000002.5")[0]["uid"] == "C3"
        again = tmp_path / "again.jsonl"
        append(again, listed(store, "labels"))
        assert [one["app"] for one in listed(store, "labels")] == ["smtp", "imap"]

    asyncio.run(scenario())

    async def with_exported_labels() -> None:
        async with StandIn() as zeek, running([zeek.url], [tmp_path / "again.jsonl"]) as mode:
            await zeek.connected()
            await zeek.send(frame(session(n)) for n in (1, 2, 3))
            state = await until(mode, lambda state: state.matched == 2)
            assert (state.consistent.n, state.inconsistent.n) == (1, 1)

    asyncio.run(with_exported_labels())


def test_what_is_read_is_always_what_one_commit_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while the log is taken over into the file, over and over."""
    monkeypatch.setattr(schema, "LOG", "64KB")
    monkeypatch.setattr(database_copy, "PAUSE", 0.02)
    path = tmp_path / "live.duckdb"
    connection = open_store(path)
    ended = threading.Event()

    def write() -> None:
        number = 0
        while not ended.is_set():
            connection.begin()
            connection.execute(
                "INSERT INTO sessions BY NAME SELECT range AS session_id, md5(range::VARCHAR) "
                f"AS uid FROM range({number}, {number + 500})"
            )
            number += 500
            connection.execute("DELETE FROM counts")
            connection.execute("INSERT INTO counts VALUES (?, 0, 0, 0)", [number])
            connection.commit()

    writing = threading.Thread(target=write)
    writing.start()
    try:
        seen = []
        for _ in range(10):
            # As from another process: DuckDB would share the file within one.
            copy = tmp_path / "copy.duckdb"
            with duckdb.connect(str(database_copy.copied(path, copy))) as read:
                (row,) = read.execute(
                    "SELECT (SELECT count(*) FROM sessions), "
                    "(SELECT coalesce(sum(sessions), 0) FROM counts)"
                ).fetchall()
            seen.append(row)
            copy.unlink()
    finally:
        ended.set()
        writing.join()
        connection.close()
    assert all(sessions == counted for sessions, counted in seen)
    assert seen[-1][0] > 0


def test_a_file_that_is_no_store_is_refused_with_one_line(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("nothing")
    found = CliRunner().invoke(command, [str(other)])
    assert found.exit_code == 1
    assert found.output.startswith("Error: ")
    assert found.output.count("\n") == 1
    with pytest.raises(duckdb.Error), open_to_read(other):
        pass
