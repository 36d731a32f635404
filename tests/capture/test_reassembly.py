"""However a session's bytes travel, they are the same session."""

from __future__ import annotations

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from engine_runner import Line, facts, run
from packets import (
    ACK,
    CLIENT,
    FIN,
    PUSH,
    RST,
    SERVER,
    SYN,
    Conversation,
    Endpoint,
    Packet,
    ethernet,
    ipv4,
    mail_session,
    tcp,
)

CLIENT_TEXT = (
    b"EHLO client.example.org\r\nMAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.net>\r\n"
    b"DATA\r\nFrom: alice@example.org\r\nTo: bob@example.net\r\nSubject: hello\r\n\r\nBody\r\n.\r\n"
    b"QUIT\r\n"
)
SERVER_TEXT = (
    b"220 mx.example.net ESMTP\r\n250-mx.example.net\r\n250 PIPELINING\r\n250 2.1.0 Ok\r\n"
    b"250 2.1.5 Ok\r\n354 Go on\r\n250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n"
)


START = 1_700_000_000.0


def segment(
    sender: Endpoint,
    sequence: int,
    flags: int = ACK,
    payload: bytes = b"",
    acknowledgement: int = 0,
) -> Packet:
    receiver = SERVER if sender == CLIENT else CLIENT
    data = tcp(sender, receiver, sequence, acknowledgement, flags, payload)
    return Packet(START, ethernet(ipv4(sender[0], receiver[0], data)))


def segments(
    sender: Endpoint, text: bytes, cuts: list[int], isn: int, peer_isn: int
) -> list[Packet]:
    """A text's segments, cut at the given places."""
    edges = sorted({0, len(text), *(cut % len(text) for cut in cuts)})
    return [
        segment(sender, isn + 1 + begin, ACK | PUSH, text[begin:end], peer_isn + 1)
        for begin, end in itertools.pairwise(edges)
    ]


def opened(client_isn: int, server_isn: int) -> list[Packet]:
    conversation = Conversation(client_isn=client_isn, server_isn=server_isn, start=START, step=0.0)
    return conversation.handshake().packets


def plain(client_isn: int = 1000, server_isn: int = 5000) -> Line:
    """The session in order, a segment a side."""
    packets = opened(client_isn, server_isn)
    packets += segments(CLIENT, CLIENT_TEXT, [], client_isn, server_isn)
    packets += segments(SERVER, SERVER_TEXT, [], server_isn, client_isn)
    [line] = run(packets)
    return line


cuts = st.lists(st.integers(1, 400), max_size=30)
sequence_numbers = st.integers(0, 2**32 - 1) | st.integers(2**32 - 300, 2**32 - 1)


