"""The SQL over a file and the Python over one record are the same importer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import label_samples as samples
from label_oracle import Label, normalise
from label_rows import rows
from mailtap.labels import LabelFile, load
from mailtap.labels.formats import FORMATS, LabelFormat, generic
from mailtap.labels.table import RECORDS
from mailtap.policy import Policy
from mailtap.records.containers import Csv, KeyValue, Positional
from mailtap.records.json_records import JsonLines

FORM = {form.name: form for form in FORMATS}

ADDRESSES = st.sampled_from(
    ["192.0.2.1", "2001:DB8::1", "::ffff:192.0.2.1", "::", "1.2.3", "01.2.3.4", "", " 192.0.2.9 "]
) | st.ip_addresses().map(str)
PORTS = st.sampled_from(["25", "0", "65535", "65536", "-1", "x", "", "00025"]) | st.integers(
    0, 70000
).map(str)
NAMES = st.sampled_from(
    [
        "SMTP",
        "imaps.Google",
        "TLS",
        "Unknown",
        "",
        "http.imap",
        "a\x1b[31mb",
        "[red]x[/]",
        "\u017fmtp",
    ]
) | st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\r\n\x01"), max_size=9
)
TIMES = (
    st.floats(0, 2e9, allow_nan=False).map(str)
    | st.integers(0, 2 * 10**18).map(str)
    | st.datetimes().map(str)
    | st.sampled_from(
        [
            "2023-11-14T22:13:20.25+0530",
            "2023/11/14 22:13:20",
            "2023-02-30 00:00:00",
            "2023-01-01T24:00:00Z",
            "2023-01-01 23:59:60",
            "0000-01-01 00:00:00",
            "1e3",
            "nan",
            "-5",
            "",
        ]
    )
)
COUNTS = st.integers(0, 10**19).map(str) | st.sampled_from(["", "1.5", "-3", "x"])
TRANSPORTS = st.sampled_from(["6", "tcp", "TCP", "17", "UDP", "", "icmp"])

VALUES = {
    "name": NAMES,
    "evidence": st.sampled_from(["6", "1", "unscanned", "PAYLOAD", "", "words 5"]),
    "src_ip": ADDRESSES,
    "dst_ip": ADDRESSES,
    "src_port": PORTS,
    "dst_port": PORTS,
    "l4": TRANSPORTS,
    "community_id": st.sampled_from(["1:abc=", ""]),
    "start": TIMES,
    "end": TIMES,
    "duration": st.sampled_from(["0", "1.5", "", "-2", "x"]),
    "packets": COUNTS,
    "nat_src_ip": ADDRESSES,
    "nat_dst_ip": ADDRESSES,
    "nat_src_port": PORTS,
    "nat_dst_port": PORTS,
}


@st.composite
def texts_of(draw: st.DrawFn, form: LabelFormat) -> dict[str, str]:
    """A record of a format: mostly sensible, each value now and then missing or absurd."""
    record: dict[str, str] = {}
    for name, field in form.fields.items():
        for place in field.places:
            if draw(st.integers(0, 7)):
                record[place] = draw(VALUES[name])
    for condition in form.conditions:
        record[condition.place] = draw(st.sampled_from([*condition.values, "else"]))
    return record


def as_row(label: Label) -> dict[str, Any]:
    nat = label.nat_endpoints or (None, None, None, None)
    row = {
        name: getattr(label, name)
        for name in Label.__dataclass_fields__
        if name not in ("endpoints", "nat_endpoints")
    }
    row |= label.endpoints._asdict()
    return row | dict(zip(("nat_ip_a", "nat_port_a", "nat_ip_b", "nat_port_b"), nat, strict=True))


def compare(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    path: Path,
    form: LabelFormat,
    content: str,
    parse: Callable[[str], Any],
    lines: list[str],
) -> None:
    path.write_text(content, newline="")
    connection.execute(f"DROP TABLE IF EXISTS {RECORDS}")
    loaded = load(connection, [LabelFile(path, form.name)], policy)
    labels = [
        label
        for line in lines
        if (texts := parse(line)) is not None
        and (label := normalise(form, texts, policy)) is not None
    ]
    by_sql = [
        {key: value for key, value in row.items() if key not in ("label_id", "source")}
        for row in rows(connection)
    ]
    by_record = [as_row(label) for label in labels]
    assert [row for row in by_sql if row not in by_record] == []
    assert [row for row in by_record if row not in by_sql] == []
    assert len(by_sql) == len(by_record)
    assert len(by_sql) + loaded.files[0].other + loaded.files[0].malformed == len(lines)


SETTINGS = settings(
    print_blob=False,
    phases=(Phase.explicit, Phase.generate),
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
JSON_FORMATS = [form for form in FORMATS if form.container == "json" and form.statements is None]


@pytest.mark.parametrize("form", JSON_FORMATS, ids=lambda form: form.name)
@SETTINGS
@given(data=st.data())
def test_json_lines(
    form: LabelFormat,
    data: st.DataObject,
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    tmp_path: Path,
) -> None:
    records = data.draw(st.lists(texts_of(form), min_size=1, max_size=40))
    lines = [json.dumps(record) for record in records]
    compare(
        connection,
        policy,
        tmp_path / "labels",
        form,
        "".join(f"{line}\n" for line in lines),
        JsonLines().parse,
        lines,
    )


CSV_FORMATS = [form for form in FORMATS if form.container == "csv"]


@pytest.mark.parametrize("form", CSV_FORMATS, ids=lambda form: form.name)
@SETTINGS
@given(data=st.data())
def test_csv(
    form: LabelFormat,
    data: st.DataObject,
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    tmp_path: Path,
) -> None:
    places = list(dict.fromkeys(p for field in form.fields.values() for p in field.places))
    records = data.draw(st.lists(texts_of(form), min_size=1, max_size=40))
    lines = [
        ",".join('"' + record.get(p, "").replace('"', '""') + '"' for p in places)
        for record in records
    ]
    header = ",".join(places)
    compare(
        connection,
        policy,
        tmp_path / "labels",
        form,
        "\n".join([header, *lines]) + "\n",
        Csv.of_header(header).parse,
        lines,
    )


@SETTINGS
@given(data=st.data())
def test_key_value(
    data: st.DataObject, connection: duckdb.DuckDBPyConnection, policy: Policy, tmp_path: Path
) -> None:
    form = FORM["fortigate"]
    records = data.draw(st.lists(texts_of(form), min_size=1, max_size=40))
    lines = [
        " ".join(
            '{}="{}"'.format(key, value.replace("\\", "").replace('"', ""))
            for key, value in record.items()
        )
        for record in records
    ]
    compare(
        connection,
        policy,
        tmp_path / "labels",
        form,
        "".join(f"{line}\n" for line in lines),
        KeyValue().parse,
        lines,
    )


@SETTINGS
@given(data=st.data())
def test_positional(
    data: st.DataObject, connection: duckdb.DuckDBPyConnection, policy: Policy, tmp_path: Path
) -> None:
    form = FORM["panos"]
    records = data.draw(st.lists(texts_of(form), min_size=1, max_size=40))
    lines = [
        ",".join(record.get(str(n), "").replace(",", ";").replace('"', "") for n in range(40))
        for record in records
    ]
    compare(
        connection,
        policy,
        tmp_path / "labels",
        form,
        "".join(f"{line}\n" for line in lines),
        Positional().parse,
        lines,
    )


@SETTINGS
@given(data=st.data())
def test_generic_json(
    data: st.DataObject, connection: duckdb.DuckDBPyConnection, policy: Policy, tmp_path: Path
) -> None:
    form = generic("jsonl", policy.generic)
    records = data.draw(st.lists(texts_of(form), min_size=1, max_size=40))
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    compare(
        connection,
        policy,
        tmp_path / "labels",
        form,
        "".join(f"{line}\n" for line in lines),
        JsonLines().parse,
        lines,
    )


def test_a_stream_of_events_can_be_read_one_by_one(policy: Policy) -> None:
    texts = JsonLines().parse(samples.ndpid("detected", 3, "SMTP"))
    assert texts is not None
    label = normalise(FORM["ndpid"], texts, policy)
    assert label is not None
    assert (label.app, label.provenance, label.start) == ("smtp", "payload", 1_700_000_000.25)
