"""What `packaging/` promises, held against what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from snapshots import usual

from mailtap.live.page.metrics import exposition
from prerequisites import need_program

PACKAGING = Path(__file__).parents[3] / "packaging"

#: By which a name in an expression is known to be a metric of MailTap's.
METRIC = re.compile(r"\bmailtap_\w+")
LABELS = re.compile(r"\b(mailtap_\w+)\{([^}]*)\}")


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """Names of the samples at /metrics, and the labels that each has."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(exposition(usual()).decode()):
        for one in family.samples:
            found.setdefault(one.name, set()).update(one.labels)
    return found


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((PACKAGING / "prometheus" / "mailtap.rules.yml").read_text())
    (group,) = document["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PACKAGING / "grafana" / "mailtap-live.json").read_text())
    return found


def expressions() -> Iterator[str]:
    for rule in rules():
        yield rule["expr"]
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield target["expr"]
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["definition"]


def test_every_metric_that_is_asked_for_is_exported(exported: dict[str, set[str]]) -> None:
    asked = {name for expression in expressions() for name in METRIC.findall(expression)}
    assert asked
    assert asked <= set(exported)


def test_what_is_recorded_is_what_is_asked_for() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    assert {
        name for one in expressions() for name in re.findall(r"\bmailtap:\w+:\w+", one)
    } == recorded


def test_every_label_that_is_asked_for_is_there(exported: dict[str, set[str]]) -> None:
    # Prometheus itself adds the instance.
    for expression in expressions():
        for name, matchers in LABELS.findall(expression):
            labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
            assert labels <= exported[name] | {"instance"}, expression


def test_parentheses_and_brackets_close() -> None:
    closing = {")": "(", "}": "{", "]": "["}
    for expression in expressions():
        opened: list[str] = []
        for character in re.sub(r'"[^"]*"', "", expression):
            if character in closing.values():
                opened.append(character)
            elif character in closing:
                assert opened.pop() == closing[character], expression
        assert not opened, expression


def test_rules_have_the_form_that_prometheus_reads() -> None:
    names = [rule.get("alert") or rule["record"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        allowed = {"record", "expr"}
        if "alert" in rule:
            allowed = {"alert", "expr", "for", "labels", "annotations"}
            assert rule["labels"]["severity"] in {"warning", "critical"}
            assert rule["annotations"]["summary"]
        assert set(rule) <= allowed
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "1m"))


def test_an_alert_names_only_labels_that_it_has(exported: dict[str, set[str]]) -> None:
    for rule in rules():
        text = " ".join(rule.get("annotations", {}).values())
        names = set(re.findall(r"\$labels\.(\w+)", text))
        have = {"instance"}.union(*(exported[name] for name in METRIC.findall(rule["expr"])))
        assert names <= have, rule["alert"]


def test_panels_lie_side_by_side() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def _systemd_analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = need_program("systemd-analyze", "systemd")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    unit = (PACKAGING / "systemd" / "mailtap-live.service").read_text()
    copy = tmp_path / "mailtap-live.service"
    # The program need not be installed where the tests run.
    copy.write_text(unit.replace("/opt/mailtap/bin/mailtap", "/bin/true"))
    drop_in = tmp_path / "mailtap-live.service.d" / "capture.conf"
    drop_in.parent.mkdir()
    shutil.copy(PACKAGING / "systemd" / "capture.conf", drop_in)
    result = _systemd_analyze("verify", "--man=no", str(copy))
    assert (result.returncode, result.stderr) == (0, "")


def test_the_unit_is_confined() -> None:
    unit = PACKAGING / "systemd" / "mailtap-live.service"
    result = _systemd_analyze("security", "--offline=true", "--threshold=15", str(unit))
    assert result.returncode == 0, result.stdout


def test_live_mode_is_ended_before_a_sensor_when_memory_is_short() -> None:
    unit = (PACKAGING / "systemd" / "mailtap-live.service").read_text().splitlines()
    values = dict(line.split("=", 1) for line in unit if "=" in line)
    assert values["MemoryMax"].endswith("G")
    assert int(values["OOMScoreAdjust"]) > 0


def test_the_container_runs_as_nobody_special() -> None:
    lines = (PACKAGING / "Containerfile").read_text().splitlines()
    last_stage = lines[max(n for n, line in enumerate(lines) if line.startswith("FROM ")) :]
    (user,) = (line.split()[1] for line in last_stage if line.startswith("USER "))
    assert int(user) > 999


def test_the_container_copies_only_what_is_there() -> None:
    for line in (PACKAGING / "Containerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from=" not in line:
            for name in line.split()[1:-1]:
                assert (PACKAGING.parent / name).exists(), line
