"""Labels that name their flow by its Community ID only, from the file to the matched session."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import label_samples as samples
from mailtap.cli.report import report

Import = Callable[..., Any]

#: That of the session below, with seed 0.
COMMUNITY_ID = "1:4IYLtyoh0IFRlitlydYTP6Bup5s="

SESSION: dict[str, Any] = {
    "ts": 1700000000.0,
    "duration": 2.0,
    "uid": "C1",
    "id.orig_h": "198.51.100.7",
    "id.orig_p": 40000,
    "id.resp_h": "192.0.2.25",
    "id.resp_p": 25,
    "community_id": COMMUNITY_ID,
    "client_h": "198.51.100.7",
    "client_p": 40000,
    "server_h": "192.0.2.25",
    "server_p": 25,
    "service": "smtp",
    "direction": "c2s",
    "decode_as": "MAIL",
    "effective": True,
}


def consistency(folder: Path, *lines: dict[str, Any]) -> dict[str, Any]:
    sessions, labels = folder / "sessions.jsonl", folder / "labels.jsonl"
    sessions.write_text(json.dumps(SESSION) + "\n")
    labels.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ran = CliRunner().invoke(report, [str(sessions), "--labels", str(labels), "--json"])
    assert ran.exit_code == 0, ran.output
    found: dict[str, Any] = json.loads(ran.stdout)["consistency"]
    return found


def test_a_label_file_with_community_ids_alone_matches(tmp_path: Path) -> None:
    label = {"app": "SMTP", "community_id": COMMUNITY_ID, "start": 1700000000.0}
    found = consistency(tmp_path, label)
    assert (found["labelled"], found["matched"], found["consistent"]["n"]) == (1, 1, 1)


def test_one_of_another_flow_or_time_does_not(tmp_path: Path) -> None:
    other = {"app": "SMTP", "community_id": "1:" + "A" * 27 + "=", "start": 1700000000.0}
    late = {"app": "SMTP", "community_id": COMMUNITY_ID, "start": 1700009999.0}
    assert consistency(tmp_path, other, late)["matched"] == 0


def test_a_label_with_half_its_addresses_is_joined_by_community_id(tmp_path: Path) -> None:
    half = {"app": "SMTP", "community_id": COMMUNITY_ID, "start": 1700000000.0, "src_ip": "::1"}
    assert consistency(tmp_path, half | {"src_port": 25})["matched"] == 1


@pytest.mark.parametrize("junk", ["", "-", "1:", "1:x", "2:" + "A" * 27 + "=", "1:" + "A" * 9000])
def test_what_is_no_community_id_is_no_key(imported: Import, junk: str) -> None:
    good = json.dumps({"app": "SMTP", "community_id": COMMUNITY_ID, "start": 1.0})
    bad = json.dumps({"app": "SMTP", "community_id": junk, "start": 1.0})
    rows, loaded = imported(f"{good}\n{bad}\n")
    assert (len(rows), loaded.files[0].malformed) == (1, 1)


def test_statements_on_flows_without_addresses_stay_apart(imported: Import) -> None:
    records = [
        json.loads(samples.suricata(community_id=f"1:{letter * 27}="))
        | {"src_ip": None, "dest_ip": None}
        for letter in "ABC"
    ]
    rows, _ = imported("".join(json.dumps(record) + "\n" for record in records), "suricata")
    assert len({row["community_id"] for row in rows}) == 3
    assert {row["ip_a"] for row in rows} == {None}


def test_many_labels_with_one_community_id_are_bounded_work(tmp_path: Path) -> None:
    labels = [
        {"app": "SMTP", "community_id": COMMUNITY_ID, "start": 1700000000.0 + n} for n in range(500)
    ]
    found = consistency(tmp_path, *labels)
    assert (found["labelled"], found["matched"]) == (500, 1)
