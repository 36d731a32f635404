"""`report --store`: what live mode missed of the sessions that a sensor logged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from mailtap.cli.report import report
from mailtap.live.store.writer import Store

SESSION: dict[str, Any] = {
    "ts": 1000.0,
    "duration": 2.0,
    "uid": "C1",
    "id.orig_h": "198.51.100.7",
    "id.orig_p": 40000,
    "id.resp_h": "192.0.2.25",
    "id.resp_p": 25,
    "client_h": "198.51.100.7",
    "client_p": 40000,
    "server_h": "192.0.2.25",
    "server_p": 25,
    "service": "smtp",
    "direction": "c2s",
    "decode_as": "MAIL",
    "effective": True,
    "stage": "envelope",
    "node": "north",
}


def session(number: int, **fields: Any) -> dict[str, Any]:
    return SESSION | {"uid": f"C{number}", "ts": 1000.0 + number} | fields


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Ten sessions, the last of another node."""
    path = tmp_path / "mail_session.log"
    sessions = [session(n, node="north" if n < 9 else "south") for n in range(10)]
    path.write_text("".join(json.dumps(one) + "\n" for one in sessions))
    return path


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    lines = [f"198.51.100.7,40000,192.0.2.25,25,{1000 + n},{1002 + n},SMTP" for n in range(10)]
    path.write_text("src_ip,src_port,dst_ip,dst_port,start,end,app\n" + "\n".join(lines) + "\n")
    return path


def store(folder: Path, sessions: list[tuple[str | None, float]], labels: list[float]) -> Path:
    """A store that has these sessions and labels."""
    path = folder / "live.duckdb"
    Store(path, ()).close()
    with duckdb.connect(str(path)) as connection:
        for uid, ts in sessions:
            connection.execute(
                "INSERT INTO sessions (uid, ts, duration) VALUES (?, ?, 2.0)", [uid, ts]
            )
        for start in labels:
            connection.execute(
                "INSERT INTO labels (ip_a, port_a, ip_b, port_b, start) "
                "VALUES ('192.0.2.25', 25, '198.51.100.7', 40000, ?)",
                [start],
            )
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(report, [str(argument) for argument in arguments])


def missed(*arguments: str | Path) -> Any:
    ran = run(*arguments, "--json")
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)["live"]


def test_sessions_that_the_store_has_not_are_missed(log: Path, tmp_path: Path) -> None:
    path = store(tmp_path, [(f"C{n}", 1000.0 + n) for n in (0, 1, 4, 5, 6, 9)], [])
    assert missed(log, "--store", path) == {
        "first": 1002.0,
        "last": 1011.0,
        "sessions": 10,
        "missed": 4,
        "labels": None,
        "missed_labels": None,
        "by_node": [
            {"node": "north", "sessions": 9, "missed": 4, "first": 1002.0, "last": 1008.0},
            {"node": "south", "sessions": 1, "missed": 0, "first": None, "last": None},
        ],
    }
    shown = run(log, "--store", path).stdout
    assert "What live mode missed, 1970-01-01 00:16:42 to 1970-01-01 00:16:51 UTC" in shown


def test_only_the_time_of_the_store_counts(log: Path, tmp_path: Path) -> None:
    found = missed(log, "--store", store(tmp_path, [("C3", 1003.0), ("C6", 1006.0)], []))
    assert (found["sessions"], found["missed"]) == (4, 2)


def test_sessions_that_began_before_live_mode_and_ended_in_its_time_are_not_lost(
    tmp_path: Path,
) -> None:
    """Records come when sessions end: a long one that live mode has says nothing about those that
    began after it and ended before live mode was started.
    """
    log = tmp_path / "mail_session.log"
    sessions = [session(n, ts=1000.0 + n, duration=2.0) for n in range(90)]
    sessions += [session(100 + n, ts=1000.0, duration=500.0 + n) for n in range(10)]
    log.write_text("".join(json.dumps(one) + "\n" for one in sessions))
    path = store(tmp_path, [], [])
    with duckdb.connect(str(path)) as connection:
        for n in range(10):
            connection.execute(
                "INSERT INTO sessions (uid, ts, duration) VALUES (?, 1000.0, ?)",
                [f"C{100 + n}", 500.0 + n],
            )
    found = missed(log, "--store", path)
    assert (found["sessions"], found["missed"]) == (10, 0)


