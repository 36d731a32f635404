"""Captures of real servers' sessions in files, with what is known of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lab import pcap
from lab.expected import Expected, expected
from lab.tcp import sessions
from lab.truth import Truth, known, whole
from lab.views import views

LIST = "truth.jsonl"


def save(folder: Path, truths: Iterable[Truth]) -> None:
    """Write a capture for each server, and a list of the sessions with their records."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.pcap"):
        old.unlink()
    frames: dict[str, list[tuple[float, bytes]]] = {}
    lines = []
    for truth in truths:
        file = f"{truth.server}.pcap"
        frames.setdefault(file, []).extend(truth.session.frames())
        lines.append(json.dumps(described(file, truth), ensure_ascii=False))
    for file, found in frames.items():
        pcap.write(folder / file, sorted(found, key=lambda frame: frame[0]))
    (folder / LIST).write_text("".join(f"{line}\n" for line in lines))


def described(file: str, truth: Truth) -> dict[str, Any]:
    """A session: where it is, what was done, the record with all bytes seen, and the fields of it
    that the definition of a record leaves open.
    """
    client, server = truth.session.client, truth.session.server
    return {
        "file": file,
        "client_h": client[0],
        "client_p": client[1],
        "server_h": server[0],
        "server_p": server[1],
        "server": truth.server,
        "client": truth.client,
        "scenario": truth.scenario,
        "serves": truth.serves,
        "speaks": truth.speaks,
        "record": whole(truth),
        "open": sorted(name for name, field in _of_all(truth).items() if not field.decided),
    }


def _of_all(truth: Truth) -> dict[str, Expected]:
    """What is expected of the session where all bytes are seen."""
    return expected(truth, next(iter(views(truth.session, 0))))


def listed(folder: Path) -> list[dict[str, Any]]:
    """The list's entries."""
    return [json.loads(line) for line in (folder / LIST).read_text().splitlines()]


def load(folder: Path) -> list[Truth]:
    """The sessions of a list, in its order."""
    entries = listed(folder)
    found = {
        (file, session.client, session.server): session
        for file in {entry["file"] for entry in entries}
        for session in sessions(pcap.read(folder / file))
    }
    truths = []
    for entry in entries:
        client, server = ((entry[f"{role}_h"], entry[f"{role}_p"]) for role in ("client", "server"))
        truths.append(
            known(
                *(entry["server"], entry["client"], entry["scenario"]),
                *(entry["serves"], entry["speaks"]),
                found[entry["file"], client, server],
            )
        )
    return truths
