"""Label streams: files that grow and are rotated, sockets that go and come back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from mailtap.live.labels.streams import (
    FileStream,
    LineSplitter,
    Position,
    SocketStream,
    SourceTextError,
    StandardInput,
    label_stream,
)
from mailtap.live.sensors.frames import MAXIMUM_LINE_BYTES
from records import label, session
from running import append, running, until
from stand_in import StandIn, frame


def nothing(_: str) -> Position | None:
    return None


def test_a_file_is_followed_while_it_grows_and_across_rotation(tmp_path: Path) -> None:
    async def scenario() -> None:
        file = tmp_path / "labels.jsonl"
        async with StandIn() as zeek, running([zeek.url], [file]) as mode:
            state = await until(mode, lambda state: bool(state.label_sources[0].error))
            assert not state.label_sources[0].connected
            append(file, [label(1), label(2)])
            await until(mode, lambda state: state.labels == 2)
            append(file, [label(3)])
            await until(mode, lambda state: state.labels == 3)
            file.rename(tmp_path / "labels.jsonl.1")
            append(tmp_path / "labels.jsonl.1", [label(4)])
            append(file, [label(5), label(6)])
            state = await until(mode, lambda state: state.labels == 6)
            assert state.label_sources[0].connected
            file.write_text(json.dumps(label(7)) + "\n")
            await until(mode, lambda state: state.labels == 7)

    asyncio.run(scenario())


def test_a_line_is_taken_when_it_is_whole(tmp_path: Path) -> None:
    async def scenario() -> None:
        file = tmp_path / "labels.jsonl"
        text = json.dumps(label(1))
        file.write_text(text[:40])
        async with StandIn() as zeek, running([zeek.url], [file]) as mode:
            await until(mode, lambda state: state.label_sources[0].connected)
            await asyncio.sleep(0.5)
            with file.open("a") as more:
                more.write(text[40:] + "\n")
            state = await until(mode, lambda state: state.labels == 1)
            assert state.label_sources[0].malformed == 0

    asyncio.run(scenario())


def test_the_header_of_the_next_csv_file_is_no_label(tmp_path: Path) -> None:
    header = "app,provenance,src_ip,src_port,dst_ip,dst_port,start\n"
    row = "smtp,payload,10.0.0.1,40000,192.0.2.25,25,1700000001\n"

    async def scenario() -> None:
        file = tmp_path / "labels.csv"
        file.write_text(header + row)
        async with StandIn() as zeek, running([zeek.url], [file]) as mode:
            await until(mode, lambda state: state.labels == 1)
            file.rename(tmp_path / "labels.csv.1")
            file.write_text(header + row)
            state = await until(mode, lambda state: state.labels == 2)
            assert (state.label_sources[0].format, state.label_sources[0].malformed) == ("csv", 0)

    asyncio.run(scenario())


def test_a_socket_that_goes_is_connected_to_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "labels.sock"
        batches = iter([[label(1)], [label(2)]])

        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for one in next(batches, []):
                text = json.dumps(one)
                writer.write(f"{len(text):05}{text}\n".encode())
            writer.close()

        async with (
            await asyncio.start_unix_server(serve, path),
            StandIn() as zeek,
            running([zeek.url], [SocketStream(f"unix:{path}", None)]) as mode,
        ):
            await zeek.connected()
            await zeek.send([frame(session(1)), frame(session(2))])
            state = await until(mode, lambda state: state.matched == 2)
            assert state.labels == 2

    asyncio.run(scenario())


def test_lines_that_are_no_labels_are_counted(tmp_path: Path) -> None:
    async def scenario() -> None:
        file = tmp_path / "labels.jsonl"
        append(file, [label(1)])
        with file.open("ab") as more:
            more.write(b"nonsense\n\xff\xfe\n{\n\n")
            more.write(b'{"app":"' + b"x" * (2 * MAXIMUM_LINE_BYTES) + b'"}\n')
        append(file, [label(2, proto="udp"), label(3, src_ip="x"), label(4)])
        async with StandIn() as zeek, running([zeek.url], [file]) as mode:
            state = await until(mode, lambda state: state.labels == 2)
            (source,) = state.label_sources
            assert (source.other, source.malformed) == (1, 5)

    asyncio.run(scenario())


def test_a_file_in_no_known_format_has_an_error_that_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        file = tmp_path / "labels.txt"
        file.write_text("a,b\n1,2\n")
        async with StandIn() as zeek, running([zeek.url], [file]) as mode:
            state = await until(mode, lambda state: bool(state.label_sources[0].error))
            assert "no known label format" in (state.label_sources[0].error or "")

    asyncio.run(scenario())


def test_bytes_become_whole_lines_of_bounded_length() -> None:
    lines = LineSplitter()
    assert lines.split(b"a\r\nb") == [b"a"]
    assert lines.split(b"c\n\nd") == [b"bc", b""]
    (long,) = lines.split(b"x" * (MAXIMUM_LINE_BYTES + 1))
    assert len(long) > MAXIMUM_LINE_BYTES
    assert lines.split(b"y" * 10_000) == []
    assert lines.pending == 0
    assert lines.split(b"y\nnext\n") == [b"next"]
    assert lines.end() == []


def test_what_a_source_names(tmp_path: Path) -> None:
    odd = tmp_path / "tcp:file"
    odd.touch()
    assert isinstance(label_stream("-:ndpid", nothing), StandardInput)
    file = label_stream("eve.json:suricata", nothing)
    assert isinstance(file, FileStream)
    assert (file.name, file.form) == ("eve.json", "suricata")
    distributor = label_stream("unix:/run/ndpid.sock:ndpid", nothing)
    assert (distributor.name, distributor.form) == ("unix:/run/ndpid.sock", "ndpid")
    assert label_stream("tcp:[::1]:7000", nothing).name == "tcp:[::1]:7000"
    assert label_stream("nfstream:eth0", nothing).form == "nfstream"
    named = [label_stream(f"probe={text}", nothing) for text in ("-", "a.csv:csv", "tcp:h:1")]
    assert [(one.engine, one.name) for one in named] == [
        ("probe", "-"),
        ("probe", "a.csv"),
        ("probe", "tcp:h:1"),
    ]
    assert isinstance(label_stream(str(odd), nothing), FileStream)
    for wrong in ("tcp:", "tcp:host", "tcp:host:0", "tcp:host:99999", "unix:", "nfstream:"):
        with pytest.raises(SourceTextError):
            label_stream(wrong, nothing)
