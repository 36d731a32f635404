"""JA4, the client's fingerprint: published values, and its specification written a second time."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reading import read, read_client_hello
from tls_bytes import (
    ALPN,
    CLIENT_HELLO,
    SIGNATURE_ALGORITHMS,
    SNI,
    SUPPORTED_VERSIONS,
    client_hello,
    empty,
    handshake,
    protocols,
    server_name,
    signature_algorithms,
    supported_versions,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from tls_bytes import Extension

CHROME = "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"
CHROME_SIGNATURES = "0403,0804,0401,0503,0805,0501,0806,0601"
SCHANNEL = (
    "c02c,c02b,c030,c02f,c024,c023,c028,c027,c00a,c009,c014,c013,009d,009c,003d,003c,0035,002f,000a"
)
SCHANNEL_SIGNATURES = "0804,0805,0806,0401,0501,0201,0403,0503,0203,0202,0601,0603"

SAFARI = (
    "1301,1302,1303,c02c,c02b,c024,c023,c00a,c009,cca9,c030,c02f,c028,c027,c014,c013,cca8,"
    "009d,009c,003d,003c,0035,002f,c008,c012,000a"
)
LIBRESSL = (
    "c030,c02c,c028,c024,c014,c00a,009f,006b,0039,cca9,cca8,ccaa,ff85,00c4,0088,0081,009d,"
    "003d,0035,00c0,0084,c02f,c02b,c027,c023,c013,c009,009e,0067,0033,00be,0045,009c,003c,"
    "002f,00ba,0041,c011,c007,0005,0004,c012,c008,0016,000a,00ff"
)
OPENSSL_0_9 = (
    "0039,0038,0035,0016,0013,000a,0033,0032,002f,009a,0099,0096,0005,0004,0015,0012,0009,"
    "0014,0011,0008,0006,0003,00ff"
)

# Fingerprints of real clients that JA4's authors published with what each is made of: the cipher
# suites, extensions and signature algorithms in the hello's order. The first is the example of the
# specification. These are all that the expected outputs of their own implementation have for TCP,
# but one: its protocol isn't ASCII, and "99" stands for it, by a rule that the specification has
# replaced.
PUBLISHED = {
    "t13d1516h2_8daaf6152771_e5627efa2ab1": (
        CHROME,
        "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015",
        CHROME_SIGNATURES,
    ),
    "t13d1516h1_8daaf6152771_e5627efa2ab1": (
        CHROME,
        "000d,0033,0000,ff01,002b,0023,002d,0005,0012,000b,0017,4469,0010,001b,000a,0015",
        CHROME_SIGNATURES,
    ),
    "t13d151400_8daaf6152771_de4a06bb82e3": (
        CHROME,
        "0033,002b,001b,0000,0012,002d,000d,000a,0005,0023,0017,ff01,000b,0015",
        CHROME_SIGNATURES,
    ),
    "t13d1715h2_5b57614c22b0_3d5424432f57": (
        "1301,1303,1302,c02b,c02f,cca9,cca8,c02c,c030,c00a,c009,c013,c014,009c,009d,002f,0035",
        "0000,0017,ff01,000a,000b,0023,0010,0005,0022,0033,002b,000d,002d,001c,0015",
        "0403,0503,0603,0804,0805,0806,0401,0501,0601,0203,0201",
    ),
    "t13d2613h2_2802a3db6c62_845d286b0d67": (
        SAFARI,
        "ff01,0000,0017,000d,0005,0012,0010,000b,0033,002d,002b,000a,0015",
        "0403,0804,0401,0503,0203,0805,0805,0501,0806,0601,0201",
    ),
    "t12d190800_d83cc789557e_7af1ed941c26": (
        SCHANNEL,
        "0000,0005,000a,000b,000d,0023,0017,ff01",
        SCHANNEL_SIGNATURES,
    ),
    "t12d4605h2_85626a9a5f7f_aaf95bb78ec9": (
        LIBRESSL,
        "0000,000b,000a,000d,0010",
        "0601,0603,efef,0501,0503,0401,0403,eeee,eded,0301,0303,0201,0203",
    ),
    "t10d230100_6a57a6f57151_000000000000": (
        OPENSSL_0_9,
        "0000",
        "",
    ),
    "t12d1909h2_d83cc789557e_7af1ed941c26": (
        SCHANNEL,
        "0000,0005,000a,000b,000d,0023,0010,0017,ff01",
        SCHANNEL_SIGNATURES,
    ),
    "t13d1515h2_8daaf6152771_f37e75b10bcc": (
        CHROME,
        "0005,001b,0033,002d,4469,000a,000d,0012,ff01,000b,0023,002b,0000,0017,0010",
        CHROME_SIGNATURES,
    ),
    "t13d1516h2_8daaf6152771_9b887d9acb53": (
        CHROME,
        "000d,0010,0000,000b,0023,4469,ff01,0033,000a,002d,002b,0005,0017,0012,001b,0029",
        CHROME_SIGNATURES,
    ),
    "t13d1517h1_8daaf6152771_6cdcb247c39b": (
        CHROME,
        "0000,0017,0005,002b,0012,0023,000a,0033,0010,002d,001b,4469,000b,000d,ff01,0015,0029",
        CHROME_SIGNATURES,
    ),
    "t13d1615h2_46e7e9700bed_45f260be83e2": (
        CHROME + ",000a",
        "0000,0017,ff01,000a,000b,0023,0010,0005,000d,0012,0033,002d,002b,001b,0015",
        CHROME_SIGNATURES + ",0201",
    ),
}

VERSIONS = {"13": 0x0304, "12": 0x0303, "10": 0x0301}
PROTOCOLS = {"h2": b"h2", "h1": b"http/1.1"}


def values(text: str) -> list[int]:
    return [int(value, 16) for value in text.split(",") if value]


def published_extension(kind: int, fingerprint: str, signatures: str) -> Extension:
    if kind == SNI:
        return server_name("mx.example")
    if kind == ALPN:
        return protocols(PROTOCOLS[fingerprint[8:10]])
    if kind == SIGNATURE_ALGORITHMS:
        return signature_algorithms(*values(signatures))
    if kind == SUPPORTED_VERSIONS:
        return supported_versions(0x1A1A, VERSIONS[fingerprint[1:3]], 0x0303)
    return kind, b""


@pytest.mark.parametrize("fingerprint", PUBLISHED)
@pytest.mark.parametrize("grease", [(), (0x3A3A,)], ids=["plain", "grease"])
def test_published_fingerprints(fingerprint: str, grease: tuple[int, ...]) -> None:
    ciphers, extensions, signatures = PUBLISHED[fingerprint]
    kinds = [*grease, *values(extensions)]
    facts = read_client_hello(
        *(published_extension(kind, fingerprint, signatures) for kind in kinds),
        ciphers=[*grease, *values(ciphers)],
        version=min(VERSIONS[fingerprint[1:3]], 0x0303),
    )
    assert facts["ja4"] == fingerprint


@pytest.mark.parametrize(
    ("protocol", "code"),
    [
        (b"imap", "ip"),
        (b"h2", "h2"),
        (b"x", "xx"),
        (b"", "00"),
        (b"\xab", "ab"),
        (b"\x20", "20"),
        (b"\xab\xcd", "ad"),
        (b"\x20\x61", "21"),
        (b"\x30\xab", "3b"),
        (b"\x61\x20", "60"),
        (b"\x30\x31\xab\xcd", "3d"),
        (b"\x30\xab\xcd\x31", "01"),
    ],
)
def test_the_first_protocols_first_and_last_character(protocol: bytes, code: str) -> None:
    assert read_client_hello(protocols(protocol, b"other"))["ja4"][8:10] == code


def test_without_protocols_they_are_zeros() -> None:
    assert read_client_hello(protocols())["ja4"][8:10] == "00"


@pytest.mark.parametrize(
    ("version", "code"),
    [
        (0x0304, "13"),
        (0x0303, "12"),
        (0x0302, "11"),
        (0x0301, "10"),
        (0x0300, "s3"),
        (0x7F1C, "00"),
    ],
)
def test_the_version(version: int, code: str) -> None:
    assert read_client_hello(supported_versions(version))["ja4"][1:3] == code


def test_counts_end_at_99() -> None:
    extensions = empty(*range(0x7000, 0x7000 + 150))
    assert read_client_hello(*extensions, ciphers=range(1, 121))["ja4"][4:8] == "9999"


def test_any_server_name_extension_means_a_domain() -> None:
    assert read_client_hello((SNI, b""))["ja4"][3] == "d"
    assert read_client_hello()["ja4"][3] == "i"


@pytest.mark.parametrize("kind", ["ciphers", "extensions", "signatures"])
@pytest.mark.parametrize(("length", "made"), [(1024, True), (1025, False)])
def test_lists_beyond_1024_have_no_fingerprint(kind: str, length: int, made: bool) -> None:
    listed = [0x2000 + i for i in range(length) if (0x2000 + i) & 0x0F0F != 0x0A0A]
    listed += listed[: length - len(listed)]
    extensions: list[Extension] = empty(*listed) if kind == "extensions" else []
    if kind == "signatures":
        extensions = [signature_algorithms(*listed)]
    facts = read_client_hello(*extensions, ciphers=listed if kind == "ciphers" else [1])
    assert bool(facts["ja4"]) == made


def is_grease(value: int) -> bool:
    return value & 0x0F0F == 0x0A0A and value >> 8 == value & 0xFF


def specified(
    ciphers: Sequence[int], kinds: Sequence[int], signatures: Sequence[int], protocol: bytes | None
) -> str:
    """JA4 of a TLS 1.2 hello as its specification describes it."""

    def sha256(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "0" * 12

    def listing(values: Sequence[int]) -> str:
        return ",".join(f"{value:04x}" for value in values if not is_grease(value))

    counted = [len([value for value in some if not is_grease(value)]) for some in (ciphers, kinds)]
    code = "00"
    if protocol:
        ends = protocol[:1] + protocol[-1:]
        code = ends.decode() if ends.isalnum() else protocol.hex()[0] + protocol.hex()[-1]
    hashed = listing(sorted(kind for kind in kinds if kind not in (SNI, ALPN)))
    if any(not is_grease(value) for value in signatures):
        hashed += "_" + listing(signatures)
    return (
        f"t12{'d' if SNI in kinds else 'i'}{min(counted[0], 99):02}{min(counted[1], 99):02}{code}"
        f"_{sha256(listing(sorted(ciphers)))}_{sha256(hashed)}"
    )


NUMBERS = st.one_of(st.integers(0, 0xFFFF), st.sampled_from([0x0A0A, 0xFAFA, 0x00FF, 0x5600]))


@given(
    ciphers=st.lists(NUMBERS, max_size=150),
    kinds=st.lists(
        NUMBERS.filter(lambda kind: kind not in (SUPPORTED_VERSIONS, SIGNATURE_ALGORITHMS, ALPN)),
        max_size=150,
    ),
    signatures=st.none() | st.lists(NUMBERS, max_size=60),
    protocol=st.none() | st.binary(max_size=6),
    order=st.randoms(use_true_random=False),
)
def test_any_hello_has_the_fingerprint_that_the_specification_gives_it(
    ciphers: list[int],
    kinds: list[int],
    signatures: list[int] | None,
    protocol: bytes | None,
    order: Random,
) -> None:
    extensions = empty(*kinds)
    if signatures is not None:
        extensions.append(signature_algorithms(*signatures))
    if protocol is not None:
        extensions.append(protocols(protocol))
    order.shuffle(extensions)
    hello = client_hello(*extensions, ciphers=ciphers)
    assert read(handshake(CLIENT_HELLO, hello))["ja4"] == specified(
        ciphers, [kind for kind, _ in extensions], signatures or [], protocol
    )


@pytest.mark.parametrize("count", range(1, 66))
def test_the_hash_is_that_of_lists_of_any_length(count: int) -> None:
    """65 lists, each five characters longer, end at every place within SHA-256's blocks."""
    ciphers = [0xC000 + i for i in range(count)]
    assert read_client_hello(ciphers=ciphers)["ja4"] == specified(ciphers, [], [], None)
