"""The command: what it refuses, what it prints, how it ends, and what stopping it costs."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from mailtap.live import service, status
from mailtap.live.live_mode import LiveError, LiveMode
from mailtap.live.sensors.websocket import WebSocketTransport
from mailtap.policy import load_policy
from mailtap.records.database_copy import open_to_read
from records import label, session
from running import append, running, until
from stand_in import StandIn, frame

LIVE = [sys.executable, "-m", "mailtap", "live"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--sensor", "http://127.0.0.1:1"],
        ["--sensor", "ws://user:secret@127.0.0.1:1"],
        ["--sensor", "ws://127.0.0.1:1", "--labels", "tcp:nowhere"],
        ["--sensor", "ws://127.0.0.1:1", "--listen", "nowhere"],
        ["--sensor", "ws://127.0.0.1:1", "--listen", "0.0.0.0:0"],
        ["--sensor", "ws://127.0.0.1:1", "--policy", "/nonexistent"],
        ["--sensor", "ws://127.0.0.1:1", "--store", "/nonexistent/live.duckdb"],
    ],
)
def test_a_command_that_cannot_be_done_ends_with_one_line(arguments: list[str]) -> None:
    ran = subprocess.run([*LIVE, *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ran.stderr.startswith("Error: ")
    assert ran.stderr.count("\n") == 1
    assert "secret" not in ran.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with StandIn() as zeek:
            command = [*LIVE, "--sensor", zeek.url, "--listen", "127.0.0.1:0"]
            live = subprocess.Popen(
                [*command, "--store", tmp_path / "live.duckdb"],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            await zeek.connected()
            live.send_signal(number)
            out, error = await asyncio.to_thread(live.communicate)
            assert (live.returncode, error) == (0, "")
            assert out.startswith("sensors ")

    asyncio.run(scenario())


def test_a_second_signal_ends_it_at_once_and_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with StandIn() as zeek:
            live = subprocess.Popen(
                [*LIVE, "--sensor", zeek.url, "--store", tmp_path / "live.duckdb"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            await zeek.connected()
            await zeek.send(frame(session(n)) for n in range(1, 20_001))
            live.send_signal(signal.SIGINT)
            await zeek.gone()  # it is ending
            live.send_signal(signal.SIGINT)
            _, error = await asyncio.to_thread(live.communicate)
            # The first may have ended it before the second came.
            assert (live.returncode, error) in (
                (1, "Error: stopped before everything was stored\n"),
                (0, ""),
            )
            if live.returncode == 0:
                with duckdb.connect(str(tmp_path / "live.duckdb"), read_only=True) as database:
                    counted = database.execute("SELECT count(*) FROM sessions").fetchall()
                assert counted == [(20_000,)]

    asyncio.run(scenario())


def test_labels_are_read_from_a_file_as_standard_input(tmp_path: Path) -> None:
    labels, store = tmp_path / "labels.jsonl", tmp_path / "live.duckdb"
    append(labels, [label(n) for n in range(1, 4)])

    async def scenario() -> None:
        async with StandIn() as zeek:
            with labels.open() as standard_input:
                live = subprocess.Popen(
                    [*LIVE, "--sensor", zeek.url, "--labels", "-", "--store", store],
                    stdin=standard_input,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            await zeek.connected()
            await zeek.send(frame(session(n)) for n in range(1, 4))
            await asyncio.to_thread(until_line, live, "labels 3, matched 3")
            live.send_signal(signal.SIGTERM)
            _, error = await asyncio.to_thread(live.communicate)
            assert (live.returncode, error) == (0, "")

    asyncio.run(scenario())


def until_line(live: subprocess.Popen[str], text: str) -> None:
    """Until the command prints a line with the text."""
    assert live.stdout is not None
    assert any(text in line for line in live.stdout)


def test_a_sensor_that_refuses_is_named_at_once() -> None:
    live = subprocess.Popen(
        [*LIVE, "--sensor", "ws://127.0.0.1:1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until_line(live, "ws://127.0.0.1:1: ")
    live.send_signal(signal.SIGTERM)
    _, error = live.communicate()
    assert (live.returncode, error) == (0, "")


async def stored(store: Path, sessions: int, patience: float = 60.0) -> None:
    """Until the store of a running live mode has so many sessions."""
    async with asyncio.timeout(patience):
        while await asyncio.to_thread(count, store) < sessions:
            await asyncio.sleep(0.1)


def count(store: Path) -> int:
    with open_to_read(store) as database:
        ((sessions,),) = database.execute("SELECT count(*) FROM sessions").fetchall()
    return int(sessions)


def test_a_client_that_is_stopped_for_longer_than_the_sensor_waits_counts_what_it_missed(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        store = tmp_path / "live.duckdb"
        async with StandIn() as zeek:
            live = subprocess.Popen(
                [*LIVE, "--sensor", zeek.url, "--store", store],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            await zeek.connected()
            await zeek.send([frame(session(1))])
            await stored(store, 1)
            os.kill(live.pid, signal.SIGSTOP)
            await zeek.send([frame(session(2))])
            zeek.cut()  # what a sensor does whose send is blocked for too long
            await zeek.gone()
            os.kill(live.pid, signal.SIGCONT)
            await zeek.connected()
            await zeek.send([frame(session(50))])
            await stored(store, 2)
            live.send_signal(signal.SIGTERM)
            _, error = await asyncio.to_thread(live.communicate)
            assert (live.returncode, error) == (0, "")
        with duckdb.connect(str(store), read_only=True) as database:
            ((sessions, missed),) = database.execute(
                "SELECT (SELECT count(*) FROM sessions), (SELECT sum(missed) FROM gaps)"
            ).fetchall()
        # The second may have been on its way.
        assert sessions in (2, 3)
        assert sessions + missed == 50

    asyncio.run(scenario())


def test_the_wall_clock_may_jump(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    true, jumps = time.time, [0.0]
    monkeypatch.setattr("time.time", lambda: true() + jumps[-1])

    async def scenario() -> None:
        labels = tmp_path / "labels.jsonl"
        async with StandIn() as zeek, running([zeek.url], [labels]) as mode:
            await zeek.connected()
            for number, jump in enumerate((0.0, -86_400.0, 7 * 86_400.0, -1.7e9, 0.0), 1):
                jumps.append(jump)
                append(labels, [label(number)])
                await zeek.send([frame(session(number))])
                state = await until(mode, lambda state, n=number: state.matched == n)
            assert state.sensors[0].lost == 0
            assert state.consistent.n == 5

    asyncio.run(scenario())


def test_the_status_says_nothing_that_a_terminal_would_act_upon(tmp_path: Path) -> None:
    hostile = "\x1b]0;owned\x07[red]\u202eevil[/red]\n"

    async def scenario() -> None:
        labels = tmp_path / "labels.jsonl"
        append(labels, [label(1, app="imap" + hostile)])
        async with StandIn() as zeek, running([zeek.url], [labels]) as mode:
            await zeek.connected()
            record = session(1, uid=f"C{hostile}", node=f"n{hostile}")
            await zeek.send(['{"type":"error","code":"x","context":"\\u001b[31m"}', frame(record)])
            state = await until(mode, lambda state: state.matched == 1)
            console = Console(width=120, color_system=None)
            with console.capture() as captured:
                console.print(status.screen(state))
            shown = captured.get()
            assert "[red]" in shown
            for text in (shown.replace("\n", ""), status.line(state)):
                assert text.isprintable()

    asyncio.run(scenario())


def test_what_ends_live_mode_is_one_error_and_no_group_of_them() -> None:
    """Python before 3.11.4 makes a group of what is raised within except*."""

    class Failing:
        async def run(self) -> None:
            raise LiveError("not everything is stored")

        async def subscribe(self) -> AsyncIterator[None]:
            while True:
                await asyncio.sleep(3_600)
                yield

    with pytest.raises(LiveError, match="not everything is stored"):
        asyncio.run(service._run(Failing(), None, None))  # type: ignore[arg-type]


def test_no_sensor_yet_is_a_state_like_any_other() -> None:
    async def scenario() -> None:
        mode = LiveMode([WebSocketTransport("ws://127.0.0.1:1")], [], load_policy(None), None)
        assert "sensors 0/1, sessions 0" in status.line(mode.snapshot())

    asyncio.run(scenario())
