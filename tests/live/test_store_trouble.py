"""The store under trouble: a disk that fails, an older version, a policy that hides much."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from faults_client import Client
from mailtap.live.batches.records import Listed
from mailtap.live.core.correlator import Correlated
from mailtap.live.core.rows import Counts, Rows, count_rows, tally_rows
from mailtap.live.core.tally import Cell
from mailtap.live.store import schema, writer
from mailtap.live.store.schema import VERSION, StoreError, open_store
from mailtap.live.store.writer import Store
from records import label, session
from running import append, running, until
from stand_in import StandIn, frame


def eventually(condition: Callable[[], bool], patience: float = 60.0) -> None:
    ends = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < ends, "never came true"
        time.sleep(0.02)


def batch(first: int, n: int, came: int) -> Rows:
    """A batch of sessions, each of which the tally counts; `came` sessions in all by then."""
    rows = Rows()
    rows.add("sessions", Listed({"session_id": list(range(first, first + n))}))
    cell = Cell("zeek", "MAIL", "smtp", "payload", "consistent", 0, "addresses", None)
    rows.add("tally", tally_rows([(cell, 0, n)]))
    rows.add("counts", count_rows(Counts(sessions=came)))
    return rows


def test_a_store_that_fails_for_long_loses_the_oldest_records_and_no_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAXIMUM_WAITING", 100)
    monkeypatch.setattr(writer, "INTERVAL", 0.01)
    monkeypatch.setattr(writer, "RETRY", 0.01)
    path = tmp_path / "live.duckdb"
    store = Store(path, ())
    failing = True
    insert = Store._insert

    def insert_or_fail(self: Store, *arguments: object) -> None:
        if failing:
            raise duckdb.IOException("No space left on device")
        insert(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "_insert", insert_or_fail)
    store.start()
    for first in range(0, 200, 10):
        store.put(batch(first, 10, first + 10))
        if first in (50, 150):  # a try fails in between
            eventually(lambda: store.state().error is not None)
    eventually(lambda: store.state().discarded == 100)
    failing = False
    eventually(lambda: store.state().error is None and store.state().stored == 100)
    assert store.close() is None
    with duckdb.connect(str(path), read_only=True) as database:
        kept = database.execute("SELECT min(session_id), count(*) FROM sessions").fetchall()
        figures = database.execute(
            "SELECT (SELECT sum(n) FROM tally), (SELECT sessions FROM counts)"
        ).fetchall()
    assert kept == [(100, 100)]
    assert figures == [(200, 200)]


FIRST_VERSION = """
CREATE TABLE waited (unlabelled BIGINT, unmatched BIGINT);
INSERT INTO waited VALUES (3, 1), (2, 0);
ALTER TABLE sessions DROP COLUMN source;
ALTER TABLE sessions DROP COLUMN redacted;
ALTER TABLE labels DROP COLUMN redacted;
ALTER TABLE judgements DROP COLUMN label_id;
ALTER TABLE judgements DROP COLUMN other_half;
ALTER TABLE positions DROP COLUMN beginning;
DROP TABLE counts;
DROP TABLE clocks;
DROP TABLE store_version;
INSERT INTO sessions BY NAME SELECT 7 AS session_id, 'C7' AS uid;
"""


def test_a_store_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "live.duckdb"
    open_store(path).close()
    with duckdb.connect(str(path)) as database:
        database.execute(FIRST_VERSION)
    Store(path, ()).close()
    with duckdb.connect(str(path), read_only=True) as database:
        assert database.execute("SELECT version FROM store_version").fetchall() == [(VERSION,)]
        assert database.execute("SELECT * FROM counts").fetchall() == [(1, 0, 5, 1)]
        assert database.execute("SELECT uid, source FROM sessions").fetchall() == [("C7", None)]


def test_a_store_of_a_later_version_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "live.duckdb"
    monkeypatch.setattr(schema, "VERSION", 99)
    open_store(path).close()
    monkeypatch.undo()
    with pytest.raises(StoreError, match="later version"):
        open_store(path)


def test_another_program_s_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute("CREATE TABLE sessions (a INTEGER)")
    with pytest.raises(StoreError, match="no store"):
        open_store(path)


SECRETS = ("10.0.0.1", "10.0.0.2", "C1", "zeek", "smtp", "40000")
REDACT = "redact: [client_h, client_p, uid, node, service, decode_as, app, direction, ts]\n"


def test_redaction_changes_no_figure_over_a_restart(tmp_path: Path) -> None:
    labels, store, policy = (tmp_path / n for n in ("labels.jsonl", "live.duckdb", "policy.yaml"))
    policy.write_text(REDACT)
    labels.touch()

    async def first(zeek: StandIn) -> None:
        append(labels, [label(n) for n in range(1, 6)])
        async with running([zeek.url], [labels], store, policy) as mode:
            await zeek.connected()
            await zeek.send(frame(session(n)) for n in range(1, 9))
            await until(mode, lambda state: state.matched == 5)
        await zeek.gone()

    async def second(zeek: StandIn) -> None:
        append(labels, [label(n) for n in (6, 7)])
        async with running([zeek.url], [labels], store, policy) as mode:
            await zeek.connected()
            state = await until(mode, lambda state: state.matched == 7)
            assert (state.sessions, state.waiting, state.consistent.n) == (8, 1, 7)
            await zeek.send([frame(session(1, seq=9, uid="D1"))])  # its flow is judged again
            state = await until(mode, lambda state: state.sessions == 9)
            assert (state.matched, state.consistent.n) == (8, 8)
            assert all(cell.n > 0 for cell in state.matrix)

    async def scenario() -> None:
        async with StandIn() as zeek:
            await first(zeek)
            await second(zeek)

    asyncio.run(scenario())
    with duckdb.connect(str(store), read_only=True) as database:
        for table in ("sessions", "labels", "judgements"):
            for row in database.execute(f"SELECT * FROM {table}").fetchall():
                assert not set(SECRETS) & {str(value) for value in row}, table


@pytest.mark.parametrize(
    "policies",
    [
        ("[client_h]", "[client_h]", "[client_h]"),
        ("[client_h, app]", "[]", "[client_h, app]"),
        ("[]", "[app, decode_as, service]", "[]"),
    ],
)
def test_sessions_are_counted_once_whatever_the_policies_of_the_runs_that_judged_them(
    policies: tuple[str, str, str], tmp_path: Path
) -> None:
    def run(redact: str, frames: list[str], labels: list[int], read: int) -> Correlated:
        client = Client(tmp_path, ("ws://zeek",), redact)
        client.frames(0, [one.encode() for one in frames])
        client.labels([json.dumps(label(n)).encode() for n in labels], read)
        latest, error = client.stop()
        assert error is None
        return latest

    run(policies[0], [frame(session(n)) for n in (1, 2, 3)], [1], 1)
    run(policies[1], [], [2], 2)
    again = [frame(session(n, seq=n + 3, uid=f"D{n}")) for n in (1, 2)]  # judges both flows again
    latest = run(policies[2], again, [3], 3)
    assert (latest.sessions, latest.figures.matched, latest.waiting) == (5, 5, 0)
    assert latest.unlabelled == 0
    assert all(cell.n > 0 for cell in latest.figures.matrix)


def test_what_waited_when_live_mode_ended_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "live.duckdb"

    async def first(zeek: StandIn) -> None:
        async with running([zeek.url], [], store) as mode:
            await zeek.connected()
            await zeek.send(frame(session(n)) for n in range(1, 4))
            await until(mode, lambda state: state.waiting == 3)

    async def second() -> None:
        async with running(["ws://127.0.0.1:1"], [], store) as mode:
            state = await until(mode, lambda state: state.sessions == 3)
            assert (state.waiting, state.unlabelled) == (0, 3)

    async def scenario() -> None:
        async with StandIn() as zeek:
            await first(zeek)

    asyncio.run(scenario())
    true = time.time
    monkeypatch.setattr("time.time", lambda: true() + 3_600)
    asyncio.run(second())


def test_a_file_with_the_number_of_one_that_is_gone_is_read_from_its_start(
    tmp_path: Path,
) -> None:
    labels, store = tmp_path / "labels.jsonl", tmp_path / "live.duckdb"

    async def one(numbers: range, expected: int) -> None:
        labels.write_text("".join(json.dumps(label(n)) + "\n" for n in numbers))
        async with running(["ws://127.0.0.1:1"], [labels], store) as mode:
            await until(mode, lambda state: state.labels == expected)

    asyncio.run(one(range(1, 4), 3))
    asyncio.run(one(range(11, 16), 8))  # the same inode, other content
    asyncio.run(one(range(11, 17), 9))  # it has grown
