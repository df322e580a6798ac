"""Certificates that no public authority has signed."""

import subprocess
from pathlib import Path

from support.processes import PATIENCE_S


def make_certificate(folder: Path) -> None:
    """`cert.pem` and `key.pem` of this machine's loopback."""
    _openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-subj", "/CN=127.0.0.1",
        "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
    )  # fmt: skip


def make_authority(folder: Path) -> None:
    """`ca.pem`, and signed by it `server.pem` of localhost and `client.pem`, keys `….key`."""
    _openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-subj", "/CN=test authority", "-keyout", folder / "ca.key", "-out", folder / "ca.pem",
    )  # fmt: skip
    for name, extension in (
        ("server", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ("client", "extendedKeyUsage=clientAuth"),
    ):
        _openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem",
            "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-addext", extension,
            "-addext", "basicConstraints=critical,CA:FALSE",
        )  # fmt: skip


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=PATIENCE_S)
