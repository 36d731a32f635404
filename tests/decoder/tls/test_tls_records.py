"""Records of every type: what they carry, how they are cut, where they end, what is missing."""

from __future__ import annotations

import pytest

from mailtap._engine import TlsReader
from reading import read
from tls_bytes import (
    ALERT,
    APPLICATION_DATA,
    CERTIFICATE,
    CHANGE,
    CHANGE_CIPHER_SPEC,
    CLIENT_HELLO,
    HANDSHAKE,
    HEARTBEAT,
    SERVER_HELLO,
    SERVER_HELLO_DONE,
    alert,
    client_hello,
    handshake,
    message,
    number,
    record,
    records,
    server_hello,
    server_name,
)

NAMED = message(CLIENT_HELLO, client_hello(server_name("mx.example")))
CLIENT = handshake(CLIENT_HELLO, client_hello(server_name("mx.example")))
SERVER = handshake(SERVER_HELLO, server_hello())
FINISHED = record(HANDSHAKE, bytes(40))
WARNING, FATAL = 1, 2
CLOSE_NOTIFY, HANDSHAKE_FAILURE, UNKNOWN_CA, UNRECOGNISED_NAME = 0, 40, 48, 112


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 50, 16_384])
def test_a_message_may_go_over_any_number_of_records(size: int) -> None:
    assert read(records(HANDSHAKE, NAMED, size))["sni"] == "mx.example"


def test_a_record_may_hold_many_messages() -> None:
    flight = message(SERVER_HELLO, server_hello(cipher=0x009C)) + message(SERVER_HELLO_DONE, b"")
    facts = read(record(HANDSHAKE, flight * 100))
    assert facts["cipher"] == "TLS_RSA_WITH_AES_128_GCM_SHA256"


def test_empty_records_and_alerts_between_a_messages_records_change_nothing() -> None:
    for at in range(len(NAMED)):
        facts = read(
            record(HANDSHAKE, NAMED[:at]),
            record(HANDSHAKE, b""),
            alert(WARNING, UNRECOGNISED_NAME),
            record(APPLICATION_DATA, b""),
            record(HEARTBEAT, b"\1\0\0"),
            record(HANDSHAKE, NAMED[at:]),
        )
        assert facts["sni"] == "mx.example"
        assert facts["alert"] == "clear"
        assert not facts["application_data"]


def test_a_hello_does_not_go_on_after_change_cipher_spec() -> None:
    facts = read(record(HANDSHAKE, NAMED[:50]), CHANGE, record(HANDSHAKE, NAMED[50:]))
    assert facts["sni"] == ""
    assert facts["change_cipher_spec"]


def test_an_alert_in_the_clear() -> None:
    facts = read(CLIENT, alert(FATAL, UNKNOWN_CA))
    assert facts["alert"] == "clear"
    assert (facts["alert_level"], facts["alert_description"]) == (FATAL, UNKNOWN_CA)
    assert not facts["application_data"]
    assert not facts["change_cipher_spec"]


def test_an_alert_without_a_hello() -> None:
    facts = read(alert(FATAL, HANDSHAKE_FAILURE))
    assert facts["sender"] == ""
    assert (facts["alert"], facts["alert_description"]) == ("clear", HANDSHAKE_FAILURE)


@pytest.mark.parametrize(
    ("alerts", "kept"),
    [
        ([(WARNING, UNRECOGNISED_NAME), (WARNING, CLOSE_NOTIFY)], (WARNING, CLOSE_NOTIFY)),
        ([(WARNING, UNRECOGNISED_NAME), (FATAL, UNKNOWN_CA)], (FATAL, UNKNOWN_CA)),
        ([(FATAL, UNKNOWN_CA), (WARNING, CLOSE_NOTIFY)], (FATAL, UNKNOWN_CA)),
        ([(FATAL, UNKNOWN_CA), (FATAL, HANDSHAKE_FAILURE)], (FATAL, UNKNOWN_CA)),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 4])
def test_of_alerts_the_first_fatal_one_is_kept_else_the_last(
    alerts: list[tuple[int, int]], kept: tuple[int, int], size: int
) -> None:
    content = b"".join(map(bytes, alerts))
    facts = read(CLIENT, records(ALERT, content, size))
    assert (facts["alert_level"], facts["alert_description"]) == kept


@pytest.mark.parametrize("length", [18, 26, 32, 48])
def test_an_alert_after_change_cipher_spec_is_encrypted(length: int) -> None:
    facts = read(CLIENT, CHANGE, FINISHED, record(ALERT, bytes([FATAL, UNKNOWN_CA] * length)))
    assert facts["alert"] == "encrypted"
    assert (facts["alert_level"], facts["alert_description"]) == (0, 0)
    assert not facts["application_data"]


def test_an_alert_of_two_octets_is_in_the_clear_after_change_cipher_spec_too() -> None:
    facts = read(CLIENT, CHANGE, alert(FATAL, HANDSHAKE_FAILURE))
    assert (facts["alert"], facts["alert_description"]) == ("clear", HANDSHAKE_FAILURE)


