"""What Prometheus reads."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families
from snapshots import beginning, hostile, sensor, usual

from mailtap.live.page.metrics import exposition
from mailtap.live.state import Snapshot

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(snapshot: Snapshot) -> Samples:
    """Read back by the library's own parser; none may be there twice."""
    found: Samples = {}
    for family in text_string_to_metric_families(exposition(snapshot).decode()):
        for one in family.samples:
            key = (one.name, tuple(sorted(one.labels.items())))
            assert key not in found, key
            found[key] = one.value
    return found


def value(snapshot: Snapshot, name: str, **labels: str) -> float | None:
    return samples(snapshot).get((name, tuple(sorted(labels.items()))))


def test_verdicts_and_causes_are_the_headline_s() -> None:
    assert value(usual(), "mailtap_verdicts", verdict="consistent") == 58_298
    assert value(usual(), "mailtap_verdicts", verdict="inconsistent") == 41_690
    assert value(usual(), "mailtap_causes", cause="unexplained") == 1_204
    assert value(usual(), "mailtap_node_verdicts", node="worker-2", verdict="compatible") == 6
    assert value(usual(), "mailtap_engine_verdicts", engine="ndpid", verdict="compatible") == 12


def test_findings_are_counted_by_kind() -> None:
    assert value(usual(), "mailtap_findings_total", finding="command_injected") == 2


def test_a_sensor_that_is_lost_shows() -> None:
    south = "wss://south.example:27759"
    assert value(usual(), "mailtap_sensor_connected", sensor="ws://198.51.100.7:27759") == 1
    assert value(usual(), "mailtap_sensor_connected", sensor=south) == 0
    assert value(usual(), "mailtap_node_lost_total", sensor=south, node="worker-1") == 37


def test_what_is_not_known_is_left_out_and_not_zero() -> None:
    south = "wss://south.example:27759"
    assert value(usual(), "mailtap_sensor_lag_seconds", sensor=south) is None
    assert value(beginning(), "mailtap_verdict_delay_seconds", quantile="0.99") is None
    assert value(beginning(), "mailtap_store_failing") is None
    assert value(usual(), "mailtap_store_failing") == 0


def test_a_failing_store_shows() -> None:
    assert value(hostile(), "mailtap_store_failing") == 1


def test_names_from_the_network_neither_break_the_page_nor_reach_a_terminal() -> None:
    text = exposition(hostile())
    assert samples(hostile())
    assert b"\x1b" not in text
    assert b"\xe2\x80\xae" not in text
    assert b"\\\\udcff" in text


def test_names_that_come_out_the_same_are_one() -> None:
    """Prometheus refuses all of a page that says anything twice."""
    twice = replace(usual(), sensors=(sensor("ws://a\x1b"), sensor("ws://a\\x1b")))
    assert value(twice, "mailtap_sensor_records_total", sensor="ws://a\\x1b") == 208_000
