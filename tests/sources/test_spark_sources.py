"""Spark reads sources itself: the same sessions, labels and warnings as on one machine."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import label_samples as samples
import mailtap
from mailtap.labels import LabelError, LabelFile
from mailtap.labels import load as load_labels
from mailtap.policy import load_policy
from mailtap.records.database import open_database
from mailtap.records.zstandard import zstd
from mailtap.sessions import SourceError
from mailtap.sessions import load as load_sessions
from prerequisites import JAVA, SPARK
from zeek_logs import as_json, as_tsv, connection, session

pytest.importorskip("pyspark", reason=SPARK)
if shutil.which("java") is None:
    pytest.skip(JAVA, allow_module_level=True)

from mailtap.spark import sources as spark_sources
from mailtap.spark.engine import SparkEngine, open_spark
from mailtap.spark.sources import load_labels as spark_labels
from mailtap.spark.sources import load_sessions as spark_sessions

Rows = list[dict[str, Any]]

POLICY = load_policy()
MANY = 200


def lines_of(name: str) -> str:
    return as_json(
        *(
            session(f"{name}{n}", subject="Grüße, ü" * (n % 3), mailfrom=[f"{n}@x.net"] * (n % 2))
            for n in range(MANY)
        )
    )


LINES = lines_of("C")


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkEngine]:
    with open_spark("local[2]") as engine:
        engine.rows("SET spark.sql.shuffle.partitions = 2")
        yield engine


@pytest.fixture
def divided(spark: SparkEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Files are divided among tasks, a few lines each."""
    monkeypatch.setattr(spark_sources, "DIVIDED_ABOVE", 0)
    spark.rows("SET spark.sql.files.openCostInBytes = 1")
    spark.rows("SET spark.sql.files.maxPartitionBytes = 30000")
    yield
    spark.rows("RESET spark.sql.files.openCostInBytes")
    spark.rows("RESET spark.sql.files.maxPartitionBytes")


def ordered(rows: Rows, number: str) -> list[str]:
    """Rows as texts in an order of their own: which number one gets is the engine's matter."""
    return sorted(
        json.dumps({key: row[key] for key in sorted(row) if key != number}) for row in rows
    )


def here(table: str, load: Callable[[duckdb.DuckDBPyConnection], Any]) -> tuple[Rows, Any]:
    with open_database() as database:
        loaded = load(database)
        result = database.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in result.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        return rows, loaded.warnings


def same_sessions(spark: SparkEngine, *paths: Path) -> Rows:
    """The sessions of Spark's reading, which are those of DuckDB's."""
    expected, warnings = here(
        "sessions", lambda database: load_sessions(database, paths, POLICY, details=True)
    )
    assert spark_sessions(spark, paths, POLICY, details=True) == warnings
    found = spark.rows("SELECT * FROM sessions")
    assert ordered(found, "session_id") == ordered(expected, "session_id")
    assert len({row["session_id"] for row in found}) == len(found)
    return found


def same_labels(spark: SparkEngine, *files: LabelFile) -> Rows:
    expected, warnings = here("labels", lambda database: load_labels(database, files, POLICY))
    assert spark_labels(spark, files, POLICY) == warnings
    found = spark.rows("SELECT * FROM labels")
    assert ordered(found, "label_id") == ordered(expected, "label_id")
    return found


@pytest.mark.usefixtures("divided")
def test_a_divided_file_with_malformed_lines(spark: SparkEngine, tmp_path: Path) -> None:
    lines = LINES.splitlines(keepends=True)
    lines[150] = "{\n"
    lines[170] = '{"uid": "C170"}\n'
    path = tmp_path / "sessions.jsonl"
    path.write_text("".join(lines))
    assert len(same_sessions(spark, path)) == MANY - 2
    parts = spark.rows("SELECT tally FROM staged_sessions WHERE tally IS NOT NULL")
    assert len(parts) > 2


