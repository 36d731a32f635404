"""What the server's certificate tells, up to TLS 1.2."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from mailtap._engine import MAX_TLS_READER_BYTES, TlsReader
from prerequisites import need_program
from reading import read
from tls_bytes import (
    CERTIFICATE,
    CLIENT_HELLO,
    HANDSHAKE,
    SERVER_HELLO,
    certificate_message,
    client_hello,
    handshake,
    message,
    record,
    records,
    server_hello,
)
from tls_certificates import (
    BEGIN,
    BMP,
    COMMON_NAME,
    END,
    GENERALIZED_TIME,
    ORGANISATION,
    PRINTABLE,
    SEQUENCE,
    TELETEX,
    UNIVERSAL,
    UTC_TIME,
    UTF8,
    attribute,
    certificate,
    der,
    handmade,
    name,
)

if TYPE_CHECKING:
    from mailtap._engine import Certificate

HELLO = handshake(SERVER_HELLO, server_hello())


def read_certificate(*chain: bytes) -> Certificate | None:
    stream = message(CERTIFICATE, certificate_message(*chain))
    return read(HELLO, records(HANDSHAKE, stream, 16_384))["certificate"]


def found(*chain: bytes) -> Certificate:
    facts = read_certificate(*chain)
    assert facts is not None
    return facts


def test_a_certificate_tells_subject_issuer_names_and_validity() -> None:
    facts = found(
        certificate(
            subject=name("mx.example"),
            issuer=name("Example CA"),
            names=[x509.DNSName("mx.example"), x509.DNSName("*.example.org")],
        )
    )
    assert facts == {
        "subject": "CN=mx.example",
        "issuer": "CN=Example CA",
        "names": ["mx.example", "*.example.org"],
        "not_before": int(BEGIN.timestamp()),
        "not_after": int(END.timestamp()),
        "self_signed": False,
    }


def test_issuer_and_subject_of_the_same_octets_are_self_signed() -> None:
    assert found(certificate(subject=name("mx.example")))["self_signed"]
    assert not found(certificate(subject=name("a"), issuer=name("A")))["self_signed"]


def test_only_the_servers_own_certificate_is_read() -> None:
    facts = found(certificate(subject=name("leaf.example")), certificate(subject=name("CA")))
    assert facts["subject"] == "CN=leaf.example"


def test_a_clients_certificate_is_not_read() -> None:
    message_bytes = handshake(CERTIFICATE, certificate_message(certificate()))
    assert read(handshake(CLIENT_HELLO, client_hello()), message_bytes)["certificate"] is None
    assert read(message_bytes)["certificate"] is None


def test_names_are_host_names_and_addresses() -> None:
    facts = found(
        certificate(
            names=[
                x509.DNSName("mx.example"),
                x509.IPAddress(ip_address("192.0.2.25")),
                x509.RFC822Name("postmaster@example.org"),
                x509.IPAddress(ip_address("2001:db8::25")),
                x509.DNSName("mx.example"),
            ]
        )
    )
    assert facts["names"] == ["mx.example", "192.0.2.25", "2001:db8::25"]


def test_without_names_the_common_name_counts() -> None:
    assert found(certificate(subject=name("mx.example")))["names"] == ["mx.example"]
    assert found(certificate(names=[x509.RFC822Name("a@b.c")]))["names"] == ["mx.example"]


@pytest.mark.parametrize("common_name", ["Dovecot mail server", "Müller", " "])
def test_a_common_name_that_no_host_has_does_not(common_name: str) -> None:
    assert found(certificate(subject=name(common_name)))["names"] == []


def test_with_names_the_common_name_does_not_count() -> None:
    facts = found(certificate(subject=name("cn.example"), names=[x509.DNSName("san.example")]))
    assert facts["names"] == ["san.example"]


def test_of_many_names_the_first_are_kept() -> None:
    facts = found(certificate(names=[x509.DNSName(f"n{i}.example") for i in range(500)]))
    assert facts["names"] == [f"n{i}.example" for i in range(64)]


@pytest.mark.parametrize("host", [b"a\x1b[31m", b"a b", b"a\0.example", b"\xc3\xbc", b"a" * 256])
def test_names_that_no_host_has_are_left_out(host: bytes) -> None:
    listed = der(SEQUENCE, der(0x82, host), der(0x82, b"mx.example"), der(0x87, b"12345"))
    assert found(handmade(alternative_names=listed))["names"] == ["mx.example"]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (der(UTC_TIME, b"700101000000Z"), datetime(1970, 1, 1, tzinfo=UTC)),
        (der(UTC_TIME, b"500101000000Z"), datetime(1950, 1, 1, tzinfo=UTC)),
        (der(UTC_TIME, b"491231235959Z"), datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (der(UTC_TIME, b"240229120000Z"), datetime(2024, 2, 29, 12, tzinfo=UTC)),
        (der(GENERALIZED_TIME, b"20500101000000Z"), datetime(2050, 1, 1, tzinfo=UTC)),
        (der(GENERALIZED_TIME, b"99991231235959Z"), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (der(UTC_TIME, b"230229120000Z"), None),
        (der(UTC_TIME, b"231301120000Z"), None),
        (der(UTC_TIME, b"230101240000Z"), None),
        (der(UTC_TIME, b"230101006000Z"), None),
        (der(UTC_TIME, b"2301010000Z"), None),
        (der(UTC_TIME, b"230101000000+0100"), None),
        (der(UTC_TIME, b"23010100000aZ"), None),
        (der(GENERALIZED_TIME, b"20230101000000.5Z"), None),
        (der(GENERALIZED_TIME, b"230101000000Z"), None),
        (der(UTC_TIME, b""), None),
        (der(UTF8, b"230101000000Z"), None),
    ],
)
def test_times(time: bytes, expected: datetime | None) -> None:
    facts = found(handmade(not_before=time))
    assert facts["not_before"] == (None if expected is None else int(expected.timestamp()))
    assert facts["not_after"] == int(datetime(2026, 4, 5, 6, 7, 8, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (attribute(COMMON_NAME, TELETEX, b"M\xfcller"), r"CN=M\C3\BCller"),
        (attribute(COMMON_NAME, BMP, "Mü€".encode("utf-16-be")), r"CN=M\C3\BC\E2\82\AC"),
        (attribute(COMMON_NAME, UNIVERSAL, "a😀".encode("utf-32-be")), r"CN=a\F0\9F\98\80"),
        (attribute(COMMON_NAME, BMP, b"abc"), "CN=#1E03616263"),
        (attribute(COMMON_NAME, 0x02, b"\1"), "CN=#020101"),
        (attribute(bytes.fromhex("2a0304"), UTF8, b"a"), "1.2.3.4=#0C0161"),
        (attribute(bytes.fromhex("883703"), UTF8, b"a"), "2.999.3=#0C0161"),
        (
            attribute(ORGANISATION, PRINTABLE, b"One") + attribute(COMMON_NAME, UTF8, b"two"),
            "CN=two,O=One",
        ),
        (b"", ""),
        (b"\x31\x03abc", ""),
    ],
)
def test_subjects_in_other_forms(subject: bytes, text: str) -> None:
    assert found(handmade(subject=subject))["subject"] == text


def test_a_subject_that_is_too_long_loses_its_least_specific_parts() -> None:
    parts = [attribute(ORGANISATION, UTF8, b"%03d" % i * 10) for i in range(32)]
    text = found(handmade(subject=b"".join(parts)))["subject"]
    assert len(text) <= 512
    assert text.split(",") == [f"O={f'{i:03}' * 10}" for i in range(31, 31 - 15, -1)]


SUBJECTS = [
    x509.Name([]),
    x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "Bayern"),
            x509.NameAttribute(NameOID.LOCALITY_NAME, "München"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Müller, Söhne + "Co"; <x>\\'),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, " # "),
            x509.NameAttribute(NameOID.COMMON_NAME, "#mx.example"),
            x509.NameAttribute(NameOID.EMAIL_ADDRESS, "a@b.example"),
            x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "example"),
            x509.NameAttribute(NameOID.PSEUDONYM, "12\x01\x7f"),
            x509.NameAttribute(NameOID.JURISDICTION_COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.BUSINESS_CATEGORY, "Private Organization"),
            x509.NameAttribute(NameOID.POSTAL_CODE, "80331"),
            x509.NameAttribute(NameOID.STREET_ADDRESS, "Weg 1"),
            x509.NameAttribute(NameOID.USER_ID, "u"),
            x509.NameAttribute(NameOID.SURNAME, "s"),
            x509.NameAttribute(NameOID.GIVEN_NAME, "g"),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, "i"),
            x509.NameAttribute(ObjectIdentifier("1.2.3.4"), "unknown"),
        ]
    ),
    x509.Name(
        [
            x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "o")]),
            x509.RelativeDistinguishedName(
                [
                    x509.NameAttribute(NameOID.COMMON_NAME, "c"),
                    x509.NameAttribute(NameOID.USER_ID, "u"),
                ]
            ),
        ]
    ),
]


@pytest.mark.parametrize("subject", SUBJECTS, ids=["empty", "long", "two in one set"])
def test_subjects_read_as_openssl_writes_them(subject: x509.Name) -> None:
    need_program("openssl", "openssl")
    made = certificate(subject=subject, issuer=name("CA"))
    printed = subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-noout", "-subject", "-nameopt", "RFC2253"],
        input=made, capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    assert found(made)["subject"] == printed.strip().removeprefix("subject=").strip()


def test_certificates_of_trustme() -> None:
    made = trustme.CA().issue_cert("mx.example", "192.0.2.25", common_name="mx.example")
    pem = made.cert_chain_pems[0].bytes()
    truth = x509.load_pem_x509_certificate(pem)
    facts = found(truth.public_bytes(Encoding.DER))
    assert facts["subject"] == truth.subject.rfc4514_string()
    assert facts["issuer"] == truth.issuer.rfc4514_string()
    assert facts["names"] == ["mx.example", "192.0.2.25"]
    assert facts["not_before"] == int(truth.not_valid_before_utc.timestamp())
    assert facts["not_after"] == int(truth.not_valid_after_utc.timestamp())
    assert not facts["self_signed"]


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\x30",
        b"\x30\x80\0\0",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x85\0\0\0\0\0",
        b"\x1f\x81\1\0",
        der(SEQUENCE, der(SEQUENCE)),
        der(SEQUENCE, *[b"\x30\x80"] * 2000),
        bytes(3000),
        b"\x30" * 3000,
    ],
)
def test_what_is_no_certificate_tells_nothing(broken: bytes) -> None:
    assert read_certificate(broken) is None


def test_a_certificate_that_is_cut_anywhere_is_no_error() -> None:
    whole = certificate(names=[x509.DNSName("mx.example")])
    for length in range(len(whole)):
        assert read_certificate(whole[:length]) is None  # the outermost length says that it goes on


def test_bytes_changed_anywhere_are_no_error() -> None:
    whole = certificate(names=[x509.DNSName("mx.example")])
    for at in range(len(whole)):
        for value in (0x00, 0x1F, 0x30, 0x80, 0x84, 0xFF):
            facts = read_certificate(whole[:at] + bytes([value]) + whole[at + 1 :])
            if facts is not None:
                texts = [facts["subject"], facts["issuer"], *facts["names"]]
                assert all(text.isascii() and text.isprintable() for text in texts)


@pytest.mark.parametrize(("length", "is_read"), [(16_384, True), (16_385, False)])
def test_a_certificate_beyond_16_kib_is_not_read(length: int, is_read: bool) -> None:
    made = certificate()
    assert (read_certificate(made + bytes(length - len(made))) is not None) == is_read


def test_a_certificate_is_kept_only_until_it_was_read() -> None:
    made = certificate(names=[x509.DNSName(f"n{i}.example") for i in range(400)])
    stream = message(CERTIFICATE, certificate_message(made, bytes(16_000), bytes(16_000)))
    reader = TlsReader()
    reader.data(HELLO)
    held = []
    for at in range(0, len(stream), 500):
        reader.data(record(HANDSHAKE, stream[at : at + 500]))
        held.append(reader.memory)
    assert max(held) <= MAX_TLS_READER_BYTES
    assert max(held) > len(made) - 500
    assert held[-1] < 6000
    assert reader.facts()["certificate"] is not None
