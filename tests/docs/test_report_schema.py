"""The JSON Schema of the report: what the tests validate every report against (see conftest.py)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest

import mailtap
from fieldcapture.gateway import Share, write_gateway_export
from mailtap.report import schema as schema_module
from mailtap.report.schema import schema


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    export = tmp_path_factory.mktemp("schema") / "export.csv"
    write_gateway_export(
        export, makeup=(Share("smtp", 25, "MAIL", 5), Share("smtp", 25, "BASE", 2))
    )
    with mailtap.report(export) as report:
        return report.to_dict()


def test_it_is_a_schema_and_the_api_publishes_it() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert mailtap.Report.schema() == schema()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda report: report.pop("mail"),
        lambda report: report.update(unknown=1),
        lambda report: report["direction"].update(c2s="many"),
        lambda report: report["consistency"]["consistent"].update(ci95=[0.5]),
        lambda report: report["consistency"]["matrix"][0].pop("app"),
    ],
)
def test_a_document_of_another_form_is_refused(document: dict[str, Any], spoil: Any) -> None:
    other = deepcopy(document)
    jsonschema.validate(other, schema())
    spoil(other)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(other, schema())


def test_a_field_of_a_type_without_a_form_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Odd:
        moment: complex

    monkeypatch.setattr(schema_module, "Report", Odd)
    with pytest.raises(TypeError, match="complex"):
        schema()
