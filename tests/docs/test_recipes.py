"""The recipes of CONTRIBUTING.md, followed, and what the reference has to name."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mailtap
from fieldcapture.gateway import Share, write_gateway_export
from mailtap.correlation import verdicts
from mailtap.correlation.conditions import Condition, Is
from mailtap.labels import detect
from mailtap.report import consistency, tls
from mailtap.report.glossary import glossary
from mailtap.sessions import vocabulary
from mailtap.sessions.vocabulary import DECODE_AS, DIRECTIONS, EMPTY_CAUSES, FINDINGS

CHECKOUT = Path(__file__).parents[2]


def recipe(title: str) -> str:
    text = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return text.partition(f"### {title}\n")[2].partition("\n##")[0]


def block(language: str, text: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize("field", ["helo", "last_command", "banner"])
def test_a_field_of_the_record_is_in_each_file_that_the_recipe_names(field: str) -> None:
    steps = recipe("A field of the session record").partition("\n\nA field that is not")[0]
    files = re.findall(r"`((?:zeek|python)/[\w/.]+)`", steps)
    assert len(files) >= 6
    lacking = [name for name in files if not re.search(rf"\b{field}\b", _text(name))]
    assert lacking == []


def test_the_decoder_s_findings_are_in_each_file_that_the_recipe_names() -> None:
    files = re.findall(r"`((?:zeek|python|docs|tests)/[\w/.]+)`", recipe("A finding"))
    cases = "".join(_text(name) for name in files[3:])
    for place in (*map(_text, files[:3]), cases):
        assert [finding for finding in FINDINGS if finding not in place] == [], files
    added = re.findall(r'^    add\(.*"(\w+)"\);$', _text(files[0]), re.MULTILINE)
    assert tuple(added) == FINDINGS
    rows = re.findall(r"^\| `(\w+)` \|", _text("docs/guides/findings.md"), re.MULTILINE)
    assert tuple(rows[: len(FINDINGS)]) == FINDINGS


@pytest.fixture
def another_finding(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A finding more in the vocabulary, as if it had always been there."""
    with monkeypatch.context() as patch:
        patch.setattr(vocabulary, "FINDINGS", (*FINDINGS, "another"))
        importlib.reload(tls)
        yield
    importlib.reload(tls)


@pytest.mark.usefixtures("another_finding")
def test_a_finding_is_counted_by_reports(tmp_path: Path) -> None:
    session = {
        "ts": 1.0,
        "id.orig_h": "192.0.2.1",
        "id.orig_p": 1,
        "id.resp_h": "192.0.2.25",
        "id.resp_p": 25,
        "service": "smtp",
        "direction": "c2s",
        "effective": True,
        "decode_as": "MAIL",
        "starttls": "none",
        "uid": "C1",
        "findings": ["another"],
    }
    (tmp_path / "sessions.jsonl").write_text(json.dumps(session) + "\n")
    with mailtap.report(tmp_path / "sessions.jsonl") as report:
        assert report.to_dict()["findings"]["another"] == 1


def test_a_label_format_is_detected_named_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = recipe("A label format")
    names: dict[str, Any] = {}
    exec(block("python", text), names)  # noqa: S102  # the recipe's own example
    monkeypatch.setattr(detect, "FORMATS", (names["ACME"], *detect.FORMATS))
    monkeypatch.setattr(detect, "FORMAT_NAMES", ("acme", *detect.FORMAT_NAMES))
    path = tmp_path / "acme.csv"
    path.write_text(block("text", text))
    for file in (str(path), f"{path}:acme"):
        (label,) = mailtap.labels(file)
        assert (label.protocol, label.encryption, label.dst_port) == ("smtp", "tls", 25)


def test_a_cause_is_counted_by_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = verdicts._causes

    def with_another(*arguments: Any) -> dict[str, Condition]:
        return {"another": Is("server_p", 25), **usual(*arguments)}

    monkeypatch.setattr(verdicts, "_causes", with_another)
    causes = ("another", *verdicts.CAUSES)
    for module in (verdicts, consistency):
        monkeypatch.setattr(module, "CAUSES", causes)
    write_gateway_export(tmp_path / "export.csv", makeup=(Share("smtp", 25, "BASE", 4),))
    with mailtap.report(tmp_path / "export.csv") as report:
        assert report.figures.consistency is not None
        assert report.figures.consistency.causes["another"] == 4


def test_every_cause_is_in_the_glossary_and_has_its_row() -> None:
    causes = {*verdicts.CAUSES, verdicts.UNEXPLAINED}
    assert set(glossary()["causes"]) == causes
    rows = re.findall(r"^\| `(\w+)` \|", _text("docs/explanation/verdicts.md"), re.MULTILINE)
    assert causes <= set(rows)


def test_every_other_name_of_a_fixed_vocabulary_is_in_the_glossary() -> None:
    assert set(glossary()["empty_causes"]) == set(EMPTY_CAUSES)
    assert {*DECODE_AS, *DIRECTIONS} <= set(glossary()["concepts"])


def test_every_public_name_of_the_package_is_in_the_reference() -> None:
    reference = _text("docs/reference/python.md")
    lacking = [name for name in mailtap.__all__ if not re.search(rf"\b{name}\b", reference)]
    assert lacking == ["__version__"]


def _text(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")
