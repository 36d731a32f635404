"""The tally: what is added and taken away again leaves nothing, however many names there are."""

from __future__ import annotations

import pytest

from mailtap.live.core.servers import ServerCell
from mailtap.live.core.tally import MAXIMUM_CELLS, Cell, Tally
from mailtap.report.statistics import Clusters, clustered_rate, rate


def cell(number: int) -> Cell:
    """A cell of an inconsistent session whose sensor has a name of its own."""
    names = f"sensor-{number}", "BASE", f"app-{number}", "payload"
    return Cell(*names, "inconsistent", 5, "payload", "oneway")


def test_cells_beyond_the_limit_are_counted_without_their_names() -> None:
    tally = Tally()
    for number in range(2 * MAXIMUM_CELLS):
        tally.add(cell(number), 0, 1)
    figures = tally.figures()
    assert figures.matched == figures.inconsistent.n == 2 * MAXIMUM_CELLS
    assert figures.causes["label_port_guess"] == 2 * MAXIMUM_CELLS
    assert figures.both_decoded.port_guesses == 2 * MAXIMUM_CELLS
    assert sum(count.n for count in figures.labelled if count.is_base) == 2 * MAXIMUM_CELLS


def test_what_is_taken_away_comes_off_the_cell_that_it_was_added_to() -> None:
    tally = Tally()
    numbers = range(2 * MAXIMUM_CELLS)
    for number in numbers:
        tally.add(cell(number), 0, 1)
    for number in numbers:
        tally.add(cell(number), 0, -1)
        tally.add(cell(number + 1), 0, 1)
        tally.add(cell(number + 1), 0, -1)
    figures = tally.figures()
    assert figures.matched == 0
    assert figures.matrix == figures.by_sensor == ()


def test_intervals_allow_for_sessions_of_one_server_being_alike() -> None:
    """Of a hundred servers, forty agree in all of their sessions, the others in none."""
    tally = Tally()
    for server in range(100):
        verdict = "consistent" if server < 40 else "inconsistent"
        tally.add(Cell("zeek", "MAIL", "smtp", "payload", verdict, 0, None, None), 0, 50)
        tally.add_servers(ServerCell(server, verdict, verdict == "inconsistent", True), 50)
    figures = tally.figures()
    clusters = [Clusters(40, 50, 50), Clusters(60, 50, 0)]
    expected = clustered_rate(clusters).ci95
    assert expected is not None
    assert figures.consistent.ci95 == pytest.approx(expected)
    assert figures.unexplained == figures.inconsistent
    assert figures.both_decoded.consistent == figures.consistent
    assert figures.consistent.ci95 is not None
    plain = rate(2_000, 5_000).ci95
    assert plain is not None
    assert figures.consistent.ci95[1] - figures.consistent.ci95[0] > 5 * (plain[1] - plain[0])
