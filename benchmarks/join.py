"""The report's join against the bare one, as ratios of times in one run.

    python benchmarks/join.py [--rows N]... [--keys usual|twice|hot]...

Makes N sessions and their labels as Parquet, then measures: the bare join on 5-tuple and overlap in
time, which finds pairs and nothing else; the whole report (clock, join, verdicts, all tables); and,
up to a million rows and where pandas is installed, the bare join on pandas' data frames, which is
what zat gives.

How often a flow key comes again decides what a join costs, so there are three kinds of data:

usual   One session in ten shares its key with another of the day, hours apart. Most clients have a
        new port for each connection; a relay or a NAT address comes round to the same one after
        28,232 (Linux) to 64,512 connections to a server. No capture at hand shows the share, and
        one in ten is meant to be rather too many.
twice   Every key is used twice: an old relay in front of everything.
hot     One session in a hundred has the same key: a load balancer with one source port, or a log
        that was made to hurt. Up to a million rows: of more, the bare join would not come back.

One flow in a hundred has two label records, as of an engine that splits long flows.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import click
import duckdb

from mailtap.correlation.engines import DuckDBEngine
from mailtap.labels.table import COLUMNS as LABEL_COLUMNS
from mailtap.policy import load_policy
from mailtap.records.database import open_database
from mailtap.report.build import build_report
from mailtap.sessions.schema import columns as session_columns

LARGEST_FOR_PANDAS = LARGEST_HOT = 1_000_000

#: The number of the key of flow `i`.
NUMBER_OF_KEY = {
    "usual": "CASE WHEN i < {rows} * 0.95 THEN i ELSE i - ({rows} * 0.95)::BIGINT END",
    "twice": "i % ({rows} // 2)",
    "hot": "CASE WHEN i % 100 = 0 THEN 0 ELSE i END",
}

FLOWS = """
    SELECT i, '10.' || hash(k) % 200 || '.' || hash(k + 7) % 250 || '.9' AS client,
           (1024 + hash(k * 5) % 60000)::INTEGER AS client_port,
           '192.0.2.' || hash(k * 11) % 250 AS server,
           [25, 25, 25, 110, 143, 587][1 + (hash(k * 13) % 6)::INTEGER] AS server_port,
           1.76e9 + hash(i * 17) % 86400 + (hash(i * 19) % 1000000) / 1e6 AS start,
           (hash(i * 23) % 30000) / 1e3 AS length,
           ['smtp', 'pop3', 'imap'][1 + i % 3] AS protocol
    FROM (SELECT i, {key} AS k FROM range({rows}) t(i))"""

SPLIT_FLOWS = """
    SELECT * FROM ({flows}) UNION ALL
    SELECT * REPLACE (i + {rows} AS i, start + length / 2 AS start, length / 2 AS length)
    FROM ({flows}) WHERE i % 100 = 7"""

KEY = {"ip_a": "client", "port_a": "client_port", "ip_b": "server", "port_b": "server_port"}

SESSIONS = KEY | {
    "session_id": "i",
    "sensor": "'north'",
    "uid": "'C' || i",
    "ts": "start",
    "duration": "length",
    "client_h": "client",
    "client_p": "client_port",
    "server_h": "server",
    "server_p": "server_port",
    "service": "CASE WHEN i % 3 > 0 THEN protocol END",
    "direction": "['c2s', 's2c', 'bidirectional'][1 + i % 3]",
    "starttls": "['none', 'offered', 'requested', 'tls'][1 + i % 4]",
    "implicit_tls": "false",
    "decode_as": "CASE WHEN i % 3 > 0 THEN 'MAIL' ELSE 'BASE' END",
    "effective": "i % 5 > 0",
    "client_pkts": "i % 9",
    "client_bytes": "i % 1000",
    "server_pkts": "i % 7",
    "server_bytes": "i % 800",
    "gap_bytes": "0",
    "midstream": "i % 50 = 0",
    "stage": "'hello'",
}

LABELS = KEY | {
    "label_id": "i",
    "source": "'dpi.csv'",
    "engine": "'ndpi'",
    "name": "upper(protocol)",
    "app": "protocol",
    "protocol": "protocol",
    "encryption": "'none'",
    "provenance": "CASE WHEN i % 4 = 0 THEN 'payload' ELSE 'port' END",
    "is_label": "true",
    "l4": "'tcp'",
    "start": "round(start, 3)",
    "end": "round(start + length, 3)",
}

BARE = """
    SELECT count(*) FROM sessions s JOIN labels l
      ON s.ip_a = l.ip_a AND s.port_a = l.port_a AND s.ip_b = l.ip_b AND s.port_b = l.port_b
    WHERE l.start - {slack} <= s.ts + s.duration AND l."end" + {slack} >= s.ts"""


def write_tables(directory: Path, rows: int, keys: str) -> None:
    connection = duckdb.connect(config={"preserve_insertion_order": False})
    flows = FLOWS.format(rows=rows, key=NUMBER_OF_KEY[keys].format(rows=rows))
    for name, columns, values, records in (
        ("sessions", session_columns(details=False), SESSIONS, flows),
        ("labels", LABEL_COLUMNS, LABELS, SPLIT_FLOWS.format(flows=flows, rows=rows)),
    ):
        selected = ", ".join(
            f'({values.get(column, "NULL")})::{kind} AS "{column}"'
            for column, kind in columns.items()
        )
        connection.execute(
            f"COPY (SELECT {selected} FROM ({records}) ORDER BY hash(i)) "
            f"TO '{directory / name}.parquet'"
        )


def measure(directory: Path, what: str) -> None:
    """Runs in a process of its own, so that its memory is its own; prints what it cost."""
    if what == "pandas":
        seconds, cpu = in_pandas(directory)
    else:
        with open_database() as connection:
            for name in ("sessions", "labels"):
                connection.execute(f"CREATE VIEW {name} AS FROM '{directory / name}.parquet'")
            policy = load_policy()
            begun, before = time.perf_counter(), time.process_time()
            if what == "bare":
                connection.execute(BARE.format(slack=policy.join.slack)).fetchall()
            else:
                build_report(
                    DuckDBEngine(connection), policy, engine_name="duckdb", with_labels=True
                )
            seconds, cpu = time.perf_counter() - begun, time.process_time() - before
    peak = next(
        line.split()[1]
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )
    print(seconds, cpu, int(peak) // 1024)


def in_pandas(directory: Path) -> tuple[float, float]:
    import pandas

    begun, before = time.perf_counter(), time.process_time()
    sessions, labels = (
        pandas.read_parquet(directory / f"{name}.parquet") for name in ("sessions", "labels")
    )
    pairs = sessions.merge(labels, on=[*KEY])
    near = (pairs["start"] - 5 <= pairs["ts"] + pairs["duration"]) & (
        pairs["end"] + 5 >= pairs["ts"]
    )
    assert len(pairs[near]) >= len(sessions)
    return time.perf_counter() - begun, time.process_time() - before


@click.command()
@click.option("--rows", multiple=True, type=int, default=(1_000_000, 10_000_000))
@click.option(
    "--keys", multiple=True, type=click.Choice([*NUMBER_OF_KEY]), default=[*NUMBER_OF_KEY]
)
def main(rows: tuple[int, ...], keys: tuple[str, ...]) -> None:
    """Measure the report's join against the bare one."""
    for number, kind in itertools.product(rows, keys):
        if kind == "hot" and number > LARGEST_HOT:
            continue
        queries = ["bare", "report"]
        if number <= LARGEST_FOR_PANDAS and kind != "hot" and find_spec("pandas"):
            queries.append("pandas")
        with tempfile.TemporaryDirectory() as directory:
            write_tables(Path(directory), number, kind)
            bare = None
            for query in queries:
                ran = subprocess.run(
                    [sys.executable, __file__, directory, query],
                    check=True,
                    capture_output=True,
                    text=True,
                )
                seconds, cpu, mebibytes = map(float, ran.stdout.split())
                bare = bare or (seconds, cpu)
                print(
                    f"{number:>12,} rows  {kind:<5}  {query:<7} {seconds:7.2f} s  "
                    f"{seconds / bare[0]:5.2f} x bare   CPU {cpu:7.2f} s  "
                    f"{cpu / bare[1]:5.2f} x bare  {mebibytes:6.0f} MiB",
                    flush=True,
                )


if __name__ == "__main__":
    if len(sys.argv) == 3 and Path(sys.argv[1]).is_dir():
        measure(Path(sys.argv[1]), sys.argv[2])
    else:
        main()