@given(cuts, cuts, sequence_numbers, sequence_numbers, st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_any_split_order_and_repetition_gives_the_same_line(
    client_cuts: list[int],
    server_cuts: list[int],
    client_isn: int,
    server_isn: int,
    order: random.Random,
) -> None:
    data = [
        *segments(CLIENT, CLIENT_TEXT, client_cuts, client_isn, server_isn),
        *segments(SERVER, SERVER_TEXT, server_cuts, server_isn, client_isn),
        # Sent again, cut at other places: partly what came before, partly new.
        *segments(CLIENT, CLIENT_TEXT, server_cuts, client_isn, server_isn),
        *segments(SERVER, SERVER_TEXT, client_cuts, server_isn, client_isn),
    ]
    order.shuffle(data)
    [line] = run(opened(client_isn, server_isn) + data)
    assert facts(line) == facts(plain(client_isn, server_isn))
    assert line["gap_bytes"] == 0
    assert line["client_bytes"] == len(CLIENT_TEXT)
    assert line["server_bytes"] == len(SERVER_TEXT)


@given(st.randoms(use_true_random=False))
def test_the_handshake_may_come_late(order: random.Random) -> None:
    """Up to three segments of a side may overtake its SYN."""
    packets = opened(1000, 5000)
    packets += segments(CLIENT, CLIENT_TEXT, [50, 100], 1000, 5000)
    order.shuffle(packets)
    packets += segments(SERVER, SERVER_TEXT, [], 5000, 1000)
    [line] = run(packets)
    assert facts(line) == facts(plain())


@given(st.randoms(use_true_random=False))
def test_a_session_met_in_its_middle_may_begin_out_of_order(order: random.Random) -> None:
    ordered = segments(CLIENT, CLIENT_TEXT, [40, 90, 150], 1000, 5000)
    shuffled = ordered.copy()
    order.shuffle(shuffled)
    [line] = run(shuffled)
    assert facts(line) == facts(run(ordered)[0])
    assert line["midstream"] is True


def test_of_bytes_sent_twice_the_first_count() -> None:
    packets = opened(1000, 5000)
    packets += [
        segment(CLIENT, 1001, ACK, b"EHLO first.example.org\r\n"),
        segment(CLIENT, 1001, ACK, b"EHLO other.example.org\r\n"),
    ]
    [line] = run(packets)
    assert line["helo"] == "first.example.org"


def test_of_held_bytes_the_first_count() -> None:
    packets = opened(1000, 5000)
    packets += [
        segment(CLIENT, 1006, ACK, b"first.example.org\r\n"),
        segment(CLIENT, 1001, ACK, b"EHLO other.example.org\r\n"),
    ]
    [line] = run(packets)
    assert line["helo"] == "first.example.org"


def test_lost_bytes_are_counted_as_gap() -> None:
    conversation = mail_session()
    lost = [p for p in conversation.packets if b"RCPT TO" in p.data]
    kept = [p for p in conversation.packets if b"RCPT TO" not in p.data]
    [line] = run(kept)
    assert line["gap_bytes"] == len(lost[0].data) - 54
    assert line["rcptto_count"] == 0
    assert line["messages"] == 1


def test_bytes_lost_right_after_the_handshake_are_a_gap() -> None:
    kept = [p for p in mail_session().packets if b"EHLO" not in p.data]
    [line] = run(kept)
    assert line["gap_bytes"] == len(b"EHLO client.example.org\r\n")
    assert line["mailfrom"] == ["alice@example.org"]


def test_what_the_other_side_acknowledged_but_nobody_saw_is_a_gap() -> None:
    conversation = Conversation().handshake()
    conversation.say(b"EHLO a.example\r\n")
    conversation.send(CLIENT, ACK | PUSH, b"QUIT\r\n")
    lost = conversation.packets.pop()
    conversation.send(SERVER, ACK)
    [line] = run(conversation.packets)
    assert line["gap_bytes"] == len(lost.data) - 54


def test_an_acknowledged_fin_that_was_not_seen_is_no_gap() -> None:
    packets = [p for p in mail_session().packets if not (p.data[47] & FIN and p.data[26] == 192)]
    [line] = run(packets)
    assert line["gap_bytes"] == 0


def test_a_side_that_was_never_seen_has_no_gap() -> None:
    [line] = run(mail_session().sides(CLIENT))
    assert line["gap_bytes"] == 0
    assert line["server_bytes"] == 0


def test_a_hole_is_given_up_when_too_much_is_held_behind_it() -> None:
    """512 KiB behind a lost segment: the decoder goes on, and what follows is decoded."""
    packets = opened(1000, 5000)
    body = b"x" * 1022 + b"\r\n"
    hello = b"EHLO a.example\r\nMAIL FROM:<a@b.example>\r\n"
    packets.append(segment(CLIENT, 1001, ACK, hello))
    sequence = 1001 + len(hello) + 100
    for _ in range(512):
        packets.append(segment(CLIENT, sequence, ACK, body))
        sequence += len(body)
    late = segment(CLIENT, 1001 + len(hello), ACK, b"N" * 100)
    [line] = run([*packets, late])
    assert line["gap_bytes"] == 100


def test_keep_alive_probes_are_no_data() -> None:
    conversation = Conversation().handshake().say(b"EHLO a.example\r\n", b"250 mx.example\r\n")
    [before] = run(conversation.packets)
    conversation.packets.append(segment(CLIENT, 1000 + len(b"EHLO a.example\r\n"), ACK, b"\0"))
    [line] = run(conversation.packets)
    assert facts(line) == facts(before)


def test_data_with_the_syn_counts() -> None:
    """TCP Fast Open (RFC 7413)."""
    packets = [
        segment(CLIENT, 1000, SYN, b"EHLO a.example\r\n"),
        segment(SERVER, 5000, SYN | ACK, b"", 1001 + 16),
        segment(CLIENT, 1000 + 17, ACK, b"MAIL FROM:<a@b.example>\r\n"),
    ]
    [line] = run(packets)
    assert line["helo"] == "a.example"
    assert line["mailfrom"] == ["a@b.example"]
    assert line["gap_bytes"] == 0


def test_payload_of_a_reset_and_beyond_a_fin_is_no_data() -> None:
    conversation = Conversation().handshake().say(b"EHLO a.example\r\n")
    end = 1001 + len(b"EHLO a.example\r\n")
    packets = [
        *conversation.packets,
        segment(CLIENT, end, FIN | ACK),
        segment(CLIENT, end + 1, ACK, b"MAIL FROM:<a@b.example>\r\n"),
        segment(CLIENT, end, RST, b"MAIL FROM:<c@d.example>\r\n"),
    ]
    [line] = run(packets)
    assert line["mailfrom_count"] == 0
    assert line["client_bytes"] == len(b"EHLO a.example\r\n")


def test_numbers_far_ahead_are_not_the_sessions() -> None:
    conversation = Conversation().handshake().say(b"EHLO a.example\r\n")
    stray = segment(CLIENT, 1001 + 2**30 + 5000, ACK, b"junk")
    [line] = run([*conversation.packets, stray])
    assert line["gap_bytes"] == 0
