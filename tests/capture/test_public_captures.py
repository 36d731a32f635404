"""Findings in captures that others have published: each is really there, and there is no other.

The captures are not part of the project. Collect the files named below from the repositories of
Arkime, PcapFlowLab, PcapPlusPlus, Suricata (suricata-verify), TRex, Zeek and its AgentTesla
detector, others beside them, in a folder of any form, and name it in the environment variable
MAILTAP_PUBLIC_CAPTURES. Those called `-oneway-c2s`, `-oneway-s2c` and `-on-1143` are one side of
such a capture, or the same with another port: they may be missing, as any other may.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailtap.capture.embedded import EngineOptions, analyze_captures

FOLDER = os.environ.get("MAILTAP_PUBLIC_CAPTURES")
COLLECT = (
    "published captures are not part of the project: collect those that this file names, and set "
    "MAILTAP_PUBLIC_CAPTURES to their folder"
)
SUFFIXES = (".pcap", ".pcapng", ".cap", ".trace")
LOGIN, MASKED = "cleartext_login", "starttls_masked"

AUTH_LOGIN = re.compile(rb"AUTH LOGIN\b", re.I)
AUTH_PLAIN = re.compile(rb"AUTH PLAIN\b", re.I)
IMAP_LOGIN = re.compile(rb"\w+ LOGIN \S+ \S+\r\n", re.I)
USER_AND_PASS = re.compile(rb"USER .*PASS ", re.I | re.S)
LOGGED_IN = re.compile(rb"(\+OK \S+ user logged in|OK LOGIN)", re.I)
OVERWRITTEN = re.compile(rb"250-X{3,}[A-Z]\r\n")

#: By file: the finding, in how many sessions, and the bytes that show it.
EXPLAINED = {
    "a30789ce.pcap": (LOGIN, 1, AUTH_LOGIN),
    "imap.pcap": (LOGIN, 1, IMAP_LOGIN),
    "imap-detection.pcap": (LOGIN, 1, IMAP_LOGIN),
    "imap-on-1143.pcap": (LOGIN, 1, IMAP_LOGIN),
    "imap-plain-oneway-s2c.pcap": (LOGIN, 1, LOGGED_IN),
    "smtp-data-250.pcap": (LOGIN, 1, AUTH_PLAIN),
    "pop3-oneway-c2s.pcap": (LOGIN, 1, USER_AND_PASS),
    "pop3-oneway-s2c.pcap": (LOGIN, 1, LOGGED_IN),
    "showcase.pcap": (LOGIN, 1, IMAP_LOGIN),
    "Smtp.pcap": (LOGIN, 1, AUTH_LOGIN),
    "pop3-02-bug-7709.pcap": (LOGIN, 2, USER_AND_PASS),
    "pop3-03-bug-7709.pcap": (LOGIN, 2, USER_AND_PASS),
    "smtp-bug-6053.pcap": (LOGIN, 1, AUTH_LOGIN),
    "smtp-extract-url-schemes.pcap": (MASKED, 1, OVERWRITTEN),
    "delay_10_mail_pop_0.pcap": (LOGIN, 1, USER_AND_PASS),
    "delay_email_pop_2.pcap": (LOGIN, 1, USER_AND_PASS),
    "pop3__pop3.pcap": (LOGIN, 3, AUTH_PLAIN),
    "smtp.pcap": (LOGIN, 1, AUTH_LOGIN),
}


def captures() -> Iterator[Path]:
    for path in sorted(Path(FOLDER).rglob("*")) if FOLDER else ():
        if path.suffix in SUFFIXES:
            yield path


@pytest.mark.skipif(not FOLDER, reason=COLLECT)
def test_every_finding_is_explained() -> None:
    found = {}
    for path in captures():
        lines = io.BytesIO()
        analyze_captures([path], EngineOptions(), lines, None)
        records = map(json.loads, lines.getvalue().splitlines())
        findings = [name for record in records for name in record.get("findings", ())]
        if findings or path.name in EXPLAINED:
            found[path] = findings
    assert found, "no capture that the table explains is in the folder"
    for path, findings in found.items():
        name, count, shown = EXPLAINED.get(path.name, (None, 0, re.compile(b"")))
        assert findings == [name] * count, path
        assert shown.search(path.read_bytes()), path
