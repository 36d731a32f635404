"""Figures by label engine: those of a report on the labels of each engine alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from live_core import Live, by_report, shuffled
from mailtap.live.core import window
from records import client, label, session


@pytest.mark.parametrize(("seed", "few"), [(0, window.FEW), (1, 0)])
def test_figures_by_label_engine_are_those_of_the_report_in_whatever_order_records_come(
    seed: int, few: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "FEW", few)
    generator, sessions, labels = shuffled(seed)
    own, others = labels[: len(labels) // 2], labels[len(labels) // 2 :]
    _, report = by_report(tmp_path, sessions, own, others)
    assert report.consistency is not None
    live = Live()
    while sessions or own or others:
        sizes = (generator.randrange(80), generator.randrange(60), generator.randrange(60))
        batch = [
            [several.pop() for _ in range(min(size, len(several)))]
            for size, several in zip(sizes, (sessions, own, others), strict=True)
        ]
        live.add(batch[0], batch[1], others=batch[2], other_engine="other")
    by_engine = live.tally.figures().by_engine
    assert by_engine == report.consistency.by_engine
    assert {one.engine for one in by_engine} == {"jsonl", "other"}
    assert min(one.agreement.inconsistent for one in by_engine) > 0


def test_a_verdict_by_engine_stays_when_its_label_is_dropped() -> None:
    live = Live(seconds=10)
    live.add([], [label(1)], now=0, others=[label(1, app="imap")], other_engine="other")
    live.add([session(1)], [], now=9)
    expected = live.tally.figures().by_engine
    assert [one.agreement.matched for one in expected] == [1, 1]
    live.add([session(111)], [], now=20)
    again = {"id.orig_h": client(1), "client_h": client(1)}
    live.add([session(2, ts=1_700_000_900.0, **again)], [], now=31)
    live.add([session(3, ts=1_700_000_900.0, **again)], [], now=42)
    assert live.tally.figures().by_engine == expected
