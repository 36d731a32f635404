"""A batch is read as each record alone would be, one by one or by the column."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from label_oracle import normalise
from mailtap.labels.formats import FORMATS, LabelFormat, generic
from mailtap.live.batches import records
from mailtap.live.batches.sessions import SessionReader
from mailtap.live.labels.reader import LabelReader
from mailtap.policy import load_policy
from mailtap.records.json_records import JsonLines, JsonTexts
from mailtap.sessions.schema import record_fields
from mailtap.sessions.session_records import REQUIRED

POLICY = load_policy(None)
SESSIONS = SessionReader()


@pytest.fixture(params=[0, records.FEW], ids=["in Arrow", "in lists"], autouse=True, scope="module")
def few(request: pytest.FixtureRequest) -> Iterator[None]:
    """Has small batches read as large ones are, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "FEW", request.param)
        yield


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 10**19)
    # Other numbers may be written in several ways, and the report's is not Python's.
    | st.integers(-(10**12), 10**15).map(lambda thousandths: thousandths / 1000)
    | st.sampled_from(
        [
            "",
            " ",
            "smtp",
            " smtp ",
            "192.0.2.1",
            "2001:DB8::1",
            "::ffff:192.0.2.1",
            "25",
            "065",
            "1700000000.5",
            "2023-11-14T22:13:20Z",
            "T",
            "a\x1b[31mb",
            "x" * 300,
            "\u202e",
            "[]",
            "-0",
        ]
    )
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
# Control characters in JSON text may be written in two ways, and the report's is not Python's.
INNER = SCALARS.filter(lambda value: not isinstance(value, str) or value.isprintable())
VALUES = SCALARS | st.lists(INNER, max_size=2) | st.dictionaries(st.sampled_from("ab"), INNER)


def records_of(places: list[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Records with values at these places, dotted ones also as objects within each other."""

    def nested(record: dict[str, Any], deep: bool) -> dict[str, Any]:
        if not deep:
            return record
        result: dict[str, Any] = {}
        for place, value in record.items():
            outer, dot, inner = place.partition(".")
            if dot and isinstance(result.setdefault(outer, {}), dict):
                result[outer][inner] = value
            elif not dot:
                result[place] = value
        return result

    one = st.builds(
        nested,
        st.fixed_dictionaries({}, optional=dict.fromkeys(places, VALUES)),
        st.booleans(),
    )
    return st.lists(one, min_size=1, max_size=4)


SESSION_FIELDS = record_fields(details=False)
SESSION_PLACES = sorted({place for field in SESSION_FIELDS.values() for place in field.places})


@given(records_of(SESSION_PLACES))
def test_each_field_of_a_session_is_what_the_field_says(records: list[dict[str, Any]]) -> None:
    batch = SESSIONS([json.dumps(record) for record in records])
    for name, field in SESSION_FIELDS.items():
        expected = [field.python(JsonTexts(record)) for record in records]
        assert batch.fields.values(name) == expected, name


@given(records_of(SESSION_PLACES))
def test_a_record_without_its_flow_is_no_session(records: list[dict[str, Any]]) -> None:
    expected = [
        all(SESSION_FIELDS[name].python(JsonTexts(record)) is not None for name in REQUIRED)
        for record in records
    ]
    assert SESSIONS([json.dumps(record) for record in records]).is_session == expected


JSON_FORMATS = [form for form in FORMATS if form.container == "json"]
JSON_FORMATS.append(generic("jsonl", POLICY.generic))


@pytest.mark.parametrize("form", JSON_FORMATS, ids=lambda form: form.name)
@given(data=st.data())
def test_each_label_is_what_its_format_says(form: LabelFormat, data: st.DataObject) -> None:
    places = sorted({place for field in form.fields.values() for place in field.places})
    records = data.draw(records_of(places))
    for record in records:
        for condition in form.conditions:
            if data.draw(st.booleans()):
                record[condition.place] = condition.values[0]
    lines = [json.dumps(record).encode() for record in records]
    expected = [
        label
        for record in records
        if (label := normalise(form, JsonTexts(record), POLICY)) is not None
        and label.endpoints is not None  # which live mode joins by
    ]
    batch = LabelReader(form, JsonLines(), POLICY)(lines)
    assert len(batch.flows) + batch.other + batch.malformed == len(records)
    assert len(batch.flows) == len(expected)
    for row, label in zip(batch.flows.rows(), expected, strict=True):
        known = asdict(label)
        for name in ("name", "app", "protocol", "encryption", "carrier", "provenance", "is_label"):
            assert row[name] == known[name]
        for name in ("src_ip", "src_port", "dst_ip", "dst_port", "community_id", "packets"):
            assert row[name] == known[name]
        for name in ("start", "end"):
            assert row[name] is None or math.isfinite(row[name])
