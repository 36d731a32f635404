"""A certificate that the servers present."""

from __future__ import annotations

from pathlib import Path

from lab.accounts import DOMAIN
from lab.isolation import Root, run


def make(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate and its key."""
    certificate, key = folder / "server.pem", folder / "server.key"
    run(
        *(
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "30",
        ),
        *("-subj", f"/CN=mail.{DOMAIN}", "-addext", f"subjectAltName=DNS:*.{DOMAIN}"),
        *("-keyout", key, "-out", certificate),
    )
    return certificate, key


def install(root: Root, made: tuple[Path, Path]) -> None:
    """Put both where the configurations name them."""
    root.file("/etc/lab/server.pem", made[0].read_text())
    root.file("/etc/lab/server.key", made[1].read_text(), 0o644)
