"""Each format gives the same normal form, and its own traps are stepped around."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest

import label_samples as samples
from mailtap.labels.detect import FORMAT_NAMES

Import = Callable[..., Any]

FLOW = {
    "src_ip": "192.0.2.10",
    "src_port": 40001,
    "dst_ip": "198.51.100.25",
    "dst_port": 25,
    "ip_a": "192.0.2.10",
    "port_a": 40001,
    "ip_b": "198.51.100.25",
    "port_b": 25,
}

SAME_FLOW = {
    "ndpireader": samples.NDPIREADER,
    "ndpireader with pipes": samples.NDPIREADER_PIPE,
    "ndpireader-json": samples.ndpireader_json() + "\n",
    "ndpid": samples.ndpid("detected", 3, "SMTP"),
    "nfstream": samples.NFSTREAM,
    "suricata": samples.suricata() + "\n",
    "arkime": samples.arkime() + "\n",
    "zeek": samples.zeek("smtp"),
    "zeek in JSON": samples.zeek_json() + "\n",
    "panos": samples.panos(),
    "panos-csv": samples.PANOS_CSV,
    "fortigate": samples.FORTIGATE_SCANNED,
    "csv": "start_time,client_ip,client_port,server_ip,server_port,app\n"
    "2023-11-14T22:13:20.25Z,192.0.2.10,40001,198.51.100.25,25,smtp\n",
    "jsonl": '{"ts":1700000000.25,"flow":1,"src_ip":"192.0.2.10","src_port":40001,'
    '"dst_ip":"198.51.100.25","dst_port":25,"app":"smtp"}\n',
}


def test_every_format_has_a_sample() -> None:
    in_text = set(FORMAT_NAMES) - {"normal", "parquet"}  # these: test_label_parquet.py
    assert {kind.partition(" ")[0] for kind in SAME_FLOW} == in_text


@pytest.mark.parametrize("kind", SAME_FLOW)
def test_a_format_is_recognised_by_content_and_gives_the_flow(imported: Import, kind: str) -> None:
    rows, loaded = imported(SAME_FLOW[kind])
    assert loaded.files[0].form == kind.partition(" ")[0]
    assert loaded.complete
    assert FLOW.items() <= rows[0].items()
    assert rows[0]["protocol"] == "smtp"
    assert rows[0]["is_label"]
    assert rows[0]["start"] == pytest.approx(1_700_000_000.25, abs=0.8)
    assert rows[0]["end"] >= rows[0]["start"]


@pytest.mark.parametrize("kind", SAME_FLOW)
def test_a_compressed_file_gives_the_same(imported: Import, kind: str) -> None:
    rows, loaded = imported(gzip.compress(SAME_FLOW[kind].encode()))
    assert loaded.complete
    assert FLOW.items() <= rows[0].items()


def test_the_name_of_a_format_overrides_the_content(imported: Import) -> None:
    rows, loaded = imported(SAME_FLOW["suricata"].replace("dest_", "dst_"), "jsonl")
    assert loaded.files[0].form == "jsonl"
    assert loaded.files[0].malformed == 1  # EVE has its times elsewhere
    assert not rows


def test_zeek_says_what_it_recognised_and_a_connection_without_service_is_something_else(
    imported: Import,
) -> None:
    rows, loaded = imported(samples.zeek("smtp,ssl", "imap", "ssl", "-"))
    assert (loaded.files[0].form, loaded.complete) == ("zeek", True)
    assert [(row["app"], row["protocol"], row["encryption"], row["is_label"]) for row in rows] == [
        ("smtp.ssl", "smtp", "starttls", True),
        ("imap", "imap", "none", True),
        ("ssl", None, "tls", True),
        ("", None, "none", True),
    ]
    assert {(row["engine"], row["provenance"]) for row in rows} == {("zeek", "payload")}


def test_ndpireader_names_the_subclass_after_the_protocol_and_has_no_provenance(
    imported: Import,
) -> None:
    rows, loaded = imported(samples.NDPIREADER)
    assert [(row["name"], row["app"], row["encryption"], row["provenance"]) for row in rows] == [
        ("SMTP.Google", "smtp", "none", "unknown"),
        # STARTTLS, TLS from the first byte or a mere AUTHENTICATE: the name does not tell.
        ("IMAPS", "imap.ssl", "unknown", "unknown"),
    ]
    assert loaded.files[0].other == 1  # DNS over UDP
    assert rows[0]["packets"] == 11


def test_ndpireader_json_marks_a_port_guess(imported: Import) -> None:
    (row,), _ = imported(samples.ndpireader_json() + "\n")
    assert (row["provenance"], row["packets"]) == ("port", 7)


def test_of_ndpids_events_the_last_word_on_a_flow_counts(imported: Import) -> None:
    (row,), _ = imported(
        samples.ndpid("new", 0, None)
        + samples.ndpid("detected", 1, "SMTP")
        + samples.ndpid("detection-update", 3, "SMTPS.Google")
        + samples.ndpid("detection-update", 2, "SMTPS")
        + samples.ndpid("end", 9, None)
    )
    assert (row["name"], row["provenance"], row["packets"]) == ("SMTPS.Google", "payload", 9)
    assert row["end"] - row["start"] == pytest.approx(9)


def test_of_ndpids_events_a_detection_counts_before_a_guess(imported: Import) -> None:
    (row,), _ = imported(
        samples.ndpid("detected", 1, "SMTP") + samples.ndpid("guessed", 5, "Unknown", "1")
    )
    assert (row["name"], row["provenance"]) == ("SMTP", "payload")


def test_ndpids_guess_is_a_port_guess_and_not_detected_is_no_label(imported: Import) -> None:
    rows, _ = imported(
        samples.ndpid("guessed", 5, "SMTP", "1")
        + samples.ndpid("not-detected", 6, "Unknown", "0", src_port=40002)
    )
    found = {row["src_port"]: (row["provenance"], row["is_label"]) for row in rows}
    assert found == {40001: ("port", True), 40002: ("unknown", False)}


def test_nfstream_confidence_gives_the_provenance(imported: Import) -> None:
    rows, _ = imported(samples.NFSTREAM)
    assert [(row["name"], row["provenance"], row["is_label"]) for row in rows] == [
        ("SMTP", "payload", True),
        ("IMAP", "port", True),
        ("Unknown", "unknown", False),
    ]


def test_addresses_are_canonical(imported: Import) -> None:
    rows, _ = imported(samples.NFSTREAM)
    assert (rows[1]["src_ip"], rows[1]["dst_ip"]) == ("2001:db8::1", "2001:db8::2")


def test_suricata_marks_starttls_by_the_original_protocol(imported: Import) -> None:
    (row,), loaded = imported(
        samples.suricata() + "\n" + samples.suricata(event_type="alert") + "\n"
    )
    assert (row["app"], row["encryption"], row["provenance"]) == ("smtp.ssl", "starttls", "payload")
    assert row["community_id"] == "1:d/FP5EW3wiY1vCndhwleRRKHowQ="
    assert (row["start"], row["end"]) == (1_700_000_000.25, 1_700_000_003.5)
    assert loaded.files[0].other == 1


def test_suricata_failed_is_no_label(imported: Import) -> None:
    (row,), _ = imported(samples.suricata(app_proto="failed", app_proto_orig=None) + "\n")
    assert not row["is_label"]


def test_arkime_has_starttls_where_tls_comes_beside_a_mail_protocol(imported: Import) -> None:
    (row,), _ = imported(samples.arkime() + "\n")
    assert (row["app"], row["encryption"]) == ("smtp.ssl", "starttls")


def test_arkime_sessions_may_come_in_a_list_or_below_data(imported: Import) -> None:
    listed = f"[{samples.arkime()},\n {samples.arkime(protocol=['tcp', 'imap'])}]"
    rows, loaded = imported(listed)
    assert {row["app"] for row in rows} == {"smtp.ssl", "imap"}
    rows, loaded = imported(f'{{"recordsTotal": 2,\n "data": {listed}}}')
    assert loaded.files[0].labels == 2


@pytest.mark.parametrize(
    "app", ["incomplete", "insufficient-data", "unknown-tcp", "not-applicable"]
)
def test_panos_words_for_nothing_are_no_labels(imported: Import, app: str) -> None:
    (row,), _ = imported(samples.panos(app))
    assert not row["is_label"]


def test_panos_counts_a_session_once_and_keeps_the_translated_tuple(imported: Import) -> None:
    (row,), loaded = imported(
        samples.panos(subtype="start") + samples.panos(nat="203.0.113.1", nat_port=50001)
    )
    assert loaded.files[0].other == 1
    assert (row["nat_ip_a"], row["nat_port_a"]) == ("198.51.100.25", 25)
    assert (row["nat_ip_b"], row["nat_port_b"]) == ("203.0.113.1", 50001)


def test_panos_without_translation_has_no_translated_tuple(imported: Import) -> None:
    (row,), _ = imported(samples.panos())
    assert row["nat_ip_a"] is None
    assert row["nat_port_b"] is None


def test_fortigate_unscanned_is_the_ports_name(imported: Import) -> None:
    rows, _ = imported(samples.FORTIGATE_UNSCANNED + samples.FORTIGATE_SCANNED)
    assert {row["provenance"] for row in rows} == {"port", "payload"}
    assert {row["start"] for row in rows} == {1_700_000_000.5}


def test_fortigate_pairs_may_be_separated_by_commas(imported: Import) -> None:
    """As `set format csv` of its syslog writes them."""
    lines = samples.FORTIGATE_SCANNED + samples.FORTIGATE_SCANNED.replace(" ", ",")
    (spaces, commas), _ = imported(lines)
    assert {**spaces, "label_id": None} == {**commas, "label_id": None}


def test_fortigate_values_cannot_forge_fields(imported: Import) -> None:
    line = samples.FORTIGATE_SCANNED.replace("proto=6", 'proto=6 url="/x app=IMAP srcip=1.1.1.1"')
    (row,), _ = imported(line)
    assert (row["app"], row["src_ip"]) == ("smtp", "192.0.2.10")


@pytest.mark.parametrize(
    ("path", "app", "protocol", "encryption", "carrier"),
    [
        ("http.imap", "http.imap", "imap", "none", "http"),
        ("HTTP.POP3", "http.pop3", "pop3", "none", "http"),
        ("pop3.ssl", "pop3.ssl", "pop3", "tls", None),
        ("imap.ssl", "imap.ssl", "imap", "tls", None),
        ("SMTP_Secure", "smtp.ssl", "smtp", "tls", None),
        ("openvpn", "openvpn", None, "none", "vpn"),
        ("socks.smtp", "socks.smtp", "smtp", "none", "socks"),
        ("BitTorrent", "bittorrent", None, "none", None),
    ],
)
def test_paths_of_applications(
    imported: Import, path: str, app: str, protocol: str, encryption: str, carrier: str
) -> None:
    (row,), _ = imported(SAME_FLOW["csv"].replace(",smtp", f",{path}"))
    assert (row["app"], row["protocol"]) == (app, protocol)
    assert (row["encryption"], row["carrier"]) == (encryption, carrier)
