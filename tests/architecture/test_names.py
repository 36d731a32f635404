"""Names that are kept in several files are the same in all of them."""

from __future__ import annotations

import re
from pathlib import Path

from mailtap.correlation.verdicts import CAUSES, UNEXPLAINED
from mailtap.labels.formats import FORMATS
from mailtap.policy import load_policy
from mailtap.sessions.schema import FIELDS

CHECKOUT = Path(__file__).parents[2]


def decoded_fields() -> set[str]:
    """The fields of the session record that the decoder fills."""
    header = (CHECKOUT / "zeek/decoder/facts_fields.h").read_text(encoding="utf-8")
    return set(re.findall(r'visit\("(\w+)"', header))


def test_every_field_of_the_decoder_is_in_the_table_of_fields() -> None:
    assert decoded_fields() <= {field.name for field in FIELDS}


def test_zeek_s_record_has_every_field_of_the_decoder() -> None:
    script = (CHECKOUT / "zeek/plugin/scripts/types.zeek").read_text(encoding="utf-8")
    assert decoded_fields() <= set(re.findall(r"^\s+(\w+): ", script, re.MULTILINE))


def test_the_decoder_s_type_stub_has_every_field() -> None:
    stub = (CHECKOUT / "python/mailtap/_engine.pyi").read_text(encoding="utf-8")
    assert decoded_fields() <= set(re.findall(r'"(\w+)": ', stub))


def test_zeek_takes_every_cause() -> None:
    script = (CHECKOUT / "zeek/scripts/consistency/main.zeek").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^const causes = set\((.*?)\);", script, re.DOTALL | re.MULTILINE)
    assert set(re.findall(r'"(\w+)"', listed)) == {*CAUSES, UNEXPLAINED}


def test_causes_are_documented_in_their_order() -> None:
    page = (CHECKOUT / "docs/verdicts.md").read_text(encoding="utf-8")
    table = page.partition("## Cause")[2].partition("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == (*CAUSES, UNEXPLAINED)


def test_there_is_something_to_do_about_every_cause() -> None:
    actions = load_policy(None).actions
    assert {*CAUSES, UNEXPLAINED} <= {cause for action in actions for cause in action.causes}


def test_the_policy_has_the_engine_of_every_label_format() -> None:
    assert {form.engine for form in FORMATS} <= set(load_policy(None).engines)
