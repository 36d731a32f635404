"""How fast `mailtap analyze` is beside the tools that read the same capture, as ratios of one run.

Writes the field capture with bulk (about 214 MB, 256,000 packets) from a seed, then runs
`analyze`, with and without nDPI's labels, and each of zeek, tshark and ndpiReader that is found, in
turn, several times. Times are of whole processes, by the clock and of the processor; the median
counts. Memory is the largest process's.

Usage: python benchmarks/analyze.py [--runs N] [--makeup port25|mixed]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click

sys.path.append(str(Path(__file__).parents[1] / "python"))

from fieldcapture import COLUMNS, with_bulk, write_capture


@dataclass(frozen=True)
class Run:
    """What one run of a command took."""

    seconds: float
    processor: float
    peak_mib: float


def zeek() -> str | None:
    """The Zeek on PATH, or where its own packages put it."""
    return shutil.which("zeek") or shutil.which("zeek", path="/opt/zeek/bin:/usr/local/zeek/bin")


def commands(capture: Path) -> dict[str, list[str]]:
    """The commands that can run here, by name."""
    mailtap = [sys.executable, "-m", "mailtap", "analyze", str(capture)]
    found = {"mailtap": mailtap, "mailtap --dpi ndpi": [*mailtap, "--dpi", "ndpi"]}
    if path := zeek():
        found["zeek"] = [path, "-r", str(capture)]
    if path := shutil.which("tshark"):
        fields = ["-T", "fields", "-e", "frame.number", "-e", "_ws.col.Protocol"]
        found["tshark"] = [path, "-r", str(capture), *fields]
    if path := shutil.which("ndpiReader"):
        found["ndpiReader"] = [path, "-q", "-i", str(capture)]
    return found


def run(command: list[str]) -> Run:
    """Runs it to its end in an empty folder. Raises when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise subprocess.CalledProcessError(process.returncode, command)
        seconds = time.monotonic() - started
        return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _ratio(ratios: list[float]) -> str:
    return f"{median(ratios):5.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


@click.command()
@click.option("--runs", default=5, show_default=True)
@click.option("--makeup", type=click.Choice(list(COLUMNS)), default="port25", show_default=True)
def main(runs: int, makeup: str) -> None:
    """Print each tool's time as a ratio to that of Zeek, or of mailtap where there is no Zeek."""
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "field.pcap"
        write_capture(with_bulk(COLUMNS[makeup]()), 1, capture)
        tools = commands(capture)
        taken: dict[str, list[Run]] = {name: [] for name in tools}
        for turn in range(runs + 1):
            for name, command in tools.items():
                result = run(command)
                if turn > 0:  # the first turn warms the page cache
                    taken[name].append(result)

    base = "zeek" if "zeek" in taken else "mailtap"
    print(f"{makeup} with bulk, {runs} runs in turn; ratio to {base}: median (least to most)")
    for name, results in taken.items():
        pairs = list(zip(results, taken[base], strict=True))
        seconds = _ratio([mine.seconds / other.seconds for mine, other in pairs])
        processor = _ratio([mine.processor / other.processor for mine, other in pairs])
        peak = max(result.peak_mib for result in results)
        print(f"{name:20} time {seconds}   processor {processor}   peak {peak:.0f} MiB")
    for name in ("zeek", "tshark", "ndpiReader"):
        if name not in taken:
            print(f"{name} was not found: left out")


if __name__ == "__main__":
    main()
