"""With a real Zeek: a capture replayed through it gives the verdicts of a report on its logs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from certificates import Certificates
from mailtap.capture.embedded import EngineOptions
from mailtap.live.sensors.broker import BrokerTransport
from mailtap.live.sensors.transport import Tls, Transport
from mailtap.zeek.run import write_logs
from prerequisites import need_nfstream, need_zeek
from real_zeek import replaying, with_all_ended
from running import running, until
from zeek_cluster import divided, replaying_cluster

CHECKOUT = Path(__file__).parents[2]

#: As `fieldcapture` makes it unless told otherwise.
SESSIONS = 12_670

#: What the sensor is told, and whether it takes alarm: sessions that both decoded, and notices.
LISTENING = """
@load mailtap/consistency

module MailTap;

redef agreement_verdicts = 250;

global decoded = open("decoded.txt");
global notices = open("notices.txt");

event zeek_init()
	{
	set_buf(decoded, F);
	set_buf(notices, F);
	}

event MailTap::verdict_received(verdict: Verdict)
	{
	if ( both_decoded(verdict) )
		print decoded, verdict$sensor;
	}

hook Notice::policy(n: Notice::Info)
	{
	print notices, n$note, n$msg;
	}
"""

Verdicts = dict[tuple[Any, ...], tuple[Any, ...]]


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_zeek()
    folder = tmp_path_factory.mktemp("capture")
    command = [sys.executable, "-m", "fieldcapture", "--out", folder / "field.pcap"]
    subprocess.run(command, check=True, capture_output=True, cwd=CHECKOUT / "python")
    with_all_ended(folder / "field.pcap", folder / "ended.pcap")
    return folder / "ended.pcap"


@pytest.fixture(scope="module")
def labels(capture: Path) -> Path:
    need_nfstream()
    from mailtap.capture.nfstream_labels import NfstreamLabels

    path = capture.parent / "labels.csv"
    with NfstreamLabels([capture], path) as labelling:
        labelling.wait()
    return path


@pytest.fixture(scope="module")
def by_report(capture: Path, labels: Path) -> Verdicts:
    folder = capture.parent / "logs"  # conn.log has those that said nothing
    folder.mkdir()
    write_logs([capture], EngineOptions(verify_checksums=False), folder)
    return listed([folder], labels, folder)


def listed(sources: Sequence[Path], labels: Path, folder: Path) -> Verdicts:
    """The verdicts of a report."""
    listing = folder / "sessions.jsonl"
    command = [sys.executable, "-m", "mailtap", "report", *sources]
    command += ["--labels", labels, "--sessions", listing, "--json"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    rows = (json.loads(line) for line in listing.read_text().splitlines())
    return {
        (round(row["ts"], 6), row["id.orig_h"], row["id.orig_p"], row["id.resp_p"]): (
            row.get("verdict"),
            row.get("cause"),
            row.get("app"),
        )
        for row in rows
    }


def by_live(store: Path) -> Verdicts:
    with duckdb.connect(str(store), read_only=True) as database:
        rows = database.execute(
            "SELECT round(ts, 6), orig_h, orig_p, resp_p, verdict, cause, j.app FROM sessions "
            "LEFT JOIN (SELECT * FROM judgements QUALIFY row_number() OVER "
            "(PARTITION BY session_id ORDER BY rowid DESC) = 1) j USING (session_id)"
        ).fetchall()
    scored = ("consistent", "compatible", "inconsistent")
    return {row[:4]: row[4:] if row[4] in scored else (None, None, None) for row in rows}


@contextmanager
def replayed(way: str, capture: Path, folder: Path) -> Iterator[str | Transport]:
    """The sensor that replays the capture. That of way `live` listens to verdicts."""
    if way.startswith("cluster"):
        parts = [folder / f"part-{n}.pcap" for n in (1, 2)]
        divided(capture, parts)
        for part in parts:
            with_all_ended(part, part.with_suffix(".ended"))
        protocol = "broker" if way == "cluster, broker" else "live"
        ended = [part.with_suffix(".ended") for part in parts]
        with replaying_cluster(ended, folder, protocol) as port:
            if protocol == "broker":
                yield BrokerTransport(f"broker://127.0.0.1:{port}", Tls(disabled=True))
            else:
                yield f"ws://127.0.0.1:{port}"
        return
    if way == "broker, verified":
        certificates = Certificates(folder)
        script = folder / "tls.zeek"
        script.write_text(certificates.of_zeek())
        with replaying(capture, folder, "broker", str(script)) as port:
            yield BrokerTransport(f"broker://127.0.0.1:{port}", certificates.client)
        return
    listening = folder / "listening.zeek"
    listening.write_text(LISTENING if way == "live" else "")
    with replaying(capture, folder, way, str(listening)) as port:
        if way == "broker":
            yield BrokerTransport(f"broker://127.0.0.1:{port}", Tls(disabled=True))
        else:
            yield f"ws://127.0.0.1:{port}"


@pytest.mark.parametrize(
    "way", ["live", "broker", "broker, verified", "cluster", "cluster, broker"]
)
def test_verdicts_are_those_of_a_report_on_the_logs_and_none_is_missing(
    way: str, capture: Path, labels: Path, by_report: Verdicts, tmp_path: Path
) -> None:
    store = tmp_path / "live.duckdb"

    async def scenario() -> None:
        with replayed(way, capture, tmp_path) as sensor:
            async with running([sensor], [labels], store, answer=way == "live") as mode:
                state = await until(mode, lambda state: state.sessions >= len(by_report), 120)
                (state_of_sensor,) = state.sensors
                assert (state_of_sensor.lost, state_of_sensor.duplicates) == (0, 0)
                assert state_of_sensor.malformed == 0
                assert len(state_of_sensor.nodes) == (2 if way.startswith("cluster") else 1)
                await until(
                    mode, lambda state: state.labels >= SESSIONS and state.delay is not None
                )
                await asyncio.sleep(1)

    asyncio.run(scenario())
    if way == "live":
        judged = len((tmp_path / "decoded.txt").read_text().splitlines())
        assert judged >= 1_000, "verdicts came back, and were judged several times"
        assert (tmp_path / "notices.txt").read_text() == ""
    assert by_live(store) == by_report
    assert sum(verdict is not None for verdict, *_ in by_report.values()) > 10_000
