"""Makes certificates, with any subject, names and validity."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY = generate_private_key(SECP256R1())
BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
END = datetime(2026, 4, 5, 6, 7, 8, tzinfo=UTC)


def name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def certificate(
    *,
    subject: x509.Name | None = None,
    issuer: x509.Name | None = None,
    names: Sequence[x509.GeneralName] | None = None,
    begin: datetime = BEGIN,
    end: datetime = END,
) -> bytes:
    """A certificate in DER, signed by its own key whatever its issuer is."""
    subject = name("mx.example") if subject is None else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if names is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=not names)
    return builder.sign(KEY, SHA256()).public_bytes(Encoding.DER)


def der(tag: int, *contents: bytes) -> bytes:
    """An element of DER."""
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    width = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | width]) + length.to_bytes(width, "big") + content


SEQUENCE, SET, OID, UTF8, PRINTABLE, TELETEX, IA5, BMP, UNIVERSAL = (
    0x30, 0x31, 0x06, 0x0C, 0x13, 0x14, 0x16, 0x1E, 0x1C
)  # fmt: skip
COMMON_NAME = bytes.fromhex("550403")
ORGANISATION = bytes.fromhex("55040a")
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SUBJECT_ALT_NAME = bytes.fromhex("551d11")


def attribute(oid: bytes, tag: int, value: bytes) -> bytes:
    """A part of a distinguished name, in a set of its own."""
    return der(SET, der(SEQUENCE, der(OID, oid), der(tag, value)))


def handmade(
    *,
    subject: bytes = attribute(COMMON_NAME, UTF8, b"mx.example"),
    not_before: bytes = der(UTC_TIME, b"260102030405Z"),
    not_after: bytes = der(UTC_TIME, b"260405060708Z"),
    alternative_names: bytes | None = None,
) -> bytes:
    """A certificate in DER with fields as they are given, for what no library would write."""
    algorithm = der(SEQUENCE, der(OID, bytes.fromhex("2a8648ce3d040302")))
    extensions = b""
    if alternative_names is not None:
        value = der(0x04, alternative_names)
        extension = der(SEQUENCE, der(OID, SUBJECT_ALT_NAME), value)
        extensions = der(0xA3, der(SEQUENCE, extension))
    body = der(
        SEQUENCE,
        der(0xA0, der(0x02, b"\2")),
        der(0x02, b"\1"),
        algorithm,
        der(SEQUENCE, attribute(COMMON_NAME, UTF8, b"CA")),
        der(SEQUENCE, not_before, not_after),
        der(SEQUENCE, subject),
        der(SEQUENCE, algorithm, der(0x03, b"\0key")),
        extensions,
    )
    return der(SEQUENCE, body, algorithm, der(0x03, b"\0signature"))
