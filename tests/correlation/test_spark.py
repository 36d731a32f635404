"""The same tables give the same report in Spark as in DuckDB."""

from __future__ import annotations

import json
import os
import random
import shutil
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest

from mailtap.correlation.engines import DuckDBEngine
from mailtap.policy import load_policy
from mailtap.report.build import build_report
from mailtap.report.json import document
from mailtap.report.listing import listing
from prerequisites import JAVA, SPARK
from tables import Row, database, label, session

pytest.importorskip("pyspark", reason=SPARK)
if shutil.which("java") is None:
    pytest.skip(JAVA, allow_module_level=True)

from mailtap.spark.engine import open_spark


def drawn(count: int, seed: int) -> tuple[list[Row], list[Row]]:
    """Sessions of two sensors and labels of two files, with all that makes a join hard."""
    generator = random.Random(seed)
    sessions, labels = [], []
    for number in range(count):
        start = round(1_760_000_000 + generator.random() * 5000, 6)
        length = round(generator.random() * 20, 6)
        mail = generator.random() < 0.6
        protocol, port = generator.choice([("smtp", 25), ("pop3", 110), ("imap", 143)])
        side = generator.choice(["c2s", "s2c", "bidirectional"])
        common = {
            "client_p": generator.randrange(2000, 2000 + count // 3),
            "server_h": f"192.0.2.{generator.randrange(1, 20)}",
            "server_p": generator.choice([port, port, port, 8080]),
            "ts": start,
            "duration": generator.choice([length, None]),
            "direction": side,
            "community_id": f"1:{number}=",
        }
        more = {
            "service": protocol if mail else None,
            "starttls": generator.choice([None, "none", "requested", "tls"]),
            "implicit_tls": generator.choice([None, False, True]),
            "decode_as": "MAIL" if mail else generator.choice(["BASE", "SSL", "HTTP", None]),
            "effective": generator.random() < 0.8,
            "gap_bytes": generator.choice([0, 0, 0, 9]),
            "midstream": generator.random() < 0.2,
            "empty_cause": generator.choice([None, "greeting_only", "hello_only"]),
            "mailfrom": generator.choice([None, ["a@example.net"], ["a@b.example", "<>"]]),
            "messages": generator.choice([None, 0, 3]),
            "uid": generator.choice([None, f"C{number}", f"C{number}"]),
            "findings": generator.choice([None, ["preauth"], ["smuggled", "preauth"]]),
            "cert_names": generator.choice([None, ["mx.example", "smtp.gmail.com"]]),
        }
        sensor = generator.choice(["north", "south", None])
        sessions.append(session(2 * number, sensor=sensor, **common, **more))
        if side == "c2s" and sensor == "north":
            half = common | {"ts": start + 0.1, "direction": "s2c"}
            sessions.append(session(2 * number + 1, sensor="south", **half, **more))
        if generator.random() < 0.9:
            file = generator.choice(["one.csv", "two.csv"])
            late = 3600 if file == "two.csv" else 0.01
            made = label(
                number,
                source=file,
                name=generator.choice(["SMTPS.Google", "SMTPS"]),
                engine="ndpi" if file == "one.csv" else "suricata",
                src_port=common["client_p"],
                dst_ip=common["server_h"],
                dst_port=common["server_p"],
                start=start + late,
                end=start + late + length,
                app=generator.choice([protocol, protocol, "http." + protocol, "ssh"]),
                protocol=generator.choice([protocol, protocol, None]),
                encryption=generator.choice(["none", "tls", "unknown"]),
                carrier=generator.choice([None, None, None, "http"]),
                provenance=generator.choice(["payload", "port", "unknown"]),
                is_label=generator.random() < 0.95,
                community_id=common["community_id"],
            )
            if generator.random() < 0.1:
                made |= dict.fromkeys(("ip_a", "port_a", "ip_b", "port_b"))
            labels += [made, made | {"label_id": number + count}][: generator.choice([1, 1, 2])]
    return sessions, labels


def rounded(value: Any) -> Any:
    """The value with its floats to nine digits: the engines add them up in different orders."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner) for inner in value]
    return round(value, 9) if isinstance(value, float) else value


def test_spark_gives_the_same_document_and_the_same_sessions(tmp_path: Path) -> None:
    connection = database(*drawn(count=600, seed=7))
    policy = load_policy()
    options = {"engine_name": "any", "with_labels": True, "listing": True}
    engine = DuckDBEngine(connection)
    expected = build_report(engine, policy, **options)
    engine.write_json_lines(listing((), judged=True), tmp_path / "duckdb.jsonl")
    with open_spark() as spark:
        spark.hand_over(connection, ("sessions", "labels"))
        found = build_report(spark, policy, **options)
        spark.write_json_lines(listing((), judged=True), tmp_path / "spark.jsonl")

    consistency = expected.consistency
    assert consistency is not None
    # The data has what the comparison is about.
    assert expected.stitched
    assert consistency.several
    assert any(clock.applied for clock in consistency.clock_offsets)
    assert len([n for n in consistency.causes.values() if n]) > 8
    assert any(service.agree for service in expected.tls.services)

    assert rounded(document(found)) == rounded(document(expected))
    assert found.examples == expected.examples
    lines = [
        sorted(json.dumps(json.loads(line), sort_keys=True) for line in path.open())
        for path in (tmp_path / "duckdb.jsonl", tmp_path / "spark.jsonl")
    ]
    assert lines[0] == lines[1]
    assert len(consistency.by_engine) == 2


def test_spark_on_this_machine_listens_on_loopback_only() -> None:
    """Its driver runs whatever code an executor that connects asks for."""
    with open_spark() as spark:
        assert spark.rows("SELECT 1 AS n") == [{"n": 1}]
        addresses = listening(java_processes())
    assert addresses
    assert {address for address in addresses if not address.is_loopback} == set()


def java_processes() -> list[Path]:
    """Of this process's children."""
    children = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may have ended
            status = (process / "status").read_text()
            if status.startswith("Name:\tjava") and f"PPid:\t{os.getpid()}\n" in status:
                children.append(process)
    return children


def listening(processes: list[Path]) -> set[IPv4Address | IPv6Address]:
    """The addresses at which processes take TCP connections."""
    sockets = {
        link.readlink().name.removeprefix("socket:[").removesuffix("]")
        for process in processes
        for link in (process / "fd").iterdir()
        if str(link.readlink()).startswith("socket:")
    }
    addresses = set()
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and rest[5] in sockets:
                packed = bytes.fromhex(local.partition(":")[0])
                # Words of four bytes, each in the order of this machine.
                words = (packed[n : n + 4][::-1] for n in range(0, len(packed), 4))
                address = ip_address(b"".join(words))
                mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
                addresses.add(mapped or address)
    return addresses