def test_each_compression_and_a_file_that_is_cut_off(spark: SparkEngine, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.gz", "b.zst", "c.gz", "d {odd} [name]*.jsonl")]
    a, b, c, d = (lines_of(name) for name in "abcd")
    cut_off = gzip.compress(c.encode())[:-100]
    contents = gzip.compress(a.encode()), zstd.compress(b.encode()), cut_off, d.encode()
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    assert same_sessions(spark, *paths)


@pytest.mark.usefixtures("divided")
def test_a_folder_of_zeeks_own_logs(spark: SparkEngine, tmp_path: Path) -> None:
    """Records and connections of one uid are one session, whichever log has it."""
    (tmp_path / "2026").mkdir()
    connections = [connection(f"C{n}") for n in range(MANY)]
    (tmp_path / "conn.log").write_text(as_tsv(*connections, connection("D", proto="udp")))
    (tmp_path / "2026" / "conn.1.log").write_text(as_tsv(*connections[:3]))
    (tmp_path / "2026" / "mail_session.log").write_text(as_json(session("C1"), session("E")))
    (tmp_path / "conn-summary.log").write_text("no log of records")
    assert len(same_sessions(spark, tmp_path)) == MANY + 1


def test_stock_zeeks_smtp_log_completes_connections(spark: SparkEngine, tmp_path: Path) -> None:
    (tmp_path / "conn.log").write_text(as_json(connection("C1"), connection("C2")))
    message = {"uid": "C1", "id.orig_h": "192.0.2.10", "trans_depth": 1, "mailfrom": "a@x.example"}
    other = message | {"trans_depth": 2, "mailfrom": "b@x.example", "tls": True}
    (tmp_path / "smtp.log").write_text(as_json(message, other))
    rows = same_sessions(spark, tmp_path)
    assert sorted(len(row["mailfrom"] or ()) for row in rows) == [0, 2]


@pytest.mark.usefixtures("divided")
def test_a_gateways_export(spark: SparkEngine, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    rows = "".join(
        f"{1700000000 + n},192.0.2.10,{40000 + n},198.51.100.25,25,smtp,{'MAIL' * (n % 50 > 0)}\n"
        for n in range(1000)
    )
    path.write_text("start_time,client_ip,client_port,server_ip,server_port,app,decode_as\n" + rows)
    found = same_sessions(spark, path)
    assert {row["label_protocol"] for row in found} == {"smtp"}


def test_parquet_in_a_folder_of_days(spark: SparkEngine, tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    lines.write_text(LINES)
    for day in (1, 2):
        folder = tmp_path / "days" / f"date={day}"
        folder.mkdir(parents=True)
        mailtap.write_sessions(lines, folder / "part.parquet")
        (folder / "_SUCCESS").touch()
    assert len(same_sessions(spark, tmp_path / "days")) == MANY


@pytest.mark.usefixtures("divided")
def test_labels_of_each_kind(spark: SparkEngine, tmp_path: Path) -> None:
    contents = {
        "nfstream.csv": samples.NFSTREAM,
        "eve.json": samples.suricata() + "\n" + samples.suricata(event_type="alert") + "\n{\n",
        "ndpid.json": samples.ndpid("detected", 1, "SMTP")
        + samples.ndpid("detection-update", 3, "SMTPS.Google")
        + samples.ndpid("guessed", 5, "Unknown", "1")
        + samples.ndpid("end", 9, None),
        "fortigate.log": samples.FORTIGATE_SCANNED,
        "panos.log": samples.panos(),
    }
    files = []
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
        files.append(LabelFile(tmp_path / name, engine="lab" if "eve" in name else None))
    mailtap.write_labels(tmp_path / "nfstream.csv", tmp_path / "labels.parquet")
    rows = same_labels(spark, *files, LabelFile(tmp_path / "labels.parquet"))
    assert {row["engine"] for row in rows} == {"nfstream", "lab", "ndpid", "fortigate", "panos"}


def test_no_labels_are_an_empty_table(spark: SparkEngine) -> None:
    assert same_labels(spark) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("nothing", None),
        ("text", b"a,b\n1,2\n"),
        ("cut.parquet", b"PAR1PAR1"),
        ("not.parquet", b"uid,ts\n"),
        ("broken.gz", b"\x1f\x8b\xff" + b"broken" * 9),
        ("smtp.log", as_tsv(session("C1"), fields={"uid": "string"}).encode()),
    ],
)
def test_what_is_no_source_is_one_line(
    spark: SparkEngine, tmp_path: Path, name: str, content: bytes | None
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError) as raised:
        spark_sessions(spark, [path], POLICY, details=False)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_a_wrong_type_is_one_line(spark: SparkEngine, tmp_path: Path) -> None:
    lines, right, wrong = (tmp_path / name for name in ("lines", "right.parquet", "wrong.parquet"))
    lines.write_text(samples.NFSTREAM)
    duckdb.execute(f"COPY (FROM read_csv('{lines}')) TO '{right}' (FORMAT parquet)")
    duckdb.execute(
        f"COPY (SELECT * REPLACE ('x'::BLOB AS src_port) FROM '{right}') TO '{wrong}' "
        "(FORMAT parquet)"
    )
    with pytest.raises(LabelError, match=r'wrong\.parquet: column "src_port" has type BLOB'):
        spark_labels(spark, [LabelFile(wrong)], POLICY)
