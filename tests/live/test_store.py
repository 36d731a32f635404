"""The store: what is in it, what a killed run and a full disk leave, and how a run goes on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from mailtap.live.store.schema import StoreError
from mailtap.live.store.writer import Store
from mailtap.records.database_copy import open_to_read
from mailtap.report.model import Agreement, EngineAgreement
from records import label, session
from running import append, running, until
from stand_in import StandIn, frame

Counts = dict[str, int]


def counts(path: Path) -> Counts:
    with duckdb.connect(str(path), read_only=True) as store:
        (row,) = store.execute(
            "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM labels), "
            "(SELECT count(*) FROM judgements), (SELECT coalesce(sum(missed), 0) FROM gaps)"
        ).fetchall()
    return dict(zip(("sessions", "labels", "judgements", "missed"), row, strict=True))


def has_uid(store: Path, uid: str) -> bool:
    with open_to_read(store) as database:
        return bool(database.execute("SELECT 1 FROM sessions WHERE uid = ?", [uid]).fetchall())


def live_command(url: str, labels: Path, store: Path, *prefix: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "mailtap", "live", "--sensor", url]
    return subprocess.Popen(
        [*prefix, *command, "--labels", str(labels), "--store", str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_sessions_labels_and_verdicts_are_kept(tmp_path: Path) -> None:
    labels, store = tmp_path / "labels.jsonl", tmp_path / "live.duckdb"
    append(labels, [label(n) for n in range(1, 8)])

    async def scenario() -> None:
        async with StandIn() as zeek, running([zeek.url], [labels], store) as mode:
            await zeek.connected()
            await zeek.send(frame(session(n)) for n in (1, 2, 3, 6, 7, 8))
            await until(mode, lambda state: state.matched == 5)

    asyncio.run(scenario())
    assert counts(store) == {"sessions": 6, "labels": 7, "judgements": 5, "missed": 2}


def test_a_run_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    labels, store = tmp_path / "labels.jsonl", tmp_path / "live.duckdb"
    append(labels, [label(1)])

    async def first(zeek: StandIn) -> None:
        async with running([zeek.url], [labels], store) as mode:
            await zeek.connected()
            await zeek.send([frame(session(1)), frame(session(2))])
            await until(mode, lambda state: state.matched == 1)

    async def second(zeek: StandIn) -> None:
        append(labels, [label(2)])
        async with running([zeek.url], [labels], store) as mode:
            state = await until(mode, lambda state: state.matched == 2)
            assert (state.sessions, state.labels, state.waiting) == (2, 2, 0)
            assert state.by_engine == (EngineAgreement("jsonl", Agreement(2, 2, 0, 0)),)
            await zeek.connected()
            await zeek.send([frame(session(5))])
            state = await until(mode, lambda state: state.sessions == 3)
            assert state.sensors[0].lost == 2

    async def scenario() -> None:
        async with StandIn() as zeek:
            await first(zeek)
            await second(zeek)

    asyncio.run(scenario())
    assert counts(store) == {"sessions": 3, "labels": 2, "judgements": 2, "missed": 2}


def test_killed_at_any_point_it_goes_on_and_counts_what_it_missed(tmp_path: Path) -> None:
    labels, store = tmp_path / "labels.jsonl", tmp_path / "live.duckdb"
    append(labels, [label(n) for n in range(1, 6_001)])

    async def scenario() -> None:
        sent = 0
        async with StandIn() as zeek:
            for rounds in range(3):
                live = live_command(zeek.url, labels, store)
                await zeek.connected()
                until_when = time.monotonic() + 2.0 + 0.37 * rounds
                while time.monotonic() < until_when:
                    await zeek.send(frame(session(n)) for n in range(sent + 1, sent + 21))
                    sent += 20
                    await asyncio.sleep(0.02)
                live.kill()
                await asyncio.to_thread(live.communicate)
                await zeek.gone()
            live = live_command(zeek.url, labels, store)
            await zeek.connected()
            sent += 1
            await zeek.send([frame(session(sent))])
            async with asyncio.timeout(60):
                while not await asyncio.to_thread(has_uid, store, f"C{sent}"):
                    await asyncio.sleep(0.1)
            live.send_signal(signal.SIGTERM)
            _, said = await asyncio.to_thread(live.communicate)
            assert (live.returncode, said) == (0, "")
        kept = counts(store)
        with duckdb.connect(str(store), read_only=True) as database:
            ((first, doubles),) = database.execute(
                "SELECT min(uid[2:]::INTEGER), count(*) - count(DISTINCT uid) FROM sessions"
            ).fetchall()
        assert store.stat().st_mode & 0o077 == 0
        # Of what came before the first batch was written nobody knows.
        assert kept["sessions"] + kept["missed"] == sent - (first - 1)
        assert kept["labels"] == 6_000
        assert doubles == 0

    asyncio.run(scenario())


def test_a_full_disk_is_one_clear_line_and_no_damage(tmp_path: Path) -> None:
    """The disk is full for files of more than eight megabytes."""
    labels, store = tmp_path / "labels.jsonl", tmp_path / "live.duckdb"
    append(labels, [label(n) for n in range(1, 1_001)])

    async def scenario() -> None:
        async with StandIn() as zeek:
            limited = ("sh", "-c", 'ulimit -f 16384 && exec "$@"', "sh")
            live = live_command(zeek.url, labels, store, *limited)
            await zeek.connected()
            for first in range(1, 40_001, 1_000):
                await zeek.send(
                    frame(session(n, subject=os.urandom(100).hex()))
                    for n in range(first, first + 1_000)
                )
                await asyncio.sleep(0.2)
            assert live.stdout is not None
            await asyncio.to_thread(next, (line for line in live.stdout if str(store) in line))
            live.send_signal(signal.SIGTERM)
            _, said = await asyncio.to_thread(live.communicate)
        ended.append((live.returncode, said))

    ended: list[tuple[int, str]] = []
    asyncio.run(scenario())
    ((status, said),) = ended
    kept = counts(store)
    assert 0 < kept["sessions"] <= 40_000
    if status == 0:  # taken over into the file it is smaller than in the log, and had room
        with duckdb.connect(str(store), read_only=True) as database:
            ((last,),) = database.execute("SELECT max(uid[2:]::INTEGER) FROM sessions").fetchall()
        assert kept["sessions"] + kept["missed"] == last
    else:
        assert (status, said.count("\n")) == (1, 1)
        assert said.startswith("Error: not everything is stored: ")


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.duckdb"
    other.write_text(json.dumps({"a": "file"}))
    with pytest.raises(StoreError, match=r"other\.duckdb"):
        Store(other, ())
    assert other.read_text() == json.dumps({"a": "file"})


def test_a_store_in_use_is_refused_with_one_line(tmp_path: Path) -> None:
    path = tmp_path / "live.duckdb"
    store = Store(path, ())
    said = subprocess.run(
        [sys.executable, "-m", "mailtap", "live", "--sensor", "ws://127.0.0.1:1", "--store", path],
        capture_output=True,
        text=True,
        check=False,
    )
    store.close()
    assert said.returncode == 1
    assert said.stderr.startswith("Error: ")
    assert said.stderr.count("\n") == 1
