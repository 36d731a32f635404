"""Certificates of an authority made for one test."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

import trustme

from mailtap.live.sensors.transport import Tls

BROKER = """
redef Broker::disable_ssl = F;
redef Broker::ssl_cafile = "{ca}";
redef Broker::ssl_certificate = "{certificate}";
redef Broker::ssl_keyfile = "{key}";
"""


class Certificates:
    """`server` and `client` are what either side of a connection to 127.0.0.1 is configured with,
    each verified by the other.
    """

    def __init__(self, folder: Path, name: str = "127.0.0.1") -> None:
        """`name` is what the server's certificate is for."""
        self._authority = trustme.CA()
        self._folder = Path(tempfile.mkdtemp(dir=folder))
        self.ca = self._folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca))
        self.server = self._issued(name)
        self.client = self._issued("client.example")

    def of_server(self) -> ssl.SSLContext:
        """A server that asks clients for a certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.ca)
        assert self.server.certificate is not None
        context.load_cert_chain(self.server.certificate, self.server.key)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def of_zeek(self) -> str:
        """A script by which a Zeek serves Broker peers like that."""
        return BROKER.format(ca=self.ca, certificate=self.server.certificate, key=self.server.key)

    def _issued(self, name: str) -> Tls:
        issued = self._authority.issue_cert(name)
        certificate, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        for n, part in enumerate(issued.cert_chain_pems):
            part.write_to_path(str(certificate), append=n > 0)
        issued.private_key_pem.write_to_path(str(key))
        return Tls(self.ca, certificate, key)