def test_numbers_say_which_records_were_published_in_live_mode_s_time(tmp_path: Path) -> None:
    log = tmp_path / "mail_session.log"
    order = [4, 0, 1, 5, 2, 3, 6, 7]  # as published: some expired long after their last packet
    sessions = [session(n, seq=10 + order.index(n)) for n in range(8)]
    log.write_text("".join(json.dumps(one) + "\n" for one in sessions))
    had = store(tmp_path, [(f"C{n}", 1000.0 + n) for n in (1, 2, 3)], [])
    found = missed(log, "--store", had)
    assert (found["sessions"], found["missed"]) == (4, 1)  # 5 was published between 1 and 2


def test_a_view_in_a_foreign_file_is_not_run(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "foreign.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE VIEW sessions AS SELECT content AS uid, 1.0 AS ts, 1.0 AS duration "
            "FROM read_text('/etc/hostname')"
        )
        connection.execute(
            "CREATE TABLE labels (ip_a VARCHAR, port_a INTEGER, ip_b VARCHAR, port_b INTEGER, "
            "community_id VARCHAR, start DOUBLE)"
        )
    failed = run(log, "--store", path)
    assert failed.exit_code == 1
    assert "is no store of live mode" in failed.stderr


def test_labels_are_compared_too_where_they_are_given(
    log: Path, labels: Path, tmp_path: Path
) -> None:
    had = store(tmp_path, [(f"C{n}", 1000.0 + n) for n in range(10)], [1000.0, 1001.0004, 1002.0])
    found = missed(log, "--labels", labels, "--store", had)
    assert (found["missed"], found["labels"], found["missed_labels"]) == (0, 10, 7)


def test_connections_that_no_sensor_publishes_are_not_missed(tmp_path: Path) -> None:
    web = {name: SESSION[name] for name in ("id.orig_h", "id.orig_p", "id.resp_h")}
    web |= {"ts": 1001.0, "uid": "C7", "id.resp_p": 443, "proto": "tcp", "service": "ssl"}
    (tmp_path / "conn.log").write_text(json.dumps(web) + "\n")
    (tmp_path / "mail_session.log").write_text(json.dumps(session(0)) + "\n")
    had = store(tmp_path, [("C0", 1000.0), ("C5", 1005.0)], [])
    found = missed(tmp_path, "--store", had)
    assert (found["sessions"], found["missed"]) == (1, 0)


def test_those_that_were_missed_are_marked_in_the_listing(log: Path, tmp_path: Path) -> None:
    had = store(tmp_path, [("C0", 1000.0), ("C9", 1009.0)], [])
    listing = tmp_path / "listing.jsonl"
    run(log, "--store", had, "--sessions", listing)
    lines = [json.loads(line) for line in listing.read_text().splitlines()]
    marked = {line["uid"] for line in lines if line.get("missed_by_live")}
    assert marked == {f"C{n}" for n in range(1, 9)}


def test_halves_are_looked_for_each_by_itself(tmp_path: Path) -> None:
    halves = [
        session(1, node="north", direction="c2s", client_pkts=5, server_pkts=0),
        session(2, node="south", direction="s2c", client_pkts=0, server_pkts=5),
    ]
    log, listing = tmp_path / "mail_session.log", tmp_path / "listing.jsonl"
    log.write_text("".join(json.dumps(half) + "\n" for half in halves))
    had = store(tmp_path, [("C1", 1001.0), ("C3", 1003.0)], [])
    run(log, "--store", had, "--sessions", listing)
    (line,) = map(json.loads, listing.read_text().splitlines())
    assert (line["uid"], line["missed_by_live"]) == ("C1 C2", True)


def test_the_page_says_it(log: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    run(log, "--store", store(tmp_path, [("C0", 1000.0), ("C9", 1009.0)], []), "--html", page)
    assert "What live mode missed, 1970-01-01 00:16:42" in page.read_text()


def test_without_a_store_or_with_an_empty_one_nothing_is_compared(
    log: Path, tmp_path: Path
) -> None:
    assert missed(log) is None
    assert missed(log, "--store", store(tmp_path, [], [])) is None


def test_what_is_no_store_is_one_line_and_status_1(log: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.duckdb"
    duckdb.connect(str(other)).close()
    text = tmp_path / "text"
    text.write_text("no database")
    for path, reason in (
        (tmp_path / "none", "no such file"),
        (text, "is no store of live mode"),
        (other, "is no store of live mode"),
        (store(tmp_path, [(None, 1.0)], []), "has no uid to compare sessions by"),
    ):
        failed = run(log, "--store", path)
        assert failed.exit_code == 1
        assert failed.stderr.count("\n") == 1
        assert reason in failed.stderr
