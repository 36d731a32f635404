"""SMTP smuggling: commands in a message, behind a dot whose line ends aren't CR LF."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation import CLIENT_PORT, C, S, client_only, decode
from mailtap._engine import Decoder, Side
from upgrades import findings, seen

START = (
    b"EHLO x.example\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
    b"From: a@example.org\r\n\r\ntext"
)
SECOND = (
    b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<c@example.com>\r\nDATA\r\n"
    b"From: evil@example.org\r\n\r\nsmuggled\r\n.\r\nQUIT\r\n"
)
TOOK_ONE = S(
    "220 mx ESMTP", "250 mx", "250 ok", "250 ok", "354 go", "250 ok: queued", "221 bye"
)  # fmt: skip
TOOK_TWO = S(
    "220 mx ESMTP", "250 mx", "250 ok", "250 ok", "354 go", "250 ok: queued",
    "250 ok", "250 ok", "354 go", "250 ok: queued", "221 bye",
)  # fmt: skip


@pytest.mark.parametrize(
    "dot", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r.\r", b"\r\n.\r"]
)
def test_a_dot_between_other_line_ends(dot: bytes) -> None:
    turns = [C(START + dot + SECOND), TOOK_ONE]
    assert seen(turns, "smtp") == ({"smuggled"}, {"smuggled"}, set())
    for view in turns, client_only(turns):
        facts = decode(*view)
        assert facts["mailfrom"] == [b"a@example.org"]
        assert facts["rcptto"] == [b"b@example.com"]
        assert facts["from"] == [b"a@example.org"]
        assert (facts["mailfrom_count"], facts["commands"]) == (1, 5)
        assert facts["messages"] == 1


@pytest.mark.parametrize("dot", [b"\n.\n", b"\n.\r\n", b"\r\n.\n"])
def test_a_server_that_takes_what_is_smuggled(dot: bytes) -> None:
    """Its replies show two messages: the second is real, however it came."""
    facts = decode(C(START + dot + SECOND), TOOK_TWO)
    assert findings(facts) == {"smuggled"}
    assert facts["mailfrom"] == [b"a@example.org", b"evil@example.org"]
    assert (facts["mailfrom_count"], facts["messages"]) == (2, 2)


@given(st.lists(st.integers(0, 400), max_size=12), st.sampled_from([b"\n.\n", b"\r.\r"]))
def test_segments_change_nothing(cuts: list[int], dot: bytes) -> None:
    stream = START + dot + SECOND
    decoder = Decoder(CLIENT_PORT, 25)
    at = 0
    for cut in [*sorted(cuts), len(stream)]:
        decoder.data(Side.ORIG, stream[at:cut])
        at = max(at, cut)
    assert findings(decoder.facts(True, False)) == {"smuggled"}


@pytest.mark.parametrize("dot", [b"\n.\n", b"\r.\r\n", b"\r.\r"])
def test_text_behind_the_dot(dot: bytes) -> None:
    turns = [C(START + dot + b"mail from there\r\n.\r\nQUIT\r\n")]
    assert seen(turns, "smtp") == (set(),) * 3


def test_a_client_that_ends_all_lines_in_lf() -> None:
    stream = (START + b"\n.\n" + SECOND).replace(b"\r\n", b"\n")
    assert seen([C(stream)], "smtp") == (set(),) * 3


def test_a_message_whose_lines_end_in_lf() -> None:
    """Its client writes CR LF of its own and passes a file on as it is."""
    stream = START + b"\nmore\nof it\n.\r\n" + SECOND
    assert seen([C(stream)], "smtp") == (set(),) * 3


def test_a_last_line_without_cr_and_a_goodbye() -> None:
    assert seen([C(START + b"\n.\r\nQUIT\r\n")], "smtp") == (set(),) * 3


@pytest.mark.parametrize("rest", [b"", b"\n", b"QUIT\r\n"])
def test_a_server_that_takes_a_message_so_ended(rest: bytes) -> None:
    """Its reply behind 354 shows the end, where no other dot comes."""
    took = S("220 mx ESMTP", "250 mx", "250 ok", "250 ok", "354 go", "250 ok: queued", "221 bye")
    facts = decode(C(START + b"\r\n.\n" + rest), took)
    assert facts["messages"] == 1
    assert facts["last_command"] == (b"QUIT" if b"QUIT" in rest else b"DATA")
    assert findings(facts) == set()