@pytest.mark.parametrize("length", [19, 11])
def test_a_first_encrypted_record_as_long_as_an_alert_is_one(length: int) -> None:
    """In TLS 1.3 alerts look like application data; a Finished is longer."""
    facts = read(CLIENT, CHANGE, record(APPLICATION_DATA, bytes(length)))
    assert facts["alert"] == "encrypted"
    assert not facts["application_data"]


@pytest.mark.parametrize(
    "before",
    [
        [],  # TLS 1.3 without ChangeCipherSpec
        [CHANGE],
        [CHANGE, FINISHED],
    ],
)
def test_application_data_ends_the_reading(before: list[bytes]) -> None:
    reader = TlsReader()
    for part in [CLIENT, *before]:
        reader.data(part)
        assert not reader.done
    reader.data(record(APPLICATION_DATA, bytes(53))[:5])
    assert reader.done
    facts = reader.facts()
    assert facts["application_data"]
    assert facts["alert"] == ""
    reader.data(alert(FATAL, UNKNOWN_CA) + b"QUIT\r\n")
    reader.gap(0)
    assert reader.facts() == facts


def test_a_short_record_after_the_handshake_is_application_data() -> None:
    assert read(CLIENT, CHANGE, FINISHED, record(APPLICATION_DATA, bytes(19)))["application_data"]


@pytest.mark.parametrize("text", [b"QUIT\r\n", b"250 2.0.0 Ok\r\n", b"* BYE\r\n", b"-ERR\n"])
def test_text_after_the_hello(text: bytes) -> None:
    reader = TlsReader()
    reader.data(CLIENT + text)
    assert reader.facts()["ending"] == "text"
    assert reader.facts()["sni"] == "mx.example"
    assert reader.done


@pytest.mark.parametrize(
    "other",
    [
        b"\x13\3\3\0\1\0",  # no type of record
        b"\x19\3\3\0\1\0",
        b"\x16\2\3\0\1\0",  # versions that there are not
        b"\x16\3\5\0\1\0",
        b"\x17\3\xff\0\1\0",
        b"\x17\3\3\x48\1",  # a length beyond 2^14 + 2048
        b"\x17\3\3\xff\xff",
        b"\0\0\0\0\0",
        b"QUI\x01T",
        b"\xff\xff\xff\xff\xff",
    ],
)
def test_other_bytes_after_the_hello(other: bytes) -> None:
    facts = read(CLIENT, other)
    assert facts["ending"] == "other"
    assert not facts["application_data"]


def test_the_longest_record_is_one() -> None:
    header = bytes([HEARTBEAT, 3, 3]) + number(2**14 + 2048)
    assert read(CLIENT, header, bytes(2**14 + 2048), alert(FATAL, UNKNOWN_CA))["alert"] == "clear"


def test_a_few_bytes_where_a_record_begins_are_no_ending_yet() -> None:
    assert read(CLIENT, b"QUIT")["ending"] == ""


def test_a_gap_within_a_record_loses_only_what_it_held() -> None:
    other = record(HEARTBEAT, bytes(100))
    assert read(CLIENT, other[:50], 40, other[90:], alert(FATAL, UNKNOWN_CA))["alert"] == "clear"


def test_a_gap_within_a_hello_leaves_what_came_before_it() -> None:
    hello = client_hello(server_name("mx.example"), (51, bytes(1000)), (21, bytes(100)))
    whole = handshake(CLIENT_HELLO, hello)
    facts = read(whole[:500], 300, whole[800:], alert(FATAL, UNKNOWN_CA))
    assert facts["sni"] == "mx.example"
    assert facts["ja4"] == ""
    assert facts["alert"] == "clear"


def test_messages_after_a_gap_are_not_read() -> None:
    flight = SERVER + handshake(CERTIFICATE, bytes(500))
    facts = read(flight[:200], 50, flight[250:], handshake(CERTIFICATE, bytes(10)))
    assert facts["sender"] == "server"
    assert facts["certificate"] is None
    assert facts["ending"] == ""


@pytest.mark.parametrize("gap", [0, 101, 2**40])
def test_a_gap_beyond_a_record_ends_the_reading(gap: int) -> None:
    reader = TlsReader()
    reader.data(CLIENT + record(HEARTBEAT, bytes(200))[:105])
    reader.gap(gap)
    assert reader.done
    assert reader.facts()["ending"] == "lost"
    assert reader.facts()["sni"] == "mx.example"


def test_a_gap_up_to_a_records_end_does_not() -> None:
    reader = TlsReader()
    reader.data(CLIENT + record(HEARTBEAT, bytes(200))[:105])
    reader.gap(100)
    assert not reader.done
    reader.gap(1)
    assert reader.done


def test_a_gap_between_records_ends_the_reading() -> None:
    assert read(CLIENT, 1, CLIENT)["ending"] == "lost"
    assert read(CLIENT, b"\x15\3", 3, b"\2\x30")["ending"] == "lost"


def test_change_cipher_spec_alone() -> None:
    facts = read(record(CHANGE_CIPHER_SPEC, b"\1"))
    assert facts["change_cipher_spec"]
    assert facts["sender"] == ""
