"""The tally: what is added and taken away again leaves nothing, however many names there are."""

from __future__ import annotations

from mailtap.live.core.tally import MAXIMUM_CELLS, Cell, Tally


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
