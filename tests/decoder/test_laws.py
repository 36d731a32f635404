"""What holds for every session, whatever it says."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, composite

from fieldcapture import KINDS, Dialogue, build
from mailtap._engine import MAX_SESSION_BYTES, Decoder, Side

if TYPE_CHECKING:
    from mailtap._engine import Facts

CLIENT_PORT = 49152
PORTS = st.sampled_from([25, 110, 143, 465, 587, 993, 2525, 8025])
STARTTLS = ["none", "offered", "requested", "refused", "accepted", "tls"]
Feed = list[tuple[Side, bytes | int]]


@composite
def dialogues(draw: DrawFn) -> Dialogue:
    return build(draw(st.sampled_from(sorted(KINDS))), Random(draw(st.integers(0, 10_000))))


def streams(dialogue: Dialogue) -> dict[Side, bytes]:
    return {Side.ORIG: b"".join(dialogue.client), Side.RESP: b"".join(dialogue.server)}


def facts_of(feed: Feed, port: int, *, midstream: bool = False) -> Facts:
    decoder = Decoder(CLIENT_PORT, port, midstream)
    seen = {Side.ORIG: False, Side.RESP: False}
    for side, piece in feed:
        seen[side] = True
        if isinstance(piece, int):
            decoder.gap(side, piece)
        else:
            decoder.data(side, piece)
        assert decoder.memory <= MAX_SESSION_BYTES
    return decoder.facts(seen[Side.ORIG], seen[Side.RESP])


def cut(draw: DrawFn, stream: bytes) -> list[bytes]:
    """The stream in segments: most of a usual size, some tiny."""
    segments = []
    while stream:
        size = draw(st.one_of(st.integers(1, 3), st.integers(1, 40), st.integers(1, 1460)))
        segments.append(stream[:size])
        stream = stream[size:]
        if len(segments) > 300:
            segments.append(stream)
            break
    return segments


@composite
def segmented(draw: DrawFn) -> tuple[Dialogue, Feed]:
    """A dialogue, and its streams cut and interleaved in any way."""
    dialogue = draw(dialogues())
    queues = {side: cut(draw, stream) for side, stream in streams(dialogue).items()}
    feed: Feed = []
    while any(queues.values()):
        side = draw(st.sampled_from([side for side, queue in queues.items() if queue]))
        feed.append((side, queues[side].pop(0)))
    return dialogue, feed


@given(segmented(), PORTS)
def test_segments_and_interleaving_change_nothing(drawn: tuple[Dialogue, Feed], port: int) -> None:
    dialogue, feed = drawn
    whole: Feed = [(side, stream) for side, stream in streams(dialogue).items() if stream]
    assert facts_of(feed, port) == facts_of(whole, port)


@given(dialogues(), st.booleans())
def test_one_side_is_not_contradicted_by_both(dialogue: Dialogue, odd_port: bool) -> None:
    # On another protocol's port a bare QUIT would be that protocol's: what a port lends is no law.
    port = 8025 if odd_port else dialogue.port or 25
    sides = streams(dialogue)
    both = facts_of(list(sides.items()), port)
    for side, stream in sides.items():
        alone = facts_of([(side, stream)], port)
        if not alone["service"]:
            continue
        assert both["service"] == alone["service"]
        assert both["client"] == alone["client"]
        assert STARTTLS.index(both["starttls"]) >= STARTTLS.index(alone["starttls"])
        for name in ("mailfrom", "rcptto", "from", "to"):
            assert set(alone[name]) <= set(both[name])  # type: ignore[literal-required]
        for name in ("helo", "auth", "user", "banner", "tunnel"):
            assert alone[name] in (b"", "", both[name])  # type: ignore[literal-required]
        assert alone["auth_result"] in ("", both["auth_result"])


@given(
    st.lists(st.tuples(st.sampled_from(list(Side)), st.binary(max_size=300)), max_size=8),
    PORTS,
    st.booleans(),
)
def test_garbage_is_never_mail(feed: Feed, port: int, midstream: bool) -> None:
    facts = facts_of(feed, port, midstream=midstream)
    assert facts["service"] == ""
    assert facts["starttls"] == "none"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Side)),
            st.one_of(
                st.binary(max_size=60),
                st.integers(0, 5000),
                st.sampled_from(
                    [b"EHLO x\r\n", b"DATA\r\n", b"To: ", b"a@b.example, ", b"\r\n", b".\r\n",
                     b"BDAT 900 LAST\r\n", b"a1 LOGIN {300}\r\n", b"* 1 FETCH (BODY[] {900}\r\n",
                     b"* 1 FETCH (ENVELOPE (", b"+OK\r\n", b"RCPT TO:<" + b"x" * 300 + b">\r\n",
                     b"250-" + b"y" * 900 + b"\r\n", b"AUTH PLAIN\r\n", b"\x05\x01\x00", b"z" * 999]
                ),
            ),
        ),
        max_size=60,
    ),
    PORTS,
    st.booleans(),
)  # fmt: skip
def test_a_session_never_exceeds_its_bound(feed: Feed, port: int, midstream: bool) -> None:
    facts_of(feed, port, midstream=midstream)  # asserts it after every piece


def test_the_bound_holds_for_the_greediest() -> None:
    decoder = Decoder(CLIENT_PORT, 25)
    decoder.data(Side.ORIG, b"EHLO " + b"h" * 5000 + b"\r\n")
    for number in range(3000):
        for command in (b"MAIL FROM:<", b"RCPT TO:<"):
            decoder.data(Side.ORIG, command + b"%d" % number + b"a" * 300 + b">\r\n")
        addresses = b", ".join(b"%d.%d" % (number, n) + b"b" * 300 for n in range(9))
        header = b"".join(
            name + b": " + addresses + b"\r\n" for name in (b"From", b"To", b"Subject", b"X-Mailer")
        )
        decoder.data(Side.ORIG, b"DATA\r\n" + header + b"\r\n.\r\n")
        decoder.data(Side.RESP, b"250 " + b"r" * 5000 + b"\r\n")
        assert decoder.memory <= MAX_SESSION_BYTES
    decoder.data(Side.ORIG, b"l" * 5000)
    decoder.data(Side.RESP, b"l" * 5000)
    assert decoder.memory <= MAX_SESSION_BYTES


def test_secrets_are_not_among_the_facts() -> None:
    lines = {
        25: [b"EHLO x", b"AUTH PLAIN AGJvYgBodW50ZXIyIQ==",
             b"AUTH LOGIN", b"Ym9i", b"aHVudGVyMiE="],
        110: [b"USER bob", b"PASS hunter2!", b"AUTH PLAIN", b"AGJvYgBodW50ZXIyIQ=="],
        143: [b"a1 LOGIN bob hunter2!", b'a2 LOGIN "bob" "hunter2!"', b"a3 LOGIN {3}", b"bob {8}",
              b"hunter2!", b"a4 AUTHENTICATE LOGIN", b"Ym9i", b"aHVudGVyMiE="],
        1080: [b"\x05\x01\x02\x01\x03bob\x08hunter2!\x05\x01\x00\x03\x01x\x00\x19EHLO x"],
    }  # fmt: skip
    for port, said in lines.items():
        facts = facts_of([(Side.ORIG, line + b"\r\n") for line in said], port)
        assert facts["service"] != ""
        assert "hunter2!" not in repr(facts)
        assert "aHVudGVyMiE" not in repr(facts)
        assert "AGJvYgBodW50ZXIyIQ" not in repr(facts)
