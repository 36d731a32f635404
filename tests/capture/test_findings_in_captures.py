"""Findings in the kept captures of real servers and clients: those that are really there."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from mailtap.capture.embedded import EngineOptions, analyze_captures

CAPTURES = sorted((Path(__file__).parents[1] / "lab" / "captures").glob("*.pcap"))

#: The laboratory starts one Dovecot that greets with PREAUTH, as over a local tunnel.
REALLY_THERE = {("dovecot-apop", "preauth")}


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_findings(capture: Path) -> None:
    lines = io.BytesIO()
    analyze_captures([capture], EngineOptions(), lines, None)
    for line in lines.getvalue().splitlines():
        record = json.loads(line)
        found = set(record.get("findings", ()))
        if "cleartext_login" in found:
            assert record.get("auth", "PLAIN") in ("PLAIN", "LOGIN", "USER")
        for name in found - {"cleartext_login"}:
            assert (capture.stem, name) in REALLY_THERE, record
