"""`mailtap report` from files against the time that DuckDB takes to read the same columns typed.

    python benchmarks/report.py [--rows N]... [--case CASE]...

Writes sessions and labels, then measures in processes of their own: reading both with DuckDB, each
column with its type, into tables, which finds nothing wrong and joins nothing; and a whole report.
The ratio of both, of seconds and of processor time, is what a change has to keep.

lines    session lines with labels of NFStream, no flow key twice
reused   the same with every key used once in each copy of the capture: 160 times in 31 hours at two
         million rows
gzip     `lines`, both files packed
zeek     Zeek's conn.log with tabs, with the same labels
eve      session lines with the flow events of Suricata
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import duckdb
from logs import Logs

from mailtap import api
from mailtap.labels.detect import recognise as recognise_labels
from mailtap.policy import load_policy
from mailtap.records.record_file import open_file
from mailtap.sessions import connections
from mailtap.sessions.schema import columns, record_fields

CASES = {
    "lines": ("distinct", Logs.session_lines, Logs.nfstream),
    "reused": ("reused", Logs.session_lines, Logs.nfstream),
    "gzip": ("distinct", Logs.session_lines, Logs.nfstream),
    "zeek": ("distinct", Logs.conn_tsv, Logs.nfstream),
    "eve": ("distinct", Logs.session_lines, Logs.eve),
}

#: Types of columns in session lines that differ from those in table `sessions`.
_TEXTS = ("mailfrom", "rcptto", "from", "to")

_EVE = (
    "{event_type: 'VARCHAR', src_ip: 'VARCHAR', src_port: 'INTEGER', dest_ip: 'VARCHAR', "
    "dest_port: 'INTEGER', proto: 'VARCHAR', app_proto: 'VARCHAR', app_proto_orig: 'VARCHAR', "
    "community_id: 'VARCHAR', flow: 'STRUCT(pkts_toserver BIGINT, pkts_toclient BIGINT, "
    '"start" TIMESTAMPTZ, "end" TIMESTAMPTZ)\'}'
)


def typed_sessions(path: Path) -> str:
    """SQL that reads what a report needs of the sessions, typed."""
    if path.name.startswith("conn"):
        names = path.open().read(4096).split("#fields\t")[1].split("\n")[0].split("\t")
        numbers = ("DOUBLE", "BIGINT", "INTEGER")
        kinds = {"ts": "DOUBLE", "duration": "DOUBLE"} | {
            name: "BIGINT" for name in names if name.endswith(("_p", "_pkts", "_bytes"))
        }
        assert set(kinds.values()) <= set(numbers)
        spec = ", ".join(f"'{name}': '{kinds.get(name, 'VARCHAR')}'" for name in names)
        wanted = ", ".join(
            f'"{place}"'
            for field in connections.FIELDS.values()
            for place in field.places
            if place in names
        )
        return (
            f"SELECT {wanted} FROM read_csv('{path}', delim = '\t', quote = '', escape = '', "
            f"nullstr = '-', skip = 7, header = false, auto_detect = false, columns = {{{spec}}}, "
            "ignore_errors = true)"
        )
    types = columns(details=False)
    spec = ", ".join(
        f"'{place}': '{'VARCHAR' if place in _TEXTS else types[name]}'"
        for place, name in {
            field.places[0]: name for name, field in record_fields(details=False).items()
        }.items()
    )
    return f"SELECT * FROM read_json('{path}', format = 'newline_delimited', columns = {{{spec}}})"


def typed_labels(path: Path) -> str:
    """SQL that reads what a report needs of the labels, typed."""
    if path.name.startswith("eve"):
        return f"SELECT * FROM read_json('{path}', format = 'newline_delimited', columns = {_EVE})"
    form, _ = recognise_labels(open_file(duckdb.connect(), path), None, load_policy())
    wanted = ", ".join(dict.fromkeys(p for f in form.fields.values() for p in f.places))
    return f"SELECT {wanted} FROM read_csv('{path}')"


def measure(what: str, sessions: Path, labels: Path) -> None:
    """Runs in a process of its own, so that its memory is its own; prints what it cost."""
    begun, before = time.perf_counter(), time.process_time()
    if what == "typed":
        with tempfile.TemporaryDirectory() as spill:
            connection = duckdb.connect(
                config={
                    "memory_limit": "3GiB",
                    "temp_directory": spill,
                    "preserve_insertion_order": False,
                }
            )
            connection.execute(f"CREATE TABLE s AS {typed_sessions(sessions)}")
            connection.execute(f"CREATE TABLE l AS {typed_labels(labels)}")
    else:
        report = api.report(sessions, labels=[labels], keep_sessions=False)
        consistency = report.figures.consistency
        assert report.figures.complete
        assert consistency is not None and consistency.matched
    seconds, cpu = time.perf_counter() - begun, time.process_time() - before
    print(seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


@click.command()
@click.option("--rows", multiple=True, type=int, default=(200_000, 2_000_000))
@click.option("--case", "cases", multiple=True, type=click.Choice([*CASES]), default=[*CASES])
def main(rows: tuple[int, ...], cases: tuple[str, ...]) -> None:
    """Measure reports from files."""
    for number in rows:
        for case in cases:
            keys, write_sessions, write_labels = CASES[case]
            with tempfile.TemporaryDirectory() as directory:
                logs = Logs(Path(directory), number, keys)
                files = [write_sessions(logs), write_labels(logs)]
                if case == "gzip":
                    subprocess.run(["gzip", "-1", *files], check=True)
                    files = [file.with_name(f"{file.name}.gz") for file in files]
                typed = None
                for what in ("typed", "report"):
                    ran = subprocess.run(
                        [sys.executable, __file__, what, *files],
                        check=True,
                        capture_output=True,
                        text=True,
                    )
                    seconds, cpu, mebibytes = map(float, ran.stdout.split())
                    typed = typed or (seconds, cpu)
                    print(
                        f"{logs.rows:>12,} rows  {case:<6}  {what:<6} {seconds:7.2f} s  "
                        f"{seconds / typed[0]:5.2f} x typed   CPU {cpu:7.2f} s  "
                        f"{cpu / typed[1]:5.2f} x typed  {mebibytes:6.0f} MiB",
                        flush=True,
                    )


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] in ("typed", "report"):
        measure(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
