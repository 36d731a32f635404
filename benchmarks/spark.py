"""`mailtap report` on a Spark cluster of this machine: the driver's memory, and what workers bring.

    python benchmarks/spark.py [--rows N]... [--workers N]... [--format lines|parquet]

Starts a master and workers of one core each, has a report made of session lines and NFStream's
labels in a process of its own, and prints its seconds and the peak memory of the driver's Python
and Java. The ratio is to the first number of workers. Other figures than DuckDB's are an error.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
import pyspark
from logs import Logs

import mailtap

HOST = "127.0.0.1"
ENVIRONMENT = os.environ | {"SPARK_LOCAL_IP": HOST, "PYSPARK_PYTHON": sys.executable}
SPARK = Path(pyspark.__file__).parent


@contextmanager
def cluster(workers: int, folder: Path) -> Iterator[str]:
    """A master and its workers; the master's URL."""
    port = free_port()
    environment = ENVIRONMENT | {"SPARK_WORKER_DIR": str(folder / "work")}
    master = f"spark://{HOST}:{port}"
    of_master = ["deploy.master.Master", "--host", HOST, "--port", str(port), "--webui-port", "0"]
    of_worker = ["deploy.worker.Worker", "--host", HOST, "--cores", "1", "--memory", "2g", master]
    with ExitStack() as stack:
        for arguments in (of_master, *[of_worker] * workers):
            process = subprocess.Popen(
                [SPARK / "bin" / "spark-class", f"org.apache.spark.{arguments[0]}", *arguments[1:]],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            wait_for(port)
        yield master


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as caller:
            if not caller.connect_ex((HOST, port)):
                return
        time.sleep(0.1)
    raise TimeoutError("Spark's master did not start")


def measure(engine: str, sessions: str, labels: str) -> None:
    """Runs in a process of its own; prints seconds, the driver's memory (MiB) and the figures."""
    begun = time.perf_counter()
    report = mailtap.report(sessions, labels=[labels], engine=engine, keep_sessions=False)
    seconds = time.perf_counter() - begun
    figures = {k: v for k, v in report.to_dict().items() if k != "engine"}
    for action in figures["actions"]:
        del action["examples"]  # the first and the last session, in an order that no engine keeps
    memory = {name: peak(process) for name, process in drivers()}  # while Spark still runs
    report.close()
    print(json.dumps({"seconds": seconds, "memory": memory, "figures": rounded(figures)}))


def drivers() -> Iterator[tuple[str, str]]:
    """This process and the Java that it started."""
    yield "python", "self"
    for status in Path("/proc").glob("[0-9]*/status"):
        text = status.read_text()
        if text.startswith("Name:\tjava") and f"PPid:\t{os.getpid()}\n" in text:
            yield "java", status.parent.name


def peak(process: str) -> int:
    status = (Path("/proc") / process / "status").read_text()
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) // 1024 if found else 0


def rounded(value: Any) -> Any:
    """Engines add up floats in different orders."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, 6) if isinstance(value, float) else value


def run(engine: str, files: list[Path]) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, __file__, "measure", engine, *files],
        check=True,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return dict(json.loads(ran.stdout.splitlines()[-1]))


@click.command()
@click.option("--rows", multiple=True, type=int, default=(1_000_000, 10_000_000))
@click.option("--workers", multiple=True, type=int, default=(1, 2))
@click.option("--format", "form", type=click.Choice(["lines", "parquet"]), default="lines")
def main(rows: tuple[int, ...], workers: tuple[int, ...], form: str) -> None:
    """Measure reports on a cluster."""
    for number in rows:
        with tempfile.TemporaryDirectory() as directory:
            folder = Path(directory)
            logs = Logs(folder, number, "distinct")
            files = [logs.session_lines(), logs.nfstream()]
            if form == "parquet":
                written = [folder / "sessions.parquet", folder / "labels.parquet"]
                mailtap.write_sessions(files[0], written[0])
                mailtap.write_labels(files[1], written[1])
                files = written
            duckdb = run("duckdb", files)
            print(f"{logs.rows:>12,} rows  duckdb     {duckdb['seconds']:7.1f} s", flush=True)
            first = None
            for several in workers:
                with cluster(several, folder) as master:
                    found = run(f"spark:{master}", files)
                assert found["figures"] == duckdb["figures"], "other figures than DuckDB's"
                first = first or found["seconds"]
                memory = ", ".join(f"{name} {mib} MiB" for name, mib in found["memory"].items())
                print(
                    f"{logs.rows:>12,} rows  {several} workers  {found['seconds']:7.1f} s  "
                    f"{found['seconds'] / first:5.2f}   driver: {memory}",
                    flush=True,
                )


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure(*sys.argv[2:])
    else:
        main()
