"""A gateway's export of sessions with the field's make-up: 100,000 that a DPI engine labelled mail.

The counts by label, port and decode_as are the field's; addresses, times and the spread of the
decoded sessions over the protocols are made up.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path

COLUMNS = (
    "start_time",
    "client_ip",
    "client_port",
    "server_ip",
    "server_port",
    "app",
    "decode_as",
)


@dataclass(frozen=True)
class Share:
    """Sessions of one kind in the export."""

    app: str
    server_port: int
    decode_as: str
    sessions: int


FIELD_MAKEUP = (
    Share("smtp", 25, "MAIL", 45_110),
    Share("smtp", 587, "MAIL", 2_004),
    Share("pop3", 110, "MAIL", 6_020),
    Share("imap", 143, "MAIL", 5_164),
    Share("smtp", 25, "BASE", 36_020),
    Share("pop3", 110, "BASE", 2_956),
    Share("imap", 143, "BASE", 2_709),
    Share("smtp", 587, "BASE", 1),
    Share("smtp", 80, "BASE", 1),
    Share("http.imap", 8080, "HTTP", 2),
    Share("http.pop3", 8080, "HTTP", 1),
    Share("pop3.ssl", 110, "SSL", 7),
    Share("imap.ssl", 143, "SSL", 5),
)

#: Epoch seconds of the first session, and over how long the sessions are spread.
START = 1_760_000_000
SPAN = 86_400


def write_gateway_export(
    path: Path, seed: int = 0, makeup: tuple[Share, ...] = FIELD_MAKEUP
) -> None:
    """Writes the export as CSV, the sessions in order of time."""
    generator = random.Random(seed)
    rows = [
        (
            f"{START + generator.randrange(SPAN * 1000) / 1000:.3f}",
            f"198.51.100.{generator.randrange(1, 255)}",
            generator.randrange(1024, 65_536),
            f"192.0.2.{generator.randrange(1, 255)}",
            share.server_port,
            share.app,
            share.decode_as,
        )
        for share in makeup
        for _ in range(share.sessions)
    ]
    with path.open("w", newline="", encoding="ascii") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(sorted(rows))
