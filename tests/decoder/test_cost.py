"""The work that hostile input makes grows with its length, and not faster."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cost import seconds, times_as_long
from mailtap._engine import Decoder, Side

SHORT = 2_000_000
RATIO = 2.2  # for twice the length


def _header(field: bytes, value: bytes, end: bytes = b"\r\n") -> Callable[[int], bytes]:
    """Messages whose header has the value over and over."""
    message = b"MAIL FROM:<>\r\nDATA\r\n" + field + b": " + value + end + b"\r\n.\r\n"
    return lambda length: b"EHLO x\r\n" + message * (length // len(message))


def _imap(line: bytes) -> Callable[[int], bytes]:
    return lambda length: b"* OK IMAP4rev1\r\n" + line * (length // len(line))


GRAMMARS: dict[str, tuple[int, Side, Callable[[int], bytes]]] = {
    "encoded words without end": (25, Side.ORIG, _header(b"Subject", b"=?utf-8?q?" * 200)),
    "encoded words in one another": (
        25,
        Side.ORIG,
        _header(b"Subject", b"=?utf-8?q?" * 200 + b"x?="),
    ),
    "encoded words that are damaged": (25, Side.ORIG, _header(b"Subject", b"=?utf-8?q?=Z?=" * 140)),
    "folding": (25, Side.ORIG, _header(b"To", b"a@b,\r\n " * 300 + b"c@d")),
    "quotes and comments": (25, Side.ORIG, _header(b"From", b'"(<\\' * 500)),
    "many addresses": (25, Side.ORIG, _header(b"To", b"a@b," * 500)),
    "envelopes": (
        143,
        Side.RESP,
        _imap(b"* 1 FETCH (ENVELOPE (NIL NIL (" + b'("A" NIL "b" "c.example")' * 60 + b")))\r\n"),
    ),
    "envelopes that begin again": (
        143,
        Side.RESP,
        _imap(b"* 1 FETCH (" + b"ENVELOPE (" * 300 + b")\r\n"),
    ),
    "envelopes of backslashes": (
        143,
        Side.RESP,
        _imap(b'* 1 FETCH (ENVELOPE ("' + b"\\\\" * 1500 + b'"))\r\n'),
    ),
    "capabilities": (143, Side.RESP, _imap(b"* CAPABILITY " + b"STARTTL " * 300 + b"\r\n")),
    "literals in a line": (143, Side.RESP, _imap(b"* 1 FETCH (" + b"X {1}\r\na" * 300 + b")\r\n")),
    "short lines of a client": (143, Side.ORIG, lambda length: b"a1 NOOP\r\n" * (length // 9)),
    "lines without end": (25, Side.ORIG, lambda length: b"EHLO x\r\n" + b"x" * length),
}


def decode(port: int, side: Side, data: bytes) -> None:
    decoder = Decoder(49152, port)
    for begin in range(0, len(data), 1460):
        decoder.data(side, data[begin : begin + 1460])


@pytest.mark.parametrize("name", GRAMMARS)
def test_twice_the_length_is_twice_the_work(name: str) -> None:
    port, side, make = GRAMMARS[name]
    short, long = make(SHORT), make(2 * SHORT)
    ratio = times_as_long(
        lambda: decode(port, side, short), lambda: decode(port, side, long), RATIO
    )
    assert ratio <= RATIO
    # 10 MB/s: far below any machine's figure, far above a quadratic one's
    assert seconds(lambda: decode(port, side, short)) <= SHORT / 10e6
