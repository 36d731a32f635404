"""Sessions of OpenSSL with itself, read from each side alone."""

from __future__ import annotations

import ssl

import pytest
from cryptography import x509

from reading import read
from tls_sessions import HOST, TlsSession, certificates, contexts, run

VERSIONS = {ssl.TLSVersion.TLSv1_2: "TLSv12", ssl.TLSVersion.TLSv1_3: "TLSv13"}


def session(
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    *,
    protocols: list[str] | None = None,
    curve: str | None = None,
    trusted: bool = True,
) -> TlsSession:
    client, server = contexts()
    server.minimum_version = server.maximum_version = version
    if protocols is not None:
        client.set_alpn_protocols(protocols)
        server.set_alpn_protocols(protocols[-1:])
    if curve is not None:
        server.set_ecdh_curve(curve)
    if not trusted:
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return run(client, server)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_read_from_each_side(version: ssl.TLSVersion) -> None:
    made = session(version, protocols=["h2", "imap"])
    assert made.established

    client = read(made.client)
    assert client["sender"] == "client"
    assert client["version"] == "TLSv13"  # the highest offered
    assert client["sni"] == HOST
    assert client["alpn"] == ["h2", "imap"]
    assert client["ja4"].startswith("t13d")

    server = read(made.server)
    assert server["sender"] == "server"
    assert server["version"] == VERSIONS[version]
    assert server["cipher"] == {
        "ECDHE-RSA-AES256-GCM-SHA384": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "ECDHE-ECDSA-AES256-GCM-SHA384": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_AES_256_GCM_SHA384": "TLS_AES_256_GCM_SHA384",
    }.get(made.cipher or "")
    assert made.protocol == "imap"
    assert server["alpn"] == ([] if version == ssl.TLSVersion.TLSv1_3 else ["imap"])

    for facts in (client, server):
        assert facts["change_cipher_spec"]
        assert facts["application_data"]
        assert facts["alert"] == ""
        assert facts["ending"] == ""


def test_the_certificate_is_in_the_clear_up_to_tls_1_2() -> None:
    truth = x509.load_pem_x509_certificate(certificates()[1].cert_chain_pems[0].bytes())
    facts = read(session(ssl.TLSVersion.TLSv1_2).server)["certificate"]
    assert facts is not None
    assert facts["subject"] == truth.subject.rfc4514_string()
    assert facts["issuer"] == truth.issuer.rfc4514_string()
    assert facts["names"] == [HOST, "192.0.2.25"]
    assert facts["not_before"] == int(truth.not_valid_before_utc.timestamp())
    assert facts["not_after"] == int(truth.not_valid_after_utc.timestamp())
    assert not facts["self_signed"]
    assert read(session(ssl.TLSVersion.TLSv1_3).server)["certificate"] is None


def test_a_hello_retry_request() -> None:
    """The server wants a curve for which the client sent no key."""
    made = session(curve="secp384r1")
    assert made.established
    server = read(made.server)
    assert server["hello_retry"]
    assert (server["version"], server["cipher"]) == ("TLSv13", "TLS_AES_256_GCM_SHA384")
    assert server["application_data"]
    assert read(made.client)["ja4"] == read(session().client)["ja4"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_that_does_not_trust_the_certificate(version: ssl.TLSVersion) -> None:
    """OpenSSL says so in the clear in TLS 1.3, too: it has not begun to encrypt by then."""
    made = session(version, trusted=False)
    assert not made.established
    facts = read(made.client)
    assert facts["alert"] == "clear"
    assert (facts["alert_level"], facts["alert_description"]) == (2, 48)  # unknown_ca
    assert not facts["application_data"]


def test_a_server_that_shares_no_version_with_the_client() -> None:
    client, server = contexts()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    server.minimum_version = ssl.TLSVersion.TLSv1_3
    made = run(client, server)
    assert not made.established
    facts = read(made.server)
    assert facts["sender"] == ""
    assert facts["alert"] == "clear"
    assert (facts["alert_level"], facts["alert_description"]) == (2, 70)  # protocol_version


def test_the_fingerprint_is_the_clients_whatever_the_server() -> None:
    fingerprints = {read(session(version).client)["ja4"] for version in VERSIONS}
    assert len(fingerprints) == 1
    assert read(session(protocols=["imap"]).client)["ja4"] not in fingerprints
