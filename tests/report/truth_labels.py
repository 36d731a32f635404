"""Label files about sessions whose truth the generator wrote."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path


def write_labels(
    truth: Path,
    path: Path,
    app: Callable[[int], str],
    provenance: str,
    late: Iterable[float] = (0.0,),
) -> None:
    """Labels every session of `truth`, once for each of `late`, the seconds that clocks are behind.

    `app`: the name by the server's port.
    """
    delays = tuple(late)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["src_ip", "src_port", "dst_ip", "dst_port", "start", "app", "provenance"])
        for line in truth.read_text().splitlines():
            one = json.loads(line)
            ends = [one[key] for key in ("client_h", "client_p", "server_h", "server_p")]
            for delay in delays:
                out.writerow([*ends, one["ts"] + delay, app(one["server_p"]), provenance])
