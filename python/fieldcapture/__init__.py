"""Captures of any make-up, from a seed, with the truth of each session beside them.

`write_capture` writes one; `build` gives the talk of a session without packets.
"""

from .capture import Capture, draw_capture, write_capture
from .dialogue import Dialogue, Shown, Side, Turn, View
from .dialogues import KINDS, build
from .makeup import (
    COLUMNS,
    Impairments,
    Makeup,
    Row,
    mixed,
    port25,
    random_makeup,
    views_of,
    with_bulk,
)
from .truth import Facts, SessionTruth, facts

__all__ = [
    "COLUMNS",
    "KINDS",
    "Capture",
    "Dialogue",
    "Facts",
    "Impairments",
    "Makeup",
    "Row",
    "SessionTruth",
    "Shown",
    "Side",
    "Turn",
    "View",
    "build",
    "draw_capture",
    "facts",
    "mixed",
    "port25",
    "random_makeup",
    "views_of",
    "with_bulk",
    "write_capture",
]
