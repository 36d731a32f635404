"""The command: what it refuses, what it prints, how it ends, and what stopping it costs."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from mailtap.live import status
from mailtap.live.live_mode import LiveMode
from mailtap.live.sensors.websocket import WebSocketTransport
from mailtap.policy import load_policy
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
def test_what_can_not_be_is_said_in_one_line(arguments: list[str]) -> None:
    said = subprocess.run([*LIVE, *arguments], capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert said.stdout == ""
    assert said.stderr.startswith("Error: ")
    assert said.stderr.count("\n") == 1
    assert "secret" not in said.stderr


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
            await asyncio.sleep(1)
            os.kill(live.pid, signal.SIGSTOP)
            await zeek.send([frame(session(2))])
            zeek.cut()  # what a sensor does whose send is blocked for too long
            await zeek.gone()
            os.kill(live.pid, signal.SIGCONT)
            await zeek.connected()
            await zeek.send([frame(session(50))])
            await asyncio.sleep(1.5)
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


def test_no_sensor_yet_is_a_state_like_any_other() -> None:
    async def scenario() -> None:
        mode = LiveMode([WebSocketTransport("ws://127.0.0.1:1")], [], load_policy(None), None)
        assert "sensors 0/1, sessions 0" in status.line(mode.snapshot())

    asyncio.run(scenario())
